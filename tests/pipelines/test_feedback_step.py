import json
from datetime import UTC, datetime, timedelta

import pytest

from recloop.artifacts import open_store
from recloop.config import load
from recloop.serving.segment import encode
from recloop_pipelines.console import steps
from recloop_pipelines.feedback import RECOMMENDED, attribute, decision_of
from recloop_pipelines.places import place, required
from recloop_pipelines.run import run
from recloop_pipelines.serve import segments
from recloop_pipelines.settings import opened, settings

OPENED = datetime(2024, 4, 15, tzinfo=UTC)
DAYS = 40


def journal(release):
    """An answer and its purchase each hour of the day; in the last five days everybody is shown one thing."""
    for n in range(DAYS * 8):
        day, hour = divmod(n, 8)
        time = (OPENED + timedelta(days=day, hours=9 + hour)).timestamp()
        items = ["p1", "p1"] if day >= DAYS - 5 else [f"p{(n * 7) % 40}", f"p{(n * 3) % 40}"]
        yield {
            "kind": "answer", "receipt_id": f"r{n}", "time": time, "user_id": f"c{n % 50}", "release": release,
            "generation": 1, "items": items, "scores": [2.0, 1.0], "origins": ["h", "h"], "policy": "top_k",
            "propensity": 1.0,
        }  # fmt: skip
        yield {
            "kind": "event", "event_id": f"new{n}", "user_id": f"c{n % 50}", "item_id": items[0], "event": "purchase",
            "time": time + 60, "price": 2.0, "quantity": 1.0,
        }  # fmt: skip


@pytest.mark.slow
def test_recommendations_that_narrow_are_in_the_artefact_and_call_for_training(shop):
    config = load(shop)
    with steps() as progress:
        run(config, name="first", steps=progress)
    digest = opened(required(config, "release"), kind="release").digest
    lines = b"".join(encode(record) for record in journal(digest))
    open_store(settings().store_uri).write(f"{segments(config)}00000001.log", lines)
    found = opened(attribute(config=config, out=place(config, "feedback", "first")), kind="feedback")
    told = json.loads((found.path / RECOMMENDED).read_text())
    assert (len(told["days"]), told["judged"]) == (DAYS, 7)
    assert {m["figure"] for m in told["moved"]} >= {"entropy", "leading"}
    (check,) = (c for c in decision_of(found)["checks"] if c["name"] == "recommended")
    assert check["calls"]
