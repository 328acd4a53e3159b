"""One source of events a file."""
