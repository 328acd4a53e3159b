"""A route for the many requests that are as they should be: none of FastAPI's steps for each of them."""

from typing import Any

import orjson
from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.types import Receive, Scope, Send

from recloop.serving.bodies import again, gathered

JSON = (b"content-type", b"application/json")


class Direct(APIRoute):
    """A documented route whose endpoint takes (request, body) and gives a Response.

    A valid body goes straight to the endpoint. Any other one goes FastAPI's way, which says what is wrong with it.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if JSON not in scope["headers"] or scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        body = await gathered(receive)
        if body is None:
            return
        given = self._valid(body)
        if given is None:
            await super().handle(scope, again(body, receive), send)
            return
        response = await self.endpoint(Request(scope, receive), given)
        await response(scope, receive, send)

    def _valid(self, body: bytes) -> BaseModel | None:
        """The body as the endpoint's model; None where it is not."""
        model: Any = self.body_field and self.body_field.field_info.annotation
        try:
            found: BaseModel = model.model_validate(orjson.loads(body))
        except (orjson.JSONDecodeError, ValidationError):
            return None
        return found
