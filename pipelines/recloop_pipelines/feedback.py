"""recommendations -> feedback -> events: what answers earned, and whether that calls for training."""

import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recloop.artifacts import Artifact, open_store, publishing
from recloop.config import Config
from recloop.errors import BadData
from recloop_pipelines.champion import champion
from recloop_pipelines.console import REPORT
from recloop_pipelines.ingest import folded_feedback
from recloop_pipelines.places import absolute, announce, required
from recloop_pipelines.serve import facts, segments
from recloop_pipelines.settings import opened, settings
from recloop_pipelines.source import collected

if TYPE_CHECKING:
    import polars as pl

    from recloop.feedback.report import Feedback

RECOMMENDED = "recommended.json"
"""what the serving release recommends from day to day"""


def attribute(*, config: Config, out: str) -> str | None:
    """journal -> feedback: purchases linked to answers, online metrics, decay, and the decision to train again.

    None where no sealed segment is new.
    """
    from recloop.feedback.recommended import recommended
    from recloop.feedback.report import feedback
    from recloop.feedback.retrain import ReleaseFacts, decide, new_item_share
    from recloop.feedback.segments import frames

    names = fresh_segments(config)
    if not names:
        return None
    serving = champion(config)
    if serving is None:
        raise BadData(f"{config.scenario} has a journal but no release: there is nothing to attribute to.")
    answers, events = frames(_records(names))
    past = _history(config)
    now = max(t for t in (events["time"].max(), answers["time"].max()) if isinstance(t, datetime))
    learnt = {digest: _moment(until) for digest, until in _learnt(config, answers, serving).items()}
    with publishing(out, kind="feedback", parents={"release": serving}, config={"segments": names}) as draft:
        found = feedback(answers, events, past, learnt, config.feedback, k=config.serving.k, now=now, seed=config.seed)
        found = found.of_groups(config.privacy.k)
        shown = recommended(*_answered(config, found, serving.digest), _catalogue(config), past["item_id"])
        recent = events.filter(events["time"] >= learnt[serving.digest])
        decision = decide(
            found.online,
            ReleaseFacts(
                release=serving.digest,
                learnt_until=learnt[serving.digest],
                new_events=recent.height,
                new_item_share=new_item_share(recent, _known(serving)),
                drift=_drift(_catalogue(config), past, events),
                moved=tuple(m.sentence for m in shown.moved) if shown.judged else None,
            ),
            config.feedback,
            now=now,
        )
        found.save(draft.path, decision, k=config.serving.k)
        shown.save(draft.path / RECOMMENDED)
        draft.metrics |= {"answers": answers.height, "events": events.height, "retrain": float(decision.retrain)}
    announce(config, "feedback", out)
    return out


def wake(*, config: Config, out: str, feedback: str = "") -> str | None:
    """feedback -> its URI where it calls for training, which wakes ingest_events; None where it does not."""
    del out
    uri = feedback or required(config, "feedback")
    return uri if decision_of(opened(uri, kind="feedback"))["retrain"] else None


def decision_of(made: Artifact) -> dict[str, Any]:
    """decision.json of a feedback artefact."""
    return dict(json.loads((made.path / "decision.json").read_text()))


def fresh_segments(config: Config) -> list[str]:
    """Sealed segments in the store whose events are not among the newest events yet, oldest first."""
    taken: set[str] = set()
    for path in folded_feedback(config):
        taken |= set(opened(absolute(path), kind="feedback").manifest.config["segments"])
    return [key for key in open_store(settings().store_uri).keys(segments(config)) if key not in taken]


def play(
    config: Config,
    *,
    since: datetime,
    until: datetime,
    k: int,
    change: "Callable[[pl.DataFrame], pl.DataFrame]" = lambda events: events,
) -> dict[str, Any]:
    """Replay the source's events of [since, until) against the service -> baskets, failures, hit rate by release.

    change: what happens to the events on their way to the service.
    """
    from recloop_pipelines.replay import replay

    events = change(future(config, since, until))
    tell = REPORT.get()
    found = replay(
        events,
        url=settings().service,
        key=settings().service_key or None,
        k=k,
        progress=lambda done, total: tell(f"{done:,} of {total:,} baskets", done / total),
    )
    by_release = found.by_release().to_dicts()
    return {
        "baskets": found.frame.height,
        "events": found.events,
        "failed_requests": found.failed,
        "lost_events": found.lost,
        "seconds": round(found.seconds, 1),
        "by_release": by_release,
    }


def future(config: Config, since: datetime, until: datetime) -> "pl.DataFrame":
    """Good events of the source in [since, until), which the scenario's `data.until` leaves out of training."""
    import polars as pl

    from recloop.data.events import reject

    raw, items = collected(config.data.model_copy(update={"until": until.replace(tzinfo=UTC)}))
    good, _ = reject(raw, items, config=config.quality, now=datetime.now(UTC))
    found = good.filter(pl.col("time") >= since.replace(tzinfo=UTC))
    if found.is_empty():
        raise BadData(f"{config.data.source} has no event from {since} to {until}; there is nothing to replay.")
    return found


def _records(names: list[str]) -> list[dict[str, Any]]:
    from recloop.serving.journal import read_segment

    store = open_store(settings().store_uri)
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            path = Path(folder) / "segment.log"
            store.download(name, path)
            found += read_segment(path)
    return found


def _history(config: Config) -> "pl.DataFrame":
    import polars as pl

    return pl.read_parquet(opened(required(config, "checked"), kind="checked").path / "events.parquet")


def _learnt(config: Config, answers: "pl.DataFrame", serving: Artifact) -> dict[str, int]:
    """Digest of each release that answered -> the moment until which it had learnt."""
    from recloop import ledger

    engine = ledger.connect(settings().database_url)
    places = {move.digest: move.release for move in ledger.moves(engine, config.scenario)}
    engine.dispose()
    digests = {*answers["release"].unique().to_list(), serving.digest}
    return {d: facts(opened(places[d], kind="release").path)["learnt_until"] for d in sorted(digests) if d in places}


def _known(serving: Artifact) -> "pl.Series":
    import polars as pl

    return pl.Series("item_id", json.loads((serving.path / "items.json").read_text()))


def _answered(config: Config, found: "Feedback", release: str) -> "tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]":
    """Answers, credited purchases and events of a release, of this period and of the periods before it."""
    import polars as pl

    folders = [opened(absolute(path), kind="feedback").path for path in folded_feedback(config)]
    parts = [
        (found.answers, found.attributed, found.events),
        *([pl.read_parquet(f / f"{name}.parquet") for name in ("answers", "attributed", "events")] for f in folders),
    ]
    answers, attributed, events = (pl.concat(frames, how="diagonal_relaxed") for frames in zip(*parts, strict=True))
    return answers.filter(pl.col("release") == release), attributed.filter(pl.col("release") == release), events


def _catalogue(config: Config) -> "pl.DataFrame":
    import polars as pl

    return pl.read_parquet(opened(required(config, "checked"), kind="checked").path / "items.parquet")


def _drift(items: "pl.DataFrame", past: "pl.DataFrame", events: "pl.DataFrame") -> float:
    """Largest population stability index between what was known and what came."""
    import polars as pl

    from recloop.data.profile import profile
    from recloop.quality.drift import drift

    nothing = past.head(0).with_columns(reason=pl.lit(None, pl.String))
    return float(drift(profile(past, nothing, items), profile(events, nothing, items)).worst[1])


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
