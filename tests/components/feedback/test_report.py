from datetime import UTC, datetime, timedelta

import polars as pl

from recloop.config import FeedbackConfig
from recloop.feedback.report import feedback
from recloop.feedback.retrain import ReleaseFacts, decide
from recloop.feedback.segments import frames

START = 1_500_000_000


def journal():
    for n in range(60):
        user, time, release = f"u{n % 6}", START + n * 43_200, "A" if n < 40 else "B"
        yield {
            "kind": "answer", "receipt_id": f"r{n:02}", "time": time, "user_id": user, "release": release,
            "generation": 1, "items": ["a", "b"], "scores": [2, 1], "origins": ["h", "h"], "policy": "top_k",
            "propensity": 1.0,
        }  # fmt: skip
        yield {
            "kind": "event", "event_id": f"e{n:02}", "user_id": user, "item_id": "abz"[n % 3], "event": "purchase",
            "time": time, "price": 2, "quantity": 1,
        }  # fmt: skip


def write(folder):
    folder.mkdir()
    now = datetime.fromtimestamp(START, UTC) + timedelta(days=40)
    learnt = {"A": datetime.fromtimestamp(START, UTC), "B": datetime.fromtimestamp(START, UTC) + timedelta(days=20)}
    config = FeedbackConfig(bootstrap=100)
    answers, events = frames(journal())
    found = feedback(answers, events, events.head(20), learnt, config, k=10, now=now, seed=3)
    facts = ReleaseFacts("B", learnt["B"], new_events=60, new_item_share=0.3, drift=None)
    found.save(folder, decide(found.online, facts, config, now=now), k=10)
    return found


def test_the_artefact_holds_every_file(tmp_path):
    write(tmp_path / "a")
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [
        "answers.parquet", "attributed.parquet", "decay.png", "decision.json", "events.parquet", "online.json",
        "weeks.png",
    ]  # fmt: skip


def test_the_same_journal_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_the_tables_can_be_read_back(tmp_path):
    found = write(tmp_path / "a")
    assert pl.read_parquet(tmp_path / "a" / "answers.parquet").equals(found.answers)
    assert pl.read_parquet(tmp_path / "a" / "attributed.parquet").height == 60
