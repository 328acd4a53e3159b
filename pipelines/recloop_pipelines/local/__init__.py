"""The embedded services of one machine."""

from recloop_pipelines.local.services import down, environment, status, up

__all__ = ["down", "environment", "status", "up"]
