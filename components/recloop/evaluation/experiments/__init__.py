"""Experiments with users: who gets which variant, and what the difference is worth."""
