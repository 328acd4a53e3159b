import asyncio
import sys

import httpx
import pytest

from recloop.errors import BadConfig
from recloop.serving.app import create_app
from recloop.serving.journal import Journal
from recloop.serving.telemetry import trace

pytest.importorskip("opentelemetry.instrumentation.fastapi", reason="needs the extra telemetry")


async def sent(app, requests):
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client,
    ):
        for method, path, body in requests:
            await client.request(method, path, json=body)


@pytest.fixture
def spans(engine, tmp_path, bundle):
    """Function: requests (method, path, body) -> the spans that they left, by name."""
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    def ask(*requests):
        exporter = InMemorySpanExporter()
        app = create_app(engine, Journal(tmp_path / "journal"), clock=lambda: bundle.end + 100.0, keys=None)
        provider = trace(app, engine, exporter=exporter)
        asyncio.run(sent(app, requests))
        provider.shutdown()
        return {span.name: span for span in exporter.get_finished_spans()}

    return ask


def test_an_answers_span_names_its_release_and_what_each_stage_took(spans, engine):
    found = spans(("POST", "/v1/recommendations", {"user_id": "u0", "k": 3}))
    said = found["POST /v1/recommendations"].attributes
    assert (said["recloop.release"], said["recloop.generation"], said["recloop.items"]) == ("first", 1, 3)
    assert said["recloop.milliseconds.history"] >= 0
    assert len(found) == 1


def test_what_machines_ask_for_all_the_time_leaves_no_span(spans):
    assert spans(("GET", "/health", None), ("GET", "/metrics", None)) == {}


def test_where_opentelemetry_is_missing_the_error_says_what_to_install(engine, monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.instrumentation.fastapi", None)
    with pytest.raises(BadConfig, match=r"recloop\[telemetry\]"):
        trace(None, engine, exporter=None)
