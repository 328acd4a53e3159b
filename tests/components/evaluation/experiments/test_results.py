import numpy as np
import pytest

from recloop.config.experimenting import ExperimentsConfig
from recloop.evaluation.experiments.design import Design, Variant
from recloop.evaluation.experiments.guardrails import judge
from recloop.evaluation.experiments.results import results
from recloop.evaluation.experiments.tally import COLUMNS, Tally

DESIGN = Design(name="x", variants=(Variant(name="old"), Variant(name="new")), effect=0.1)
CONFIG = ExperimentsConfig(margin=0.2)


def tally(users, *, chance=0.3, seed=0, **changes):
    """Ten answers a user; each is hit by chance, with what is named in `changes` added in the new arm."""
    rng, made = np.random.default_rng(seed), Tally("x", hours=1)
    for arm, n in users.items():
        taste = rng.beta(6, 6 * (1 - chance) / chance, n)
        rows = np.zeros((n, len(COLUMNS)))
        rows[:, 0], rows[:, 3] = (
            10,
            rng.binomial(10, np.minimum(taste * (1 + changes.get("hits", 0.0) * (arm == "new")), 1)),
        )
        rows[:, 4] = rows[:, 3] + rng.poisson(1, n)
        rows[:, 5] = rows[:, 4] * rng.exponential(5, n)
        for name in {"empty", "failed", "slow"} & changes.keys():
            if arm == "new":
                rows[:, COLUMNS.index(name)] = rng.binomial(10, changes[name], n)
        made.rows[arm] = {f"{arm}{i}": row.tolist() for i, row in enumerate(rows)}
        made.past = getattr(made, "past", {}) | {f"{arm}{i}": float(t) for i, t in enumerate(taste)}
    return made


def judged(made, share=0.5):
    return judge(made, CONFIG, share=share, champion="old", canary="new")


def found(made, metric, **more):
    return next(c for c in results(made, DESIGN, **more).comparisons if c.metric == metric)


def test_a_better_variant_is_found_and_the_others_are_corrected_for():
    made = tally({"old": 3_000, "new": 3_000}, hits=0.15)
    own = found(made, "hits")
    assert own.verdict == "better"
    assert own.low < own.lift < own.high
    assert own.lift == pytest.approx(0.13, abs=0.05)
    assert results(made, DESIGN).sample_ratio > 0.05


def test_the_past_of_the_users_narrows_the_interval():
    made = tally({"old": 2_000, "new": 2_000})
    plain, better = found(made, "hits"), found(made, "hits", before=made.past)
    assert better.explained > 0.2
    assert better.high - better.low < plain.high - plain.low


def test_few_users_and_metrics_that_nobody_moved_say_nothing():
    assert found(tally({"old": 50, "new": 50}), "hits").verdict == "open"
    assert np.isnan(found(tally({"old": 200, "new": 200}), "clicks").lift)


def test_many_users_of_whom_few_did_something_say_nothing():
    assert found(tally({"old": 2_000, "new": 2_000}, chance=0.001), "hits").verdict == "open"
    assert np.isnan(found(tally({"old": 2_000, "new": 2_000}, chance=0.001), "hits").lift)


def test_a_variant_that_loses_everything_is_worse_though_nobody_in_it_did_anything():
    assert found(tally({"old": 400, "new": 400}, hits=-1.0), "hits").verdict == "worse"


def test_the_more_variants_the_wider_each_interval_and_the_deciding_metric_is_corrected_for_them_alone():
    made = tally({"old": 1_000, "new": 1_000, "newer": 1_000}, hits=0.1)
    variants = (*DESIGN.variants, Variant(name="newer"))
    both = [
        c for c in results(made, DESIGN.model_copy(update={"variants": variants})).comparisons if c.metric == "hits"
    ]
    alone = found(made, "hits")
    assert both[0].high - both[0].low > alone.high - alone.low
    assert alone.p_value <= both[0].p_value <= 2 * alone.p_value


def test_an_interleaved_preference_is_found_with_users_of_one_variant():
    made = tally({"old": 400, "new": 400})
    for row in made.rows["new"].values():
        row[8] = round(0.6 * row[3])
    variants = (DESIGN.variants[0], Variant(name="new", release="uri", interleave=True))
    design = Design(name="x", variants=variants, metric="preference", effect=0.1)
    own = next(c for c in results(made, design).comparisons if c.metric == "preference")
    assert own.verdict == "better"
    assert own.value == pytest.approx(0.6, abs=0.05)


def test_a_broken_split_shows():
    assert results(tally({"old": 2_500, "new": 2_000}), DESIGN).sample_ratio < 0.001


def test_a_canary_like_the_champion_is_promoted_once_enough_users_showed_it():
    few, many = judged(tally({"old": 120, "new": 120})), judged(tally({"old": 4_000, "new": 4_000}))
    assert few.fate == "running"
    assert many.fate == "promoted"
    assert "clicks" not in many.reason


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"hits": -0.4}, "hits"),
        ({"hits": -1.0}, "hits"),
        ({"empty": 0.3}, "empty_answers"),
        ({"failed": 0.05}, "errors"),
        ({"slow": 0.1}, "slow"),
    ],
)
def test_a_harmful_canary_is_rolled_back_for_what_it_harms(changes, name):
    own = judged(tally({"old": 600, "new": 600}, **changes))
    assert own.fate == "rolled_back"
    assert name in own.reason


def test_two_failures_are_enough():
    made = tally({"old": 600, "new": 1})
    made.rows["new"]["new0"] = [2.0, 0, 0, 0, 0, 0, 2.0, 0, 0]
    assert judged(made, share=0.002).fate == "rolled_back"


def test_a_canary_with_the_wrong_share_of_users_is_rolled_back():
    assert "were meant to be" in judged(tally({"old": 2_500, "new": 2_000})).reason


def test_a_canary_like_the_champion_is_hardly_ever_rolled_back_at_any_look():
    fates = [judged(tally({"old": 300, "new": 300}, seed=seed)).fate for seed in range(20)]
    assert "rolled_back" not in fates
