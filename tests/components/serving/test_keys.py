import hashlib
import json

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from recloop.errors import BadConfig
from recloop.serving.keys import Keys, permission


def asked(**headers):
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw})


def status(keys, request, scope):
    try:
        permission(keys)(request, scope)
    except HTTPException as error:
        return error.status_code
    return 200


@pytest.mark.parametrize(
    ("secret", "scope", "expected"),
    [("writer", "write", 200), ("writer", "admin", 403), ("reader", "write", 403), ("boss", "write", 200), ("x", "read", 403)],
)  # fmt: skip
def test_a_key_may_what_its_scopes_say(keys, secret, scope, expected):
    assert status(keys, asked(authorization=f"Bearer {secret}"), scope) == expected


@pytest.mark.parametrize("headers", [{"x_api_key": "writer"}, {"authorization": "bearer writer"}])
def test_a_key_is_read_from_either_header(keys, headers):
    assert status(keys, asked(**headers), "write") == 200


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Basic writer"}, {"authorization": "Bearer "}, {"x_api_key": ""}]
)
def test_a_request_without_a_key_is_asked_for_one(keys, headers):
    assert status(keys, asked(**headers), "write") == 401


def test_without_keys_everybody_may():
    assert status(None, asked(), "admin") == 200


def test_a_key_outside_ascii_is_refused_like_any_other(keys):
    request = Request({"type": "http", "headers": [(b"x-api-key", b"\xff\xfe")]})
    assert status(keys, request, "write") == 403


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '[{"name": "a"}]', json.dumps([{"name": "a", "sha256": "plain secret", "scopes": ["read"]}]),
     json.dumps([{"name": "a", "sha256": hashlib.sha256(b"a").hexdigest(), "scopes": ["all"]}])],
)  # fmt: skip
def test_a_keys_file_that_is_wrong_is_refused(tmp_path, content):
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(BadConfig, match=r"keys\.json"):
        Keys.load(tmp_path / "keys.json")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"per_minute": "many"}, "0.per_minute"),
        ({"per_minute": 0}, "greater than 0"),
        ({"scopes": ["admin"], "public": True}, "shop stands in a web page"),
        ({"public": "nobody"}, "0.public"),
        ({"scopes": []}, "0.scopes"),
    ],
)
def test_what_a_hand_wrote_into_the_keys_file_is_checked_before_it_counts(tmp_path, fields, said):
    key = {"name": "shop", "sha256": hashlib.sha256(b"a").hexdigest(), "scopes": ["read"]} | fields
    (tmp_path / "keys.json").write_text(json.dumps([key]))
    with pytest.raises(BadConfig, match=said):
        Keys.load(tmp_path / "keys.json")


def test_a_secret_in_the_place_of_its_hash_is_not_repeated(tmp_path):
    (tmp_path / "keys.json").write_text(json.dumps([{"name": "a", "sha256": "plain secret", "scopes": ["read"]}]))
    with pytest.raises(BadConfig) as caught:
        Keys.load(tmp_path / "keys.json")
    assert "plain secret" not in str(caught.value)
