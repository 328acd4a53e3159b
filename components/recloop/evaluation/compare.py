"""Dataset and model folders -> scorecard."""

from pathlib import Path

import polars as pl

from recloop.config import Config
from recloop.data.dataset import Dataset
from recloop.data.truth import Truth
from recloop.data.windows import DAY
from recloop.evaluation.calibration import Bin, calibration
from recloop.evaluation.metrics import hits
from recloop.evaluation.protocol import Protocol
from recloop.evaluation.scorecard import CHAMPION, DAYS_SEEN, MODEL, Scorecard, score
from recloop.evaluation.slices import slices_of
from recloop.models.baselines import fit_baselines
from recloop.models.fit import Progress
from recloop.models.ranked import Ranked, Recommender
from recloop.models.served import Served
from recloop.models.task import Task, past_of


def compare(
    dataset: Path,
    model: Path,
    *,
    champion: tuple[Path, str] | None,
    config: Config,
    facts: dict[str, float],
    progress: Progress,
) -> tuple[Scorecard, pl.DataFrame]:
    """Model folder against the champion's (folder, digest) and the tuned baselines -> Scorecard, one row a user and model.

    The champion ranks with the statistics that it serves with, and with the same fresh histories as everyone.
    """
    data = Dataset.load(dataset)
    truth = data.truth(data.test)
    past = past_of(data, data.test, truth.users)
    own = Served.load(model, threads=config.trainer.threads)
    baselines, tuned = fit_baselines(_task(data, model, config), config.evaluation.baselines)
    models: dict[str, Served | Recommender] = {MODEL: own}
    if champion:
        models[CHAMPION] = Served.load(champion[0], threads=config.trainer.threads)
    models |= baselines
    ranked = {}
    for n, (name, recommender) in enumerate(models.items()):
        progress(f"ranking by {name}", n / len(models))
        # the champion knows fewer items where the vocabulary has grown since
        every, new = recommender.recommend_twice(past.within(recommender.n_codes), k=config.evaluation.k)
        ranked[name] = {"all": every, "new": new}
    return score(
        ranked,
        truth,
        popularity=own.statistics.pop,
        slices=slices_of(past.lengths, own.statistics.pop, data.catalogue),
        protocol=_protocol(data, config),
        config=config.evaluation,
        metric=config.gate.metric,
        seed=config.seed,
        facts=facts | tuned | _seen(data, own),
        champion=champion[1] if champion else None,
        calibration=_calibration(own, ranked[MODEL]["all"], truth),
    )


def _task(data: Dataset, model: Path, config: Config) -> Task:
    """What the baselines learn from: everything before the test. They write nothing."""
    return Task(
        dataset=data,
        cut=data.test,
        config=config.model,
        trainer=config.trainer,
        seed=config.seed,
        out=model,
        work=model,
    )


def _seen(data: Dataset, model: Served) -> dict[str, float]:
    """Nothing where an old model does not say up to when it learnt."""
    if model.learnt_until is None:
        return {}
    return {DAYS_SEEN: max(0, model.learnt_until - data.test.as_of) / DAY}


def _calibration(model: Served, ranked: Ranked, truth: Truth) -> tuple[Bin, ...]:
    """What the model said of the items that it would show, against what was taken in the test window.

    Nothing of a model whose scores are no log-odds.
    """
    if not model.model.log_odds:
        return ()
    shown = ranked.items > 0
    return calibration(ranked.scores[shown], hits(ranked.items, truth.rows, truth.items)[shown])


def _protocol(data: Dataset, config: Config) -> Protocol:
    test = data.test
    return Protocol(
        kind=data.split.kind,
        start=int(test.start.min()),
        end=data.split.end,
        k=config.evaluation.k,
        min_item_events=config.split.min_item_events,
    )
