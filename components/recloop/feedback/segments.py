"""Journal records -> answers and events as tables.

Record formats, written by `recloop.serving.journal`; times in seconds since the epoch, UTC:

    {"kind": "answer", "receipt_id", "time", "user_id" (null: anonymous), "release", "generation",
     "items": [ids], "scores": [floats], "origins": [names joined by "+"], "policy", "propensity",
     "request" (what was asked, without its defaults)}
    {"kind": "event", "event_id", "user_id", "item_id", "event", "time", "price", "quantity", "discount", "rating",
     "basket_id", "store_id", "flag" (only of an event that does not count: "bot" or "repeat")}

`time` of an answer is the moment that the request names, so that a replay of old days lies on its own days.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from recloop.columns import Columns
from recloop.data.events import EVENT_SCHEMA
from recloop.errors import BadData

ASKED, USUAL = "asked", "for_you"
"""the kind of request of an answer, and the one that a request need not name"""
ANSWER_SCHEMA = pl.Schema(
    {
        Columns.Receipt: pl.String(),
        Columns.User: pl.String(),
        Columns.Time: pl.Datetime("us", "UTC"),
        Columns.Release: pl.String(),
        "generation": pl.Int64(),
        "items": pl.List(pl.String()),
        "scores": pl.List(pl.Float64()),
        "origins": pl.List(pl.String()),
        "policy": pl.String(),
        Columns.Propensity: pl.Float64(),
        ASKED: pl.String(),
    }
)
"""One row an answer; the three lists are best first and of one length."""

REQUIRED = {
    "answer": (Columns.Receipt, Columns.Time, Columns.Release, "items"),
    "event": (Columns.EventId, Columns.User, Columns.Item, Columns.Event, Columns.Time),
}


def frames(records: Iterable[Mapping[str, Any]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Journal records -> (answers of ANSWER_SCHEMA, events of EVENT_SCHEMA), each sorted by time and id.

    A record that was journaled twice counts once, and one that is flagged not at all. Raises BadData: an unknown kind, or a
    required value is missing.
    """
    kinds: dict[str, list[Mapping[str, Any]]] = {"answer": [], "event": []}
    for record in records:
        kind = record.get("kind")
        if kind not in kinds:
            raise BadData(f"A journal record is of kind {kind!r}; the kinds are answer and event. Its writer is newer.")
        kinds[kind].append(record)
    asked = [{**record, ASKED: (record.get("request") or {}).get("kind", USUAL)} for record in kinds["answer"]]
    answers = _table(asked, ANSWER_SCHEMA, kind="answer", key=Columns.Receipt)
    sound = [record for record in kinds["event"] if not record.get("flag")]
    events = _table(sound, EVENT_SCHEMA, kind="event", key=Columns.EventId)
    return answers, events.with_columns(
        pl.col(Columns.Quantity).fill_null(1.0), pl.col(Columns.Discount).fill_null(0.0)
    )


def _table(records: Sequence[Mapping[str, Any]], schema: pl.Schema, *, kind: str, key: str) -> pl.DataFrame:
    raw = pl.from_dicts(records, schema={**schema, Columns.Time: pl.Float64()}, strict=False)
    lacking = {c: n for c in REQUIRED[kind] if (n := raw[c].null_count())}
    if lacking:
        counts = ", ".join(f"{n:,} without {c}" for c, n in lacking.items())
        raise BadData(
            f"Of {raw.height:,} {kind} records in the journal {counts}. They were not written by the service."
        )
    time = (pl.col(Columns.Time) * 1_000_000).round().cast(pl.Int64).cast(schema[Columns.Time])
    return raw.with_columns(time).unique(key, keep="first", maintain_order=True).sort(Columns.Time, key)
