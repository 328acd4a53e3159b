"""Journal records -> the log of exploring answers, as policies are judged on (`recloop.bandits.slates`)."""

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from recloop.columns import Columns
from recloop.feedback.attribution import attribute
from recloop.feedback.segments import frames

Receipt, Item, Rank, Propensity = Columns.Receipt, Columns.Item, Columns.Rank, Columns.Propensity
SCHEMA = {
    Receipt: pl.String(),
    Columns.User: pl.String(),
    Item: pl.String(),
    Columns.Score: pl.Float64(),
    Rank: pl.Int64(),
    Propensity: pl.Float64(),
    "reward": pl.Float64(),
}


def explored(records: Iterable[Mapping[str, Any]], *, hours: float) -> pl.DataFrame:
    """Records -> one row a candidate of every answer that explored, sorted by answer and item.

    Columns of SCHEMA; rank, propensity and reward are null for what was not shown. reward: 1 where a purchase in the
    `hours` after belongs to the answer and the item (last touch), else 0.
    """
    told = list(records)
    pools = [_pool(record) for record in told if record["kind"] == "answer" and record.get("pool")]
    empty = pl.DataFrame(schema={name: kind for name, kind in SCHEMA.items() if name != "reward"})
    candidates = pl.concat([empty, *pools])
    bought = attribute(*frames(told), hours=hours).filter(pl.col(Columns.Position).is_not_null())
    hits = bought.select(Receipt, Item).unique().with_columns(pl.lit(1.0).alias("reward"))
    joined = candidates.join(hits, on=[Receipt, Item], how="left")
    reward = pl.when(pl.col(Rank).is_not_null()).then(pl.col("reward").fill_null(0.0))
    return joined.with_columns(reward.alias("reward")).select(*SCHEMA).sort(Receipt, Item)


def _pool(record: Mapping[str, Any]) -> pl.DataFrame:
    place = {item: n for n, item in enumerate(record["items"])}
    ranks = [place.get(item) for item in record["pool"]["items"]]
    chances = record["propensities"]
    return pl.DataFrame(
        {
            Receipt: record["receipt_id"],
            Columns.User: record["user_id"],
            Item: record["pool"]["items"],
            Columns.Score: record["pool"]["scores"],
            Rank: [None if n is None else n + 1 for n in ranks],
            Propensity: [None if n is None else chances[n] for n in ranks],
        },
        schema={name: SCHEMA[name] for name in (Receipt, Columns.User, Item, Columns.Score, Rank, Propensity)},
    )
