import io
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
