"""Real baskets of days that the models have not seen -> the service: asked before each basket, told after it."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
import polars as pl

from recloop.columns import Columns
from recloop.errors import Unavailable

User, Item, Time, Basket = Columns.User, Columns.Item, Columns.Time, Columns.Basket
BATCH = 1000
"""events in one request at most"""
TRIES = 3
"""an events request is idempotent and sent again; a recommendation that fails is only counted"""
TAKEN = frozenset({200, 202})
AGAIN = frozenset({0, 429, 503})
"""0: no answer"""
JSON = {"content-type": "application/json"}
SENT = (
    Columns.EventId,
    User,
    Item,
    Columns.Event,
    Columns.Price,
    Columns.Quantity,
    Columns.Discount,
    Columns.Rating,
    Basket,
    Columns.Store,
)


@dataclass(frozen=True)
class Replay:
    """frame: one row a basket in time order: basket_id, user_id, time, receipt_id, release, generation, items, bought
    (distinct), hits, hit, recall (hits / min(k, bought)), failure, lost (events not acknowledged), rejected."""

    frame: pl.DataFrame
    events: int
    seconds: float

    @property
    def failed(self) -> int:
        """Recommendations that were not answered."""
        return int(self.frame["failure"].is_not_null().sum())

    @property
    def lost(self) -> int:
        """Events that were not acknowledged."""
        return int(self.frame["lost"].sum())

    def by_release(self) -> pl.DataFrame:
        """One row a release, in order of its first answer: baskets, users, first, last, hit_rate, recall."""
        answered = self.frame.filter(pl.col("failure").is_null())
        return (
            answered.group_by(Columns.Release, "generation")
            .agg(
                pl.len().alias("baskets"),
                pl.col(User).n_unique().alias("users"),
                pl.col(Time).min().alias("first"),
                pl.col(Time).max().alias("last"),
                pl.col("hit").mean().alias("hit_rate"),
                pl.col("recall").mean(),
            )
            .sort("first", "generation")
        )


@dataclass(frozen=True)
class Visit:
    """One basket, ready to send."""

    row: int
    user: str
    question: str
    batches: list[str]
    sizes: list[int]


def replay(
    events: pl.DataFrame,
    *,
    url: str,
    key: str | None,
    k: int,
    concurrency: int = 16,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Replay:
    """Canonical events -> Replay, each basket asked for and then reported, in order of time.

    Baskets of one user never overlap: each is asked for after the purchases of the one before are acknowledged. Events
    without a basket are baskets of their own. Raises Unavailable where the service does not answer at the start;
    failures after that are counted.
    """
    table = baskets(events, k=k)
    start = time.perf_counter()
    answers = asyncio.run(_run(table, url=url.rstrip("/"), key=key, concurrency=concurrency, progress=progress))
    seconds = time.perf_counter() - start
    return Replay(frame=_judged(table, answers, k), events=events.height, seconds=seconds)


def baskets(events: pl.DataFrame, *, k: int) -> pl.DataFrame:
    """Canonical events -> one row a basket by time: basket_id, user_id, time, question, batches, sizes, bought."""
    sent = pl.struct(*SENT, (pl.col(Time).dt.timestamp("us") / 1e6).alias(Time)).struct.json_encode()
    at = [Basket, User]
    batches = (
        events.with_columns(sent.alias("body"), pl.coalesce(Basket, Columns.EventId).alias(Basket))
        .sort(Time, Columns.EventId)
        .with_columns((pl.int_range(pl.len()).over(at) // BATCH).alias("batch"))
        .group_by(*at, "batch", maintain_order=True)
        .agg(pl.col("body").str.join(","), pl.len().alias("size"), pl.col(Item), pl.col(Time).min())
    )
    question = pl.struct(
        User, pl.lit(k).alias("k"), pl.struct((pl.col(Time).dt.timestamp("us") / 1e6).alias(Time)).alias("context")
    ).struct.json_encode()
    return (
        batches.group_by(*at, maintain_order=True)
        .agg(
            pl.col(Time).min(),
            (pl.lit('{"events":[') + pl.col("body") + pl.lit("]}")).alias("batches"),
            pl.col("size").alias("sizes"),
            pl.col(Item).explode().unique(maintain_order=True).alias("bought"),
        )
        .with_columns(question.alias("question"))
        .sort(Time, Basket, User)
    )


def _visits(table: pl.DataFrame) -> Iterator[Visit]:
    columns = table.select(User, "question", "batches", "sizes")
    for row, values in enumerate(columns.iter_rows()):
        yield Visit(row, *values)


async def _run(
    table: pl.DataFrame, *, url: str, key: str | None, concurrency: int, progress: Callable[[int, int], None]
) -> list[dict[str, Any]]:
    """Ask and tell every basket -> what came back, by row."""
    headers = JSON | ({"authorization": f"Bearer {key}"} if key else {})
    answers: list[dict[str, Any]] = [{}] * table.height
    last: dict[str, asyncio.Event] = {}
    visits = _visits(table)
    done = 0

    async def work(session: aiohttp.ClientSession) -> None:
        nonlocal done
        for visit in visits:
            before, mine = last.get(visit.user), asyncio.Event()
            last[visit.user] = mine
            if before is not None:
                await before.wait()
            answers[visit.row] = await _visit(session, url, visit)
            mine.set()
            if last[visit.user] is mine:
                del last[visit.user]
            done += 1
            progress(done, table.height)

    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(headers=headers, connector=connector, raise_for_status=False) as session:
        await _reach(session, url)
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(work(session))
    return answers


async def _reach(session: aiohttp.ClientSession, url: str) -> None:
    try:
        async with session.get(f"{url}/health") as response:
            await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable(
            f"The service {url} does not answer: {error}. Start it (`recloop up`) or set RECLOOP_SERVICE."
        ) from error


async def _visit(session: aiohttp.ClientSession, url: str, visit: Visit) -> dict[str, Any]:
    """Ask for one basket, then report it; nothing here raises for a failed request."""
    status, body = await _post(session, f"{url}/v1/recommendations", visit.question)
    answer = _answer(body) if status == 200 else {"failure": _failure(status, body)}
    lost = rejected = 0
    for batch, size in zip(visit.batches, visit.sizes, strict=True):
        for attempt in range(TRIES):
            status, body = await _post(session, f"{url}/v1/events", batch)
            if status not in AGAIN:
                break
            await asyncio.sleep(0.05 * (attempt + 1))
        if status in TAKEN:
            rejected += sum(r["status"] == "rejected" for r in orjson.loads(body)["results"])
        else:
            lost += size
    return answer | {"lost": lost, "rejected": rejected}


async def _post(session: aiohttp.ClientSession, url: str, body: str) -> tuple[int, bytes]:
    """(status, body); status 0 and the error's text where there was no answer."""
    try:
        async with session.post(url, data=body.encode()) as response:
            return response.status, await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        return 0, f"{type(error).__name__}: {error}".encode()


def _answer(body: bytes) -> dict[str, Any]:
    answer = orjson.loads(body)
    return {
        Columns.Receipt: answer["receipt_id"],
        Columns.Release: answer["release"],
        "generation": answer["generation"],
        "items": [item["item_id"] for item in answer["items"]],
    }


def _failure(status: int, body: bytes) -> str:
    return f"{status}: {body[:200].decode(errors='replace')}"


def _judged(table: pl.DataFrame, answers: list[dict[str, Any]], k: int) -> pl.DataFrame:
    schema = pl.Schema(
        {
            Columns.Receipt: pl.String(),
            Columns.Release: pl.String(),
            "generation": pl.Int64(),
            "items": pl.List(pl.String()),
            "failure": pl.String(),
            "lost": pl.Int64(),
            "rejected": pl.Int64(),
        }
    )
    hits = pl.col("items").list.head(k).list.set_intersection("bought").list.len().cast(pl.Int64)
    found = table.select(Basket, User, Time, "bought").hstack(pl.from_dicts(answers, schema=schema))
    return found.with_columns(hits.alias("hits")).with_columns(
        (pl.col("hits") > 0).alias("hit"),
        (pl.col("hits") / pl.col("bought").list.len().clip(upper_bound=k)).alias("recall"),
    )
