"""The feedback artefact: everything learnt from the answers of a period, in one folder."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from recloop.columns import Columns
from recloop.config import FeedbackConfig
from recloop.feedback import plots
from recloop.feedback.attribution import attribute, outcomes
from recloop.feedback.control import control
from recloop.feedback.online_metrics import Online, measure
from recloop.feedback.retrain import Decision


@dataclass(frozen=True)
class Feedback:
    """Answers and events of a period, which purchase belongs to which answer, and what the releases were worth."""

    answers: pl.DataFrame
    events: pl.DataFrame
    attributed: pl.DataFrame
    outcomes: pl.DataFrame
    online: Online

    def of_groups(self, k: int) -> "Feedback":
        """The same, whose online metrics tell nothing of groups of fewer than k users."""
        return replace(self, online=self.online.of_groups(k))

    def save(self, folder: Path, decision: Decision, *, k: int) -> None:
        """Write answers, events and attributed (.parquet), online.json, decision.json, weeks.png and decay.png."""
        for name in ("answers", "events", "attributed"):
            getattr(self, name).write_parquet(folder / f"{name}.parquet")
        self.online.save(folder / "online.json")
        decision.save(folder / "decision.json")
        plots.draw(self.online, self.outcomes, folder, k=k)


def feedback(
    answers: pl.DataFrame,
    events: pl.DataFrame,
    history: pl.DataFrame,
    learnt: dict[str, datetime],
    config: FeedbackConfig,
    *,
    k: int,
    now: datetime,
    seed: int,
) -> Feedback:
    """Answers and events (of `segments.frames`) -> Feedback as it stands at `now`, judged on the first k items.

    `history`: canonical events of before (those of the period may be among them), for the control.
    `learnt` maps each release to the moment until which it had learnt.
    """
    hours = config.attribution_hours
    attributed = attribute(answers, events, hours=hours)
    past = pl.concat([history, events]).unique(Columns.EventId, keep="first", maintain_order=True)
    habit = control(answers, past, k=k)
    came, usual = (
        outcomes(shown, found, k=k, hours=hours, until=now)
        for shown, found in ((answers, attributed), (habit, attribute(habit, events, hours=hours)))
    )
    came = came.join(
        usual.select(Columns.Receipt, pl.col("hits").alias("control_hits")), on=Columns.Receipt, maintain_order="left"
    )
    return Feedback(answers, events, attributed, came, measure(came, learnt, config, seed=seed))
