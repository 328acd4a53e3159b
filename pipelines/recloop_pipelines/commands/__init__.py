"""The commands of `recloop`."""
