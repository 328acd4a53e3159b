"""The HTTP service and what it serves from."""
