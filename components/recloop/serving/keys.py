"""API keys with scopes: only their hashes are kept."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, get_args

from fastapi import Request
from pydantic import Field, TypeAdapter, ValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from recloop.errors import BadConfig

Scope = Literal["read", "write", "admin"]
SCOPES = get_args(Scope)
RECOMMEND = "recommend"
"""what anybody may without a key, unless the configuration asks for the scope read"""
ANYBODY = "anybody on this machine"
"""who asks a service without keys"""
May = Callable[[Request, str], None]
"""request, scope: raises 401 or 403"""


@dataclass(frozen=True)
class Key:
    """A key by the hash of its secret."""

    name: Annotated[str, Field(min_length=1)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)]
    per_minute: Annotated[int, Field(gt=0)] | None = None
    """requests; None: the limit of the configuration"""
    public: bool = False
    """it stands in a web page: it is limited by address, and its callers do not tell the time of bots"""

    def may(self, scope: str) -> bool:
        """Whether the key has the scope; admin has all."""
        return scope in self.scopes or "admin" in self.scopes


class Known(Protocol):
    """What knows keys."""

    @property
    def reasons(self) -> dict[str, str]:
        """What is wrong with them, by part; empty where nothing is."""

    def find(self, secret: str) -> Key | None:
        """The key of a secret; None where it is unknown."""


FILE = TypeAdapter(Annotated[tuple[Key, ...], Field(min_length=1)])
"""what a keys file holds"""


@dataclass(frozen=True)
class Keys:
    """Who may do what."""

    keys: tuple[Key, ...]

    @classmethod
    def load(cls, path: Path) -> "Keys":
        """JSON list of {name, sha256, scopes, ...} -> Keys. Raises BadConfig."""
        try:
            keys = FILE.validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise BadConfig(f"{path} is no list of keys with name, sha256 and scopes. {_wrong(error)}") from None
        open_ = [key.name for key in keys if key.public and "admin" in key.scopes]
        if open_:
            raise BadConfig(f"{path}: {', '.join(open_)} stands in a web page: it cannot have the scope admin.")
        return cls(keys)

    @property
    def reasons(self) -> dict[str, str]:
        """Nothing can go wrong with them later."""
        return {}

    def find(self, secret: str) -> Key | None:
        """The key of a secret; None where it is unknown."""
        digest = _sha256(secret)
        return next((key for key in self.keys if hmac.compare_digest(key.sha256, digest)), None)


def hashed(
    name: str, secret: str, scopes: tuple[str, ...], *, per_minute: int | None = None, public: bool = False
) -> dict[str, Any]:
    """What the keys file holds of one key."""
    key = {"name": name, "sha256": _sha256(secret), "scopes": list(scopes), "per_minute": per_minute, "public": public}
    return {field: value for field, value in key.items() if value not in (None, False)}


def permission(keys: Known | None, *, read_needs_key: bool = False) -> May:
    """A check of each request; without keys everybody may.

    `request.state.key` is the key found, None where none was asked for; `request.state.scope` what it was asked for.
    """

    def may(request: Request, scope: str) -> None:
        needed = "read" if scope == RECOMMEND else scope
        open_to_all = scope == RECOMMEND and not read_needs_key
        request.state.key = None if keys is None or open_to_all else _entitled(keys, request, needed)
        request.state.scope = needed

    return may


def _entitled(keys: Known, request: Request, scope: str) -> Key:
    """The request's key, which has the scope. Raises 401 or 403."""
    secret = secret_of(request.headers)
    if not secret:
        hint = {"WWW-Authenticate": "Bearer"}
        raise HTTPException(401, "Send an API key: `Authorization: Bearer ...` or `X-API-Key: ...`.", hint)
    key = keys.find(secret)
    if key is None or not key.may(scope):
        raise HTTPException(403, f"This key is unknown or may not {scope}.")
    return key


def nobodys(request: Request) -> str | None:
    """The address of a caller with a page's key, whom nobody vouches for; None for a server's key."""
    key = getattr(request.state, "key", None)
    return request.client.host if key and key.public and request.client else None


def secret_of(headers: Headers) -> str:
    """The secret that a request brings; empty where it brings none."""
    kind, _, bearer = headers.get("authorization", "").partition(" ")
    return bearer.strip() if kind.lower() == "bearer" else headers.get("x-api-key", "")


def _wrong(error: OSError | ValidationError) -> str:
    """What is wrong, by place; never the value, which may be a secret."""
    if isinstance(error, OSError):
        return str(error)
    return "; ".join(f"{'.'.join(map(str, one['loc'])) or 'The file'}: {one['msg']}" for one in error.errors())


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
