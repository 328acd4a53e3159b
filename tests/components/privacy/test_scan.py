import gzip
import io
import json
import sqlite3
import zipfile
from contextlib import closing

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

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
    np.save(tmp_path / "users.npy", np.array([f"{ID}0", f"x{ID}"]))
    found = scan(tmp_path, ID)
    assert (found.files, found.found) == (3, ())


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([4711, 7]),
        pl.Series([4711.0, None]),
        pl.Series(["4711", "x"], dtype=pl.Categorical),
        pl.Series(["4711"], dtype=pl.Enum(["4711"])),
        pl.Series([{"id": "4711"}]),
        pl.Series([[{"ids": [7, 4711]}]]),
        pl.Series([b"user=4711;"]),
    ],
    ids=["integers", "floats", "categories", "enum", "structs", "lists of structs", "bytes"],
)
def test_a_column_of_any_kind_is_read(values, tmp_path):
    values.alias("u").to_frame().write_parquet(tmp_path / "a.parquet")
    assert scan(tmp_path, "4711").found == ("a.parquet column u",)
    assert scan(tmp_path, "471").found == ()


def test_a_part_of_a_price_is_no_id(tmp_path):
    pl.DataFrame({"price": [0.4711, 4711.5]}).write_parquet(tmp_path / "a.parquet")
    assert scan(tmp_path, "4711").found == ()


@pytest.mark.parametrize("users", [np.array(["4711", "7"]), np.array([4711, 7])], ids=["text", "integers"])
def test_an_array_of_ids_is_read(users, tmp_path):
    np.save(tmp_path / "users.npy", users)
    assert scan(tmp_path, "4711").found == ("users.npy",)


def test_a_data_base_is_read_by_column_where_its_pages_have_no_separators(tmp_path):
    with closing(sqlite3.connect(tmp_path / "runs.db")) as base, base:
        base.execute("CREATE TABLE tags (key TEXT, value TEXT, number INTEGER)")
        base.execute("INSERT INTO tags VALUES ('user', ?, 815)", (ID,))
    assert scan(tmp_path, ID).found == ("runs.db column tags.value",)
    assert scan(tmp_path, "815").found == ("runs.db column tags.number",)


def test_a_table_within_an_archive_is_decoded(tmp_path):
    table = io.BytesIO()
    pl.DataFrame({"user_id": [ID]}).write_parquet(table)
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("a.parquet", table.getvalue())
    assert scan(tmp_path, ID).found == ("d.zip member a.parquet column user_id",)


def test_packed_files_are_told_by_their_bytes(tmp_path):
    with pa.output_stream(str(tmp_path / "journal.1"), compression="zstd") as file:
        file.write(json.dumps({"user": ID}).encode())
    assert scan(tmp_path, ID).found == ("journal.1",)


def test_the_name_of_a_file_counts(tmp_path):
    (tmp_path / f"user={ID}").mkdir()
    (tmp_path / f"user={ID}" / "empty").touch()
    assert scan(tmp_path, ID).found == (f"user={ID}/empty name",)
