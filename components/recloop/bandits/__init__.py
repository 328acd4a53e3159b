"""Exploring with known propensities, and judging a policy on what another one logged."""
