"""Simulated shoppers -> the running service, over HTTP as a shop's own pages would ask and tell."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import aiohttp

from recloop.config import Config
from recloop.errors import BadConfig, Unavailable
from recloop_pipelines.places import required
from recloop_pipelines.settings import opened, settings

if TYPE_CHECKING:
    import polars as pl

    from recloop.simulator.shop import Shop
    from recloop.simulator.shoppers import Shoppers, Traits

PERIOD = 28
"""days of real purchases that the shop is made of"""
DAY = 86_400
Plant = Mapping[tuple[str, str], float]
"""(experiment, variant) -> by how much more of what is shown its users buy"""


@dataclass
class Seen:
    """What happened, added up as it happens."""

    visits: int = 0
    failed: int = 0
    rejected: int = 0
    groups: dict[str, dict[str, float]] = field(default_factory=dict)
    """by release and by variant: visits, clicks, hits"""

    def add(self, names: list[str], clicks: int, hits: int) -> None:
        """One visit, under each name."""
        self.visits += 1
        for name in names:
            row = self.groups.setdefault(name, {"visits": 0, "clicks": 0, "hits": 0})
            for key, more in (("visits", 1), ("clicks", clicks), ("hits", hits)):
                row[key] += more


@dataclass(frozen=True)
class World:
    """Shoppers, the moment of their first day, and the real purchases that they are made after."""

    people: "Shoppers"
    start: datetime
    real: "pl.DataFrame"

    @cached_property
    def places(self) -> dict[str, int]:
        """Item -> its place in the shop."""
        return {name: n for n, name in enumerate(self.people.shop.items)}


def world(config: Config, traits: "Traits", *, calibrate: bool) -> World:
    """The scenario's newest checked events -> a shop like theirs, full of made-up people."""
    import polars as pl

    from recloop.simulator.likeness import calibrated
    from recloop.simulator.shop import recent, shop_of
    from recloop.simulator.shoppers import shoppers

    folder = opened(required(config, "checked"), kind="checked").path
    events, items = (pl.read_parquet(folder / f"{name}.parquet") for name in ("events", "items"))
    shop: Shop = shop_of(events, items, days=PERIOD)
    own = calibrated(shop, traits, days=PERIOD) if calibrate else traits
    real = recent(events, days=PERIOD)
    newest = real["time"].max()
    assert isinstance(newest, datetime)
    return World(shoppers(shop, own), newest, real)


def simulate(
    own: World,
    *,
    days: int,
    k: int,
    plant: Plant,
    first: int = 0,
    concurrency: int = 4,
    progress: Callable[[str, float], None],
) -> Seen:
    """Let everybody visit on `days` days from day `first` on -> Seen.

    Raises Unavailable where the service does not answer at the start.
    """
    return asyncio.run(_days(own, range(first, first + days), k, plant, concurrency, progress))


def likenesses(own: World) -> dict[str, dict[str, float]]:
    """Real shoppers and the simulated ones of themselves, over the same number of days."""
    from recloop.simulator.likeness import alone, beside, likeness

    return beside(likeness(own.real, days=PERIOD), likeness(alone(own.people, days=PERIOD), days=PERIOD))


def planted(words: list[str]) -> dict[tuple[str, str], float]:
    """`greedy:treatment:+5%` -> {(greedy, treatment): 0.05}. Raises BadConfig."""
    found = {}
    for word in words:
        try:
            experiment, variant, lift = word.split(":")
            found[experiment, variant] = float(lift.removesuffix("%")) / 100
        except ValueError:
            raise BadConfig(f"--plant {word} is not EXPERIMENT:VARIANT:+5%.") from None
    return found


async def _days(
    own: World, days: range, k: int, plant: Plant, concurrency: int, progress: Callable[[str, float], None]
) -> Seen:
    seen, gate = Seen(), asyncio.Semaphore(concurrency)
    key = settings().service_key
    headers = {"X-API-Key": key} if key else {}
    async with aiohttp.ClientSession(settings().service, headers=headers) as session:
        await _ready(session)
        for n, day in enumerate(days):
            progress(f"day {day + 1} of {days.stop}", n / len(days))
            visits = (_visit(session, gate, own, int(user), day, k, plant, seen) for user in own.people.visitors(day))
            await asyncio.gather(*visits)
    return seen


async def _ready(session: aiohttp.ClientSession) -> None:
    try:
        async with session.get("/health") as response:
            response.raise_for_status()
    except (aiohttp.ClientError, OSError) as error:
        raise Unavailable(
            f"The service at {settings().service} does not answer: {error}. Start it: recloop serve"
        ) from error


async def _visit(
    session: aiohttp.ClientSession,
    gate: asyncio.Semaphore,
    own: World,
    user: int,
    day: int,
    k: int,
    plant: Plant,
    seen: Seen,
) -> None:
    """Ask, look, click, buy what appeals and what was planned."""
    people, name = own.people, own.people.names[user]
    moment = own.start.timestamp() + DAY * (day + 1) + user
    async with gate:
        body = {"user_id": name, "k": k, "context": {"time": moment}}
        answer = await _sent(session, "/v1/recommendations", body)
        if answer is None:
            seen.failed += 1
            return
        shown = [own.places.get(item["item_id"], -1) for item in answer["items"]]
        variants = answer.get("experiments", {})
        lift = sum(plant.get(pair, 0.0) for pair in variants.items())
        clicks, hits = people.taken(user, day, shown, lift=lift)
        events = _events(own, user, day, moment, clicks, [*people.planned(user, day), *hits])
        told = await _sent(session, "/v1/events", {"events": events}) if events else {"results": []}
        seen.rejected += sum(one["status"] == "rejected" for one in (told or {"results": events})["results"])
        names = [f"release {answer['release'][:12]}", *(f"{one}: {variant}" for one, variant in variants.items())]
        seen.add(names, len(clicks), len(hits))


def _events(
    own: World, user: int, day: int, moment: float, clicks: list[int], bought: list[int]
) -> list[dict[str, Any]]:
    name, shop = own.people.names[user], own.people.shop
    kinds = [("click", place) for place in clicks] + [("purchase", place) for place in dict.fromkeys(bought)]
    return [
        {
            "event_id": f"{name}-{day}-{n}",
            "user_id": name,
            "item_id": shop.items[place],
            "event": kind,
            "time": moment + 1 + n,
            "price": round(float(shop.prices[place]), 2),
            "basket_id": f"{name}-{day}",
        }
        for n, (kind, place) in enumerate(kinds[:1000])
    ]


async def _sent(session: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> Any:
    """The answer, or None where there was none: what is refused for haste is asked once more."""
    for pause in (0.2, 1.0):
        try:
            async with session.post(path, json=body) as response:
                if response.ok:
                    return await response.json()
                if response.status not in {429, 503}:
                    return None
        except (aiohttp.ClientError, OSError):
            pass
        await asyncio.sleep(pause)
    return None
