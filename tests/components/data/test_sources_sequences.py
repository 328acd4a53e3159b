from datetime import UTC, datetime

import pytest

from recloop.config import DataConfig
from recloop.data.sources.collect import collect
from recloop.errors import BadData


def collected(path):
    return collect(DataConfig(source="sequences", events=str(path)))


def test_a_line_is_a_user_and_items_a_day_apart(tmp_path):
    (tmp_path / "s.txt").write_text("u1 a b\n\nu2 b\n")
    events, items = collected(tmp_path / "s.txt")
    days = [datetime(2000, 1, n, tzinfo=UTC) for n in (1, 2, 1)]
    assert events.select("user_id", "item_id", "time").rows() == [
        ("u1", "a", days[0]),
        ("u1", "b", days[1]),
        ("u2", "b", days[2]),
    ]
    assert items["item_id"].to_list() == ["a", "b"]


@pytest.mark.parametrize(("text", "said"), [("u1 a\nu2\n", "line 2 names no item"), ("", "empty")])
def test_what_is_no_sequence_is_refused_by_its_line(tmp_path, text, said):
    (tmp_path / "s.txt").write_text(text)
    with pytest.raises(BadData, match=said):
        collected(tmp_path / "s.txt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadData, match="nothing at"):
        collected(tmp_path / "none.txt")
