import io
import struct
import tarfile
import zipfile

import pytest

from recloop.data.public.unpack import unpack
from recloop.errors import BadData


def zipped(path, **members):
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in members.items():
            packed.writestr(name.replace("__", "/"), text)
    return path


def tarred(path, *members):
    with tarfile.open(path, "w:gz") as packed:
        for info, body in members:
            info.size = len(body)
            packed.addfile(info, io.BytesIO(body))
    return path


def test_only_what_is_wanted_is_written_and_under_our_name(tmp_path):
    archive = zipped(tmp_path / "a.zip", top__data__a="1", other="2")
    with zipfile.ZipFile(archive, "a") as packed:
        packed.writestr("../../evil", "3")
    unpack(archive, tmp_path / "out", (("top/*/a", "inner/a.csv"),))
    assert [p.name for p in (tmp_path / "out").rglob("*") if p.is_file()] == ["a.csv"]
    assert not list(tmp_path.parent.glob("evil"))


def test_a_link_in_a_tar_is_no_file(tmp_path):
    link = tarfile.TarInfo("set/a.tsv")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    archive = tarred(tmp_path / "a.tar.gz", (link, b""), (tarfile.TarInfo("set/b.tsv"), b"b"))
    with pytest.raises(BadData, match="0 files that fit"):
        unpack(archive, tmp_path, (("set/a.tsv", "a.tsv"),))
    unpack(archive, tmp_path, (("set/b.tsv", "b.tsv"),))
    assert (tmp_path / "b.tsv").read_bytes() == b"b"


def test_a_pattern_that_fits_two_files_is_refused_with_what_is_there(tmp_path):
    archive = zipped(tmp_path / "a.zip", x__a="1", y__a="2")
    with pytest.raises(BadData, match=r"2 files that fit '\*/a'.*x/a, y/a"):
        unpack(archive, tmp_path, (("*/a", "a"),))


def test_a_page_instead_of_an_archive_is_said(tmp_path):
    (tmp_path / "a.zip").write_text("<html>Log in</html>")
    with pytest.raises(BadData, match="page"):
        unpack(tmp_path / "a.zip", tmp_path, (("a", "a"),))


def test_a_damaged_member_is_not_put_in_place(tmp_path):
    archive = zipped(tmp_path / "a.zip", a="some text that is long enough")
    body = bytearray(archive.read_bytes())
    body[40] ^= 255
    archive.write_bytes(body)
    with pytest.raises(BadData, match="damaged"):
        unpack(archive, tmp_path / "out", (("a", "a"),))
    assert not (tmp_path / "out/a").exists()


def packed(path, how):
    with zipfile.ZipFile(path, "w", how) as file:
        file.writestr("a", bytes(range(256)) * 40)
    return path


def patched(path, place, form, value):
    """Overwrite a field of the central directory's first entry."""
    body = bytearray(path.read_bytes())
    struct.pack_into(form, body, body.index(b"PK\x01\x02") + place, value)
    path.write_bytes(body)
    return path


@pytest.mark.parametrize("how", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("place", range(40, 80, 3))
def test_a_damaged_stream_of_any_compression_is_said_with_its_file(tmp_path, how, place):
    archive = packed(tmp_path / "a.zip", how)
    body = bytearray(archive.read_bytes())
    body[place : place + 6] = bytes(255 - byte for byte in body[place : place + 6])
    archive.write_bytes(body)
    with pytest.raises(BadData, match=r"a\.zip.*(Fetch it again|by hand)"):
        unpack(archive, tmp_path / "out", (("a", "a"),))
    assert not (tmp_path / "out/a").exists()


@pytest.mark.parametrize(
    ("place", "value", "said"), [(8, 1, "encrypted"), (10, 99, "compression method")], ids=["encrypted", "unknown"]
)
def test_what_zipfile_cannot_read_is_to_be_unpacked_by_hand(tmp_path, place, value, said):
    archive = patched(packed(tmp_path / "a.zip", zipfile.ZIP_DEFLATED), place, "<H", value)
    local = bytearray(archive.read_bytes())
    struct.pack_into("<H", local, place - 2, value)
    archive.write_bytes(local)
    with pytest.raises(BadData, match=rf"a\.zip cannot be read.*{said}.*put a\.csv into"):
        unpack(archive, tmp_path / "out", (("a", "a.csv"),))


def test_a_member_with_another_digest_gets_no_name(tmp_path):
    archive = zipped(tmp_path / "a.zip", a="1")
    with pytest.raises(BadData, match="another version"):
        unpack(archive, tmp_path / "out", (("a", "b/a.csv"),), digests={"b/a.csv": "sha256:" + 64 * "0"})
    assert [p.name for p in (tmp_path / "out").rglob("*") if p.is_file()] == []


def test_a_member_that_unpacks_to_more_than_the_limit_is_not_begun(tmp_path, monkeypatch):
    monkeypatch.setattr("recloop.data.public.unpack.LIMIT", 10_239)
    with pytest.raises(BadData, match="unpacks to 10,240 bytes, and at most 10,239"):
        unpack(packed(tmp_path / "a.zip", zipfile.ZIP_DEFLATED), tmp_path / "out", (("a", "a"),))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("stated", [100, 20_000])
def test_a_member_of_another_size_than_it_states_is_refused_and_never_outgrows_it(tmp_path, stated):
    archive = patched(packed(tmp_path / "a.zip", zipfile.ZIP_DEFLATED), 24, "<I", stated)
    with pytest.raises(BadData, match="damaged"):
        unpack(archive, tmp_path / "out", (("a", "a"),))
    assert not (tmp_path / "out/a").exists()
    assert all(p.stat().st_size <= stated for p in (tmp_path / "out").iterdir())
