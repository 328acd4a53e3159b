"""OpenTelemetry traces: a span a request, with the release that answered and what each stage took."""

from typing import Any

from fastapi import FastAPI

from recloop.errors import BadConfig
from recloop.serving.engine import Engine
from recloop.serving.stages import Question

UNTRACED = "health,metrics,recloop.js"
"""paths that machines ask for all the time"""


def trace(app: FastAPI, engine: Engine, *, exporter: Any) -> Any:
    """Trace an app's requests; every span ends in the exporter. Returns the provider, to be shut down at the end.

    exporter: an OpenTelemetry SpanExporter. Spans are sent from a thread of their own; where the collector is away they
    are dropped, and no request waits. Raises BadConfig: OpenTelemetry is not installed.
    """
    try:
        from opentelemetry import trace as api
        from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise BadConfig(f"Traces need OpenTelemetry ({error}): pip install 'recloop[telemetry]'.") from error

    # what OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say is added
    provider = TracerProvider(resource=Resource.create({"service.name": "recloop"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    FastAPIInstrumentor.instrument_app(
        app, tracer_provider=provider, excluded_urls=UNTRACED, exclude_spans=["receive", "send"]
    )

    def observe(_: Question, answer: dict[str, Any]) -> None:
        api.get_current_span().set_attributes(attributes(answer))

    engine.observers.append(observe)
    return provider


def attributes(answer: dict[str, Any]) -> dict[str, str | int | float]:
    """Answer -> what its span says of it."""
    said = {f"recloop.{name}": answer[name] for name in ("receipt_id", "release", "generation", "policy")}
    took = {f"recloop.milliseconds.{stage}": spent for stage, spent in answer["milliseconds"].items()}
    return said | {"recloop.items": len(answer["items"])} | took
