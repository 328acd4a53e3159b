"""API keys with scopes: only their hashes are kept."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from starlette.exceptions import HTTPException

from recloop.errors import BadConfig

SCOPES = ("read", "write", "admin")
HASH = re.compile("[0-9a-f]{64}")
May = Callable[[Request, str], None]
"""request, scope: raises 401 or 403"""


@dataclass(frozen=True)
class Key:
    """A key by the hash of its secret."""

    name: str
    sha256: str
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Keys:
    """Who may do what."""

    keys: tuple[Key, ...]

    @classmethod
    def load(cls, path: Path) -> "Keys":
        """JSON list of {name, sha256, scopes} -> Keys. Raises BadConfig."""
        try:
            keys = tuple(Key(k["name"], k["sha256"], tuple(k["scopes"])) for k in json.loads(path.read_text()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadConfig(f"{path} is no list of keys with name, sha256 and scopes: {error}") from error
        unhashed = [k.name for k in keys if not HASH.fullmatch(str(k.sha256))]
        if unhashed or not keys:
            raise BadConfig(f"{path} has {len(keys)} keys; those of {unhashed} have no sha256 of 64 hex digits.")
        wrong = [s for k in keys for s in k.scopes if s not in SCOPES]
        if wrong:
            raise BadConfig(f"{path} names the scopes {wrong}; the scopes are {', '.join(SCOPES)}.")
        return cls(keys)

    def allows(self, secret: str, scope: str) -> bool:
        """Whether the secret belongs to a key with the scope (admin has all)."""
        digest = hashlib.sha256(secret.encode()).hexdigest()
        found = [k for k in self.keys if hmac.compare_digest(k.sha256, digest)]
        return any(scope in k.scopes or "admin" in k.scopes for k in found)


def hashed(name: str, secret: str, scopes: tuple[str, ...]) -> dict[str, object]:
    """What the keys file holds of one key."""
    return {"name": name, "sha256": hashlib.sha256(secret.encode()).hexdigest(), "scopes": list(scopes)}


def permission(keys: Keys | None) -> May:
    """A check of each request; without keys everybody may."""

    def may(request: Request, scope: str) -> None:
        if keys is None:
            return
        secret = _secret(request)
        if not secret:
            hint = {"WWW-Authenticate": "Bearer"}
            raise HTTPException(401, "Send an API key: `Authorization: Bearer ...` or `X-API-Key: ...`.", hint)
        if not keys.allows(secret, scope):
            raise HTTPException(403, f"This key is unknown or may not {scope}.")

    return may


def _secret(request: Request) -> str:
    kind, _, bearer = request.headers.get("authorization", "").partition(" ")
    return bearer.strip() if kind.lower() == "bearer" else request.headers.get("x-api-key", "")
