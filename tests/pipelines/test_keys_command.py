import json

import pytest
from typer.testing import CliRunner

from recloop.errors import BadConfig
from recloop.serving.keys import Keys
from recloop_pipelines.__main__ import app
from recloop_pipelines.listening import Tls
from recloop_pipelines.settings import settings


@pytest.fixture
def recloop(monkeypatch, tmp_path):
    """Run `recloop keys` in a home of its own."""
    monkeypatch.setenv("RECLOOP_HOME", str(tmp_path))
    monkeypatch.delenv("RECLOOP_KEYS", raising=False)
    settings.cache_clear()
    yield lambda *words: CliRunner().invoke(app, ["keys", *words])
    settings.cache_clear()


def test_a_key_is_added_listed_revoked_and_each_change_is_in_the_log(recloop, tmp_path):
    secret = recloop("add", "shop", "--scopes", "read, write").stdout.strip()
    recloop("add", "page", "--scopes", "write", "--public", "--per-minute", "60")
    assert Keys.load(tmp_path / "keys.json").find(secret).scopes == ("read", "write")
    assert recloop("revoke", "shop").exit_code == 0
    assert json.loads(recloop("list", "--json").stdout) == [
        {"name": "page", "scopes": ["write"], "per_minute": 60, "public": True}
    ]
    logged = [(line["what"], line["detail"]["name"]) for line in json.loads(recloop("log", "--json").stdout)]
    assert logged == [("key added", "shop"), ("key added", "page"), ("key revoked", "shop")]
    assert secret not in (tmp_path / "audit.jsonl").read_text()


def test_a_change_that_is_refused_is_not_in_the_log(recloop, tmp_path):
    assert isinstance(recloop("revoke", "nobody").exception, BadConfig)
    assert not (tmp_path / "audit.jsonl").exists()


def test_a_certificate_without_its_key_is_refused(tmp_path):
    (tmp_path / "a.pem").touch()
    with pytest.raises(BadConfig, match="none"):
        Tls.of(str(tmp_path / "a.pem"), "")


def test_without_a_certificate_there_is_no_tls():
    assert Tls.of("", "") is None
