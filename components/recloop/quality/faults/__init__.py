"""Faults that happen to events, planted on purpose into clean days."""
