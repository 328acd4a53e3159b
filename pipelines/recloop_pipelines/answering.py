"""Journal and configuration -> the engine that answers, and the rules that it keeps to."""

from pathlib import Path
from typing import TYPE_CHECKING

from recloop.config import Config

if TYPE_CHECKING:
    from recloop.serving.engine import Engine
    from recloop.serving.journal import Journal
    from recloop.serving.rules.book import Rulebook
    from recloop.serving.traffic import Traffic


def answering(
    config: Config, journal: "Journal", rules: Path, traffic: "Traffic | None" = None
) -> "tuple[Engine, Rulebook]":
    """An engine that knows what the journal holds.

    rules: the folder of those that are put at run time. traffic: which users take part in experiments.
    """
    from recloop.serving.asked import Asked
    from recloop.serving.engine import Engine
    from recloop.serving.newcomers import Impressions
    from recloop.serving.rules.book import Rulebook
    from recloop.serving.rules.stage import Merchandising
    from recloop.serving.state import State
    from recloop.serving.trending import Trend

    shown, trend = Impressions(), Trend()
    stage = Merchandising(config.rules, shown)
    book = Rulebook(stage, rules)
    state = State(shown.watched(trend.watched(journal.replay())))
    stages = (Asked(), traffic, stage) if traffic else (Asked(), stage)
    engine = Engine(state, k=config.serving.k, max_k=config.serving.max_k, stages=stages, trend=trend)
    if traffic:
        engine.choose, engine.partner = traffic.choose, traffic.partner
    engine.observers.append(shown.observe)
    engine.preparations.append(stage.prepare)
    return engine, book
