"""Six bots push an item: what its popularity and its co-counts gain, with the service's flags and without.

python benchmarks/abuse.py [--json] [--quick] [--out FILE]

Needs a home (RECLOOP_HOME) with a release of configs/retail.yaml. A service of its own runs on it, with a page's key that
everybody may read. Each bot has an address of its own (127.0.0.11, .12, ...), and sends purchases of the attacked item and
of the shop's best seller, dated over the last 28 days. Two kinds of attack: `users`, where a bot stays one user, and
`crowd`, where it calls itself a new user each time. The events that were journaled are then learnt from as the next
training would: purchases of the last 28 days, and the item-kNN of visits.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import polars as pl
from contract import given, parser
from rich.console import Console
from rich.table import Table

from recloop.client import Client, Event
from recloop.config import CandidatesConfig, SplitConfig
from recloop.data.split import build
from recloop.feedback.segments import frames
from recloop.models.item_knn import fit_item_knn
from recloop.models.task import past_of
from recloop.serving.journal import ACTIVE, read_segment
from recloop.serving.keyring import add
from recloop_pipelines.places import configuration, required
from recloop_pipelines.settings import opened

ROOT = Path(__file__).parents[1]
BOTS, DAYS, DAY = 6, 28, 86_400
PEOPLE = Console(stderr=True)


def main():
    asked = parser(__doc__).parse_args()
    found = measured(rounds=20 if asked.quick else 200)
    given(found, asked, lambda: shown(found))


def measured(*, rounds):
    """The whole run: rounds of each bot -> figures."""
    checked = opened(required(configuration(str(ROOT / "configs/retail.yaml")), "checked"), kind="checked").path
    events, items = (pl.read_parquet(checked / f"{name}.parquet") for name in ("events", "items"))
    target, best = chosen(events)
    end = events["time"].max().timestamp()
    found = {"bots": BOTS, "rounds": rounds, "item": target, "best_seller": best, "before": None, "attacks": []}
    for kind in ("users", "crowd"):
        PEOPLE.print(f"attack of {kind} ...")
        records = attacked(kind, target=target, best=best, end=end, rounds=rounds)
        taken = [record for record in records if record["kind"] == "event"]
        bare = [{name: value for name, value in record.items() if name != "flag"} for record in taken]
        found["before"] = found["before"] or standing(events, items, [], target, best)
        found["attacks"].append(
            {
                "attack": kind,
                "events": len(taken),
                "flagged": sum("flag" in record for record in taken),
                "without_flags": standing(events, items, bare, target, best),
                "with_flags": standing(events, items, taken, target, best),
            }
        )
    return found


def chosen(events):
    """An item of the middle of the shop, and its best seller."""
    sold = recent(events)["item_id"].value_counts().sort("count", "item_id", descending=True)
    return sold["item_id"][sold.height // 2], sold["item_id"][0]


def recent(events):
    """Purchases of the last 28 days."""
    start = events["time"].max().timestamp() - DAYS * DAY
    return events.filter((pl.col("event") == "purchase") & (pl.col("time").dt.epoch("s") >= start))


@contextmanager
def serving():
    """A service on the home's release with a page's key -> its url, that key, its journal's folder."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        door.close()  # free again, for the service
        secret = add(Path(folder) / "keys.json", "page", ("write",), public=True)
        words = ["serve", "--scenario", str(ROOT / "configs/retail.yaml"), "--port", str(port), "--journal"]
        process = subprocess.Popen(
            [sys.executable, "-m", "recloop_pipelines", *words, f"{folder}/journal"],
            env=os.environ | {"RECLOOP_KEYS": f"{folder}/keys.json"},
        )
        try:
            with Client(url := f"http://127.0.0.1:{port}") as client:
                while not ready(client):
                    time.sleep(0.5)
            yield url, secret, Path(folder) / "journal"
        finally:
            process.terminate()
            process.wait()


def ready(client):
    try:
        return client.health()["ready"]
    except ConnectionError:
        return False


def attacked(kind, *, target, best, end, rounds):
    """What the journal holds after the attack."""
    with serving() as (url, secret, journal):
        for bot in range(BOTS):
            route = httpx.HTTPTransport(local_address=f"127.0.0.{11 + bot}")
            with Client(url, key=secret, transport=route) as client:
                client.send(
                    [purchase for n in range(rounds) for purchase in visit(kind, bot, n, rounds, end, target, best)]
                )
        return read_segment(journal / ACTIVE)


def visit(kind, bot, n, rounds, end, *bought):
    """One basket of a bot, dated somewhere in the last 28 days."""
    user = f"bot-{bot}" if kind == "users" else f"bot-{bot}-{n}"
    moment = end - 1 - DAYS * DAY * n / rounds
    return [Event(user_id=user, item_id=item, event="purchase", time=moment, price=1.0) for item in bought]


def standing(events, items, records, target, best):
    """Popularity and co-counts of the item after learning from what was journaled."""
    more = frames(records)[1]
    known = pl.concat([events, more], how="diagonal_relaxed") if more.height else events
    counts = dict(recent(known)["item_id"].value_counts().iter_rows())
    return {
        "purchases_28_days": counts[target],
        "popularity_rank": 1 + sum(count > counts[target] for count in counts.values()),
        "rank_beside_best_seller": neighbour(known, items, target, best),
    }


def neighbour(known, items, target, best):
    """Place of the item among what is bought together with the best seller; None beyond the neighbours kept."""
    after = known["time"].max() + timedelta(days=DAYS, seconds=1)
    data = build(known, items, SplitConfig(test_days=DAYS), end=after)
    counts = CandidatesConfig()
    codes = data.items.codes
    knn = fit_item_knn(
        past_of(data, data.test), n_codes=len(codes) + 1, neighbours=counts.neighbours, half_life=counts.half_life_days
    )
    nearest = knn.neighbours[codes[best]].tolist()
    return nearest.index(codes[target]) + 1 if codes[target] in nearest else None


def shown(found):
    """A table for people."""
    table = Table(
        "", "events", "flagged", "purchases, 28 days", "popularity rank", "rank beside the best seller", box=None
    )
    rows = [("before", "", "", found["before"])]
    for attack in found["attacks"]:
        sizes = f"{attack['events']:,}", f"{attack['flagged']:,}"
        rows += [
            (f"{attack['attack']}, {name.replace('_', ' ')}", *sizes, attack[name])
            for name in ("without_flags", "with_flags")
        ]
    for name, sent, flagged, at in rows:
        place = at["rank_beside_best_seller"]
        table.add_row(
            name, sent, flagged, f"{at['purchases_28_days']:,}", f"{at['popularity_rank']:,}", str(place or "none")
        )
    PEOPLE.print(table)


if __name__ == "__main__":
    main()
