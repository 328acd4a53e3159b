"""The running service's administrative API, as commands of this machine ask it."""

from typing import Any

import httpx

from recloop.errors import BadRequest, Conflict, Unavailable
from recloop_pipelines.settings import settings

SECONDS = 120.0
"""loading a release for an experiment takes its time"""


def asked(method: str, path: str, body: Any = None) -> Any:
    """One request with this machine's key -> the answer's JSON. Raises Unavailable, BadRequest with the service's words."""
    key = settings().service_key
    headers = {"X-API-Key": key} if key else {}
    try:
        with httpx.Client(base_url=settings().service, timeout=SECONDS, trust_env=False) as client:
            response = client.request(method, path, json=body, headers=headers)
    except httpx.TransportError as error:
        raise Unavailable(
            f"The service at {settings().service} does not answer: {error}. Start it with `recloop serve`, or name it in "
            "RECLOOP_SERVICE."
        ) from error
    return _judged(response)


def _judged(response: httpx.Response) -> Any:
    if response.is_success:
        return response.json()
    try:
        told = response.json()
    except ValueError:
        told = {"detail": response.text[:200]}
    detail = f"{response.request.method} {response.request.url.path} gave {response.status_code}: {told.get('detail')}"
    if response.status_code in {401, 403}:
        raise BadRequest(f"{detail} Put a key with the scope admin into RECLOOP_SERVICE_KEY.", field="key")
    if response.status_code == 409:
        raise Conflict(detail)
    if response.status_code >= 500 or response.status_code == 429:
        raise Unavailable(detail)
    raise BadRequest(detail, field="")
