import gzip
import zipfile

import polars as pl
import pytest

from recloop.privacy import scan as module
from recloop.privacy.scan import scan

ID = "person-4711"


def test_the_id_is_found_in_bytes_tables_and_archives(tmp_path):
    (tmp_path / "run.log").write_text(f"user {ID} came")
    (tmp_path / "model.bin").write_bytes(b"\x00" * 100 + ID.encode() + b"\x00")
    pl.DataFrame({"user_id": [ID], "item_id": ["i"]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"items": [["x", ID]]}).write_parquet(tmp_path / "b.parquet")
    with gzip.open(tmp_path / "c.gz", "wb") as file:
        file.write(ID.encode())
    with zipfile.ZipFile(tmp_path / "d.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.txt", ID * 2 + " " + ID)
    found = scan(tmp_path, ID).found
    assert found == (
        "a.parquet column user_id",
        "b.parquet column items",
        "c.gz",
        "d.zip member inner.txt",
        "model.bin",
        "run.log",
    )


def test_a_longer_id_is_another(tmp_path):
    (tmp_path / "run.log").write_text(f"user {ID}0 came")
    pl.DataFrame({"user_id": [f"x{ID}"]}).write_parquet(tmp_path / "a.parquet")
    found = scan(tmp_path, ID)
    assert (found.files, found.found) == (2, ())


@pytest.mark.parametrize("before", range(0, 40, 3))
def test_the_id_is_found_where_pieces_meet(before, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 16)
    (tmp_path / "a.bin").write_bytes(b"." * before + ID.encode() + b"." * 20)
    assert scan(tmp_path, ID).found == ("a.bin",)
