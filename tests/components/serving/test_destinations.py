import polars as pl
import pytest
import sqlalchemy as sa

from recloop.errors import BadConfig
from recloop.serving.destinations import destination

TYPES = {"rank": pl.Int32, "score": pl.Float32}
BLOCKS = [
    pl.DataFrame({"user_id": [f"u{n}"] * 2, "rank": [1, 2], "score": [0.5, 0.25]}, schema_overrides=TYPES)
    for n in range(3)
]
WHOLE = pl.concat(BLOCKS)
READS = {
    "lists.parquet": pl.read_parquet,
    "lists.csv": lambda path: pl.read_csv(path, schema=WHOLE.schema),
    "shop.db": lambda path: pl.read_database("select * from best", sa.create_engine(f"sqlite:///{path}")).cast(
        WHOLE.schema
    ),
}


def address(path):
    return f"sqlite:///{path}#best" if path.suffix == ".db" else str(path)


def put(path, blocks):
    with destination(address(path)) as write:
        for block in blocks:
            write(block)


@pytest.mark.parametrize("name", READS)
def test_blocks_are_one_table_in_order(tmp_path, name):
    put(tmp_path / "new" / name if name != "shop.db" else tmp_path / name, BLOCKS)
    found = tmp_path / "new" / name if name != "shop.db" else tmp_path / name
    assert READS[name](found).equals(WHOLE)


@pytest.mark.parametrize("name", READS)
def test_what_was_there_is_replaced(tmp_path, name):
    put(tmp_path / name, BLOCKS)
    put(tmp_path / name, BLOCKS[1:2])
    assert READS[name](tmp_path / name).equals(BLOCKS[1])


@pytest.mark.parametrize("name", READS)
def test_what_was_there_stays_where_writing_fails(tmp_path, name):
    def failing():
        yield BLOCKS[1]
        raise ZeroDivisionError

    put(tmp_path / name, BLOCKS)
    with pytest.raises(ZeroDivisionError):
        put(tmp_path / name, failing())
    assert READS[name](tmp_path / name).equals(WHOLE)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("to", ["lists.xlsx", "nothing://x", "sqlite:///x.db#drop table"])
def test_any_other_address_is_refused(to):
    with pytest.raises(BadConfig, match=r"no name of a table|neither|no address"), destination(to):
        pass
