"""What always fresh personal habit would have answered: the season's level, against which a release ages."""

from datetime import datetime

import polars as pl

from recloop.columns import Columns

User, Item, Time = Columns.User, Columns.Item, Columns.Time
HALF_LIFE_DAYS = 60.0
ITEMS = pl.List(pl.String())


def control(answers: pl.DataFrame, history: pl.DataFrame, *, k: int) -> pl.DataFrame:
    """Answers and canonical events -> the same answers with each user's k most usual items; none without a past.

    Usual are the purchases before the week (from Monday) of the answer, each worth half after 60 days; ties by id. A
    holiday or a price round moves these answers' hit rate as it moves the release's, but they never grow old: the
    ratio of the two is the ageing of the release, net of the season.
    """
    dated = answers.with_columns(pl.col(Time).dt.truncate("1w").alias("week"))
    bought = history.filter(pl.col(Columns.Event) == "purchase").join(
        answers.select(User).unique(), on=User, how="semi"
    )
    nothing = pl.DataFrame(schema={User: pl.String(), "items": ITEMS, "week": answers.schema[Time]})
    usual = [_usual(bought, week, k) for week in dated["week"].unique().sort()]
    found = dated.drop("items").join(pl.concat([nothing, *usual]), on=[User, "week"], how="left", maintain_order="left")
    return found.with_columns(
        pl.col("items").fill_null(pl.lit([], ITEMS)), pl.lit(None, ITEMS).alias("origins")
    ).select(answers.columns)


def _usual(bought: pl.DataFrame, week: datetime, k: int) -> pl.DataFrame:
    """Purchases -> user_id, items (most usual first), week, of what came before the week."""
    days = (pl.lit(week) - pl.col(Time)).dt.total_seconds() / 86_400
    return (
        bought.filter(pl.col(Time) < week)
        .group_by(User, Item)
        .agg((0.5 ** (days / HALF_LIFE_DAYS)).sum().round(9).alias("weight"))
        .sort("weight", Item, descending=[True, False])
        .group_by(User, maintain_order=True)
        .agg(pl.col(Item).head(k).alias("items"))
        .with_columns(pl.lit(week, bought.schema[Time]).alias("week"))
    )
