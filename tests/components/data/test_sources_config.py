from datetime import UTC, datetime, timedelta, timezone

import pytest

from recloop.columns import EVENT_COLUMNS, ITEM_COLUMNS
from recloop.config import DataConfig, QualityConfig, parse
from recloop.data.events import EVENT_SCHEMA
from recloop.data.items import ITEM_SCHEMA
from recloop.errors import BadConfig


def test_the_tables_have_the_columns_that_a_configuration_may_name():
    assert tuple(EVENT_SCHEMA) == EVENT_COLUMNS
    assert tuple(ITEM_SCHEMA) == ITEM_COLUMNS


def test_every_wrong_name_is_reported_at_once():
    data = {"columns": {"usr": "a"}, "item_columns": {"sku": "b"}, "timezone": "Mars", "event": "buy"}
    quality = {"allowance": {"stolen": 0.1}}
    with pytest.raises(BadConfig) as caught:
        parse({"scenario": "x", "data": data, "quality": quality}, name="x.yaml")
    assert "5 wrong keys" in str(caught.value)
    assert all(wrong in str(caught.value) for wrong in ("'usr'", "'sku'", "'Mars'", "'stolen'", "data.event"))


def test_an_allowance_is_a_share():
    with pytest.raises(ValueError, match="less than or equal to 1"):
        QualityConfig(allowance={"orphan_item": 2})


def test_a_moment_without_a_zone_is_utc():
    assert DataConfig(until="2017-10-09").until == datetime(2017, 10, 9, tzinfo=UTC)
    assert QualityConfig(earliest=datetime(2000, 1, 1)).earliest == datetime(2000, 1, 1, tzinfo=UTC)


def test_a_moment_with_a_zone_is_brought_to_utc():
    east = datetime(2017, 10, 9, 2, tzinfo=timezone(timedelta(hours=2)))
    assert DataConfig(until=east).until.isoformat() == "2017-10-09T00:00:00+00:00"
