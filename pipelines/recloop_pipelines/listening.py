"""How the service listens: patience with slow clients, TLS, traces, and where its audit log lies."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recloop.config import EdgeConfig
from recloop.errors import BadConfig
from recloop.serving.audit import Audit
from recloop_pipelines.settings import settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from recloop.serving.engine import Engine

KEEP_ALIVE = 30
"""seconds that an idle connection stays open"""
TRACES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""OpenTelemetry's own variables: where either is set, traces are sent there"""


@dataclass(frozen=True)
class Tls:
    """Files of a certificate, PEM."""

    certificate: Path
    key: Path

    @classmethod
    def of(cls, certificate: str, key: str) -> "Tls | None":
        """Options -> Tls; None where neither is given. Raises BadConfig: one without the other, or no such file."""
        if not certificate and not key:
            return None
        missing = [str(name or "(none)") for name in (certificate, key) if not name or not Path(name).is_file()]
        if missing:
            raise BadConfig(f"TLS needs --tls-certificate and --tls-key, both PEM files; not found: {missing}.")
        return cls(Path(certificate), Path(key))


def audit() -> Audit:
    """The audit log of this machine."""
    return Audit(settings().folder / "audit.jsonl")


def listen(app: "FastAPI", edge: EdgeConfig, *, host: str, port: int, tls: Tls | None = None) -> None:
    """Serve the app until stopped."""
    import uvicorn

    from recloop.serving.patience import impatient

    uvicorn.run(
        app,
        host=host,
        port=port,
        http=impatient(edge.body_seconds),
        limit_concurrency=edge.connections,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=10,
        ssl_certfile=tls.certificate if tls else None,
        ssl_keyfile=tls.key if tls else None,
        access_log=False,
        log_level="warning",
    )


def traced(app: "FastAPI", engine: "Engine") -> None:
    """Send traces where OpenTelemetry's variables name a collector; else do nothing. Raises BadConfig: not installed."""
    if not any(os.environ.get(name) for name in TRACES):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise BadConfig(f"Traces need OpenTelemetry ({error}): pip install 'recloop[telemetry]'.") from error
    from recloop.serving.telemetry import trace

    trace(app, engine, exporter=OTLPSpanExporter())
