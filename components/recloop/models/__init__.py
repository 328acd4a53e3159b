"""Recommenders, one idea a file."""
