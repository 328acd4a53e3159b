import json

import pytest

from recloop.errors import BadConfig
from recloop.serving.keyring import KeyFile, add, revoke
from recloop.serving.keys import Keys


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.json"


def test_a_key_that_is_added_opens_and_its_secret_is_nowhere(path):
    secret = add(path, "shop", ("write",), per_minute=5, public=True)
    key = Keys.load(path).find(secret)
    assert (key.name, key.scopes, key.per_minute, key.public) == ("shop", ("write",), 5, True)
    assert secret not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_running_service_takes_up_a_new_key_and_drops_a_revoked_one(path):
    first = add(path, "old", ("write",))
    held = KeyFile(path)
    second = add(path, "new", ("write",))
    assert held.find(second).name == "new"
    revoke(path, "old")
    assert held.find(first) is None
    assert held.find(second).name == "new"


def test_a_file_that_cannot_be_read_changes_nothing_and_shows(path):
    secret = add(path, "shop", ("write",))
    held, good = KeyFile(path), path.read_text()
    path.write_text("{")
    assert held.find(secret).name == "shop"
    assert "keys.json" in held.reasons["keys"]
    path.write_text(good)
    assert held.find(secret).name == "shop"
    assert held.reasons == {}


def test_a_file_that_is_gone_changes_nothing(path):
    secret = add(path, "shop", ("write",))
    held = KeyFile(path)
    path.unlink()
    assert held.find(secret).name == "shop"
    assert held.reasons


def test_a_name_is_given_once(path):
    add(path, "shop", ("write",))
    with pytest.raises(BadConfig, match="already"):
        add(path, "shop", ("read",))


@pytest.mark.parametrize(("scopes", "public"), [(("all",), False), ((), False), (("admin",), True)])
def test_scopes_that_cannot_be_are_refused(path, scopes, public):
    with pytest.raises(BadConfig, match="scope"):
        add(path, "shop", scopes, public=public)
    assert not path.exists()


def test_the_last_key_stays(path):
    add(path, "shop", ("write",))
    with pytest.raises(BadConfig, match="last key"):
        revoke(path, "shop")
    assert [key["name"] for key in json.loads(path.read_text())] == ["shop"]


def test_revoking_what_is_not_there_names_what_is(path):
    add(path, "shop", ("write",))
    with pytest.raises(BadConfig, match="it has shop"):
        revoke(path, "store")
