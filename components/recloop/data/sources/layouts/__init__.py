"""Exports of known systems, one a file: their rows -> one canonical row an item of an event."""
