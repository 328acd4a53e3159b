import asyncio
import json

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.responses import Response

from recloop.serving import problems
from recloop.serving.direct import Direct
from recloop.serving.schemas import Ask

JSON = {"content-type": "application/json"}


class Client:
    """Asks an app without a server."""

    def __init__(self, app):
        self.app = app

    def ask(self, content, headers, method="POST"):
        async def asked():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://shop") as client:
                return await client.request(method, "/asked", content=content, headers=headers)

        found = asyncio.run(asked())
        return found.status_code, found.content


def client(route):
    router = APIRouter(route_class=route)

    @router.post("/asked")
    async def asked(request: Request, ask: Ask) -> Response:
        """Say what was understood."""
        return Response(ask.model_dump_json().encode())

    app = FastAPI()
    problems.install(app)
    app.include_router(router)
    return Client(app)


DIRECT, PLAIN = client(Direct), client(APIRoute)


def test_a_valid_body_takes_none_of_the_frameworks_steps(monkeypatch):
    async def never(*_):
        raise AssertionError

    monkeypatch.setattr(APIRoute, "handle", never)
    assert DIRECT.ask(b'{"user_id": "u"}', JSON)[0] == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"k": NaN}', b'{"user_id": "\\ud800"}', b'{"k": 1' + b"0" * 30 + b"}", b"\xff", b"null"],
)
def test_an_odd_body_is_answered_as_by_the_framework(body):
    assert DIRECT.ask(body, JSON) == PLAIN.ask(body, JSON)


# a busy machine is slow to draw, which says nothing of the route
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from([*Ask.model_fields, "more"]),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=3)
        | st.lists(st.text(max_size=3), max_size=3),
        max_size=3,
    )
)
def test_whatever_is_asked_is_understood_as_by_the_framework(body):
    sent = json.dumps(body).encode()
    assert DIRECT.ask(sent, JSON) == PLAIN.ask(sent, JSON)


@pytest.mark.parametrize("kind", ["application/vnd.shop+json", "application/json; charset=utf-8", "text/plain"])
def test_another_type_of_content_goes_the_frameworks_way(kind):
    headers = {"content-type": kind}
    assert DIRECT.ask(b'{"k": 3}', headers) == PLAIN.ask(b'{"k": 3}', headers)


def test_another_method_is_refused():
    assert DIRECT.ask(b"", JSON, method="PUT")[0] == 405


def test_the_document_describes_the_body():
    described = DIRECT.app.openapi()["paths"]["/asked"]["post"]
    assert described == PLAIN.app.openapi()["paths"]["/asked"]["post"]
