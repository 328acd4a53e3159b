"""What a killed or damaged fetch leaves, and what a later one makes of it."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from recloop.data.public.fetch import fetch
from recloop.data.public.sets import Download, Form, Need
from recloop.errors import BadData, Unavailable
from sites import BODY, SHA, line, names, nothing, plain, shop


def archived(tmp_path, **members):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        for name, text in members.items():
            packed.writestr(f"{name}.csv", text)
    return (tmp_path / "all.zip").read_bytes()


class Killed(BaseException):
    """Ends a fetch where nothing may tidy up."""


def killed(*_):
    raise Killed


def test_a_member_has_no_name_before_its_digest_is_known_to_fit(site, client, tmp_path, monkeypatch):
    site.files["/all.zip"] = archived(tmp_path, a="other")
    download = Download(f"{site.url}/all.zip", "all.zip", unpacked=(("a.csv", "a.csv"),))
    monkeypatch.setattr(hashlib, "file_digest", killed)
    found = shop(Form((Need("a.csv", SHA),), nothing, True, (download,)))
    with pytest.raises(Killed):
        fetch(found, tmp_path, line(client))
    assert found.ready(tmp_path / "shop") is None


def test_a_served_file_is_compared_with_what_is_known_of_the_file_that_is_read(site, client, tmp_path):
    download = Download(f"{site.url}/big.bin", "big.bin")
    with pytest.raises(BadData, match="another version"):
        fetch(shop(Form((Need("big.bin", 64 * "0"),), nothing, True, (download,))), tmp_path, line(client))
    assert names(tmp_path / "shop") == ["big.bin.mark"]


def two(site, tmp_path, second="big.bin"):
    """An archive, and then a plain file."""
    site.files["/all.zip"] = archived(tmp_path, a="one", b="two")
    first = Download(f"{site.url}/all.zip", "all.zip", unpacked=(("a.csv", "a.csv"), ("b.csv", "b.csv")))
    needs = (Need("a.csv", hashlib.sha256(b"one").hexdigest()), Need("b.csv"), Need("big.bin"))
    return shop(Form(needs, nothing, True, (first, Download(f"{site.url}/{second}", "big.bin"))))


def test_what_an_earlier_run_brought_is_not_fetched_again(site, client, tmp_path):
    found = two(site, tmp_path)
    site.drops, site.cut = 10, 50_000
    with pytest.raises(Unavailable):
        fetch(found, tmp_path, line(client))
    site.asked.clear()
    fetch(found, tmp_path, line(client))
    assert {path for path, _ in site.asked} == {"/big.bin"}
    assert names(tmp_path / "shop") == ["a.csv", "b.csv", "big.bin"]


def test_what_an_earlier_run_brought_needs_no_archive_of_the_mirror(site, client, tmp_path):
    found = two(site, tmp_path, "served.bin")
    (tmp_path / "mirror/shop").mkdir(parents=True)
    (tmp_path / "mirror/shop/served.bin").write_bytes(BODY)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/a.csv").write_text("one")
    (tmp_path / "shop/b.csv").write_text("two")
    fetch(found, tmp_path, line(client, str(tmp_path / "mirror")))
    assert site.asked == []
    assert (tmp_path / "shop/big.bin").read_bytes() == BODY


def test_a_file_that_is_there_but_is_another_is_fetched(site, client, tmp_path):
    found = two(site, tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/a.csv").write_text("ONE")
    (tmp_path / "shop/b.csv").write_text("two")
    fetch(found, tmp_path, line(client))
    assert (tmp_path / "shop/a.csv").read_text() == "one"


def test_an_archive_that_fits_its_digest_is_only_unpacked_after_a_kill(site, client, tmp_path):
    body = archived(tmp_path, a="one")
    site.files["/all.zip"] = body
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    download = Download(f"{site.url}/all.zip", "all.zip", digest=digest, unpacked=(("a.csv", "a.csv"),))
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/all.zip").write_bytes(body)
    fetch(shop(Form((Need("a.csv"),), nothing, True, (download,))), tmp_path, line(client))
    assert site.asked == []
    assert names(tmp_path / "shop") == ["a.csv"]


def test_a_kill_at_the_new_mark_leaves_no_bytes_of_the_old_version(site, client, tmp_path, monkeypatch):
    site.drops, site.cut = 10, 50_000
    with pytest.raises(Unavailable):
        fetch(plain(site, digest=None), tmp_path, line(client))
    site.tag, site.files["/big.bin"] = '"v2"', BODY[::-1]
    write = Path.write_text
    monkeypatch.setattr(Path, "write_text", lambda *what: killed(write(*what)))
    with pytest.raises(Killed):
        fetch(plain(site, digest=None), tmp_path, line(client))
    monkeypatch.undo()
    fetch(plain(site, digest=None), tmp_path, line(client))
    assert (tmp_path / "shop/big.bin").read_bytes() == BODY[::-1]


def test_a_range_that_begins_elsewhere_than_asked_is_not_appended(site, client, tmp_path):
    site.drops, site.early = 1, 1_000
    fetch(plain(site, digest=None, size=None), tmp_path, line(client))
    assert (tmp_path / "shop/big.bin").read_bytes() == BODY
    assert [wanted is None for _, wanted in site.asked] == [True, False, True]


def test_a_file_that_is_there_but_is_another_is_taken_from_the_mirror(site, client, tmp_path):
    (tmp_path / "mirror/shop").mkdir(parents=True)
    (tmp_path / "mirror/shop/a.csv").write_text("one")
    (tmp_path / "mirror/shop/b.csv").write_text("two")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/a.csv").write_text("ONE")
    needs = (Need("a.csv", hashlib.sha256(b"one").hexdigest()), Need("b.csv"))
    fetch(shop(Form(needs, nothing, True)), tmp_path, line(client, str(tmp_path / "mirror")))
    assert (tmp_path / "shop/a.csv").read_text() == "one"
