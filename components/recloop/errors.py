"""Every exception that Recloop raises on purpose.

    Exception
    +-- Permanent                 a retry cannot help; DAG tasks fail at once
    |   +-- BadConfig             the YAML, all wrong keys at once          (ValueError)
    |   +-- BadData               missing file or column, unreadable times  (ValueError)
    |   |   +-- QualityFailed     the check's allowances were exceeded
    |   +-- BadArtifact           hash mismatch, wrong kind, unsafe file    (ValueError)
    |   |   +-- AlreadyPublished  other bytes are published at that place
    |   +-- BadRelease            a bundle refused before it serves         (ValueError)
    |   +-- BadRequest            the service's caller sent nonsense        (ValueError)
    |   +-- Stopped               a component died or did not start         (RuntimeError)
    +-- Conflict                  compare-and-set lost; names the winner    (RuntimeError)
    +-- Busy                      another run holds the scenario's lease    (RuntimeError)
    +-- Unavailable               S3, MLflow, PostgreSQL or disk; retry     (ConnectionError)

Every message says what is wrong, with numbers; where; and what to do next.
"""


class Permanent(Exception):
    """A retry cannot help."""


class BadConfig(Permanent, ValueError):
    """The configuration is wrong; the message lists every wrong key."""


class BadData(Permanent, ValueError):
    """Input data cannot be read as events or items."""


class QualityFailed(BadData):
    """More rows are bad than the suite allows."""


class BadArtifact(Permanent, ValueError):
    """An artefact is missing, of another kind, or its bytes differ from its manifest."""


class AlreadyPublished(BadArtifact):
    """Another artefact is already published at that place."""


class BadRelease(Permanent, ValueError):
    """A release bundle was refused before it could serve."""


class BadRequest(Permanent, ValueError):
    """A request to the service is wrong; `field` names the place."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class Stopped(Permanent, RuntimeError):
    """A component of the platform died or did not start."""


class Conflict(RuntimeError):
    """A compare-and-set was lost; the message names the winner."""


class Busy(RuntimeError):
    """Another run holds the lease; the message names the holder."""


class Unavailable(ConnectionError):
    """A service or the disk did not answer; a later retry may succeed."""
