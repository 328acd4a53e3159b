import pytest

from recloop.evaluation import plots
from recloop.evaluation.calibration import Bin
from recloop.evaluation.intervals import Estimate
from recloop.evaluation.plots import plot
from recloop.evaluation.protocol import Protocol
from recloop.evaluation.scorecard import Scorecard


def at(value):
    return Estimate(value, value - 0.01, value + 0.01, 100)


def model(all_, new):
    rest = {"coverage": at(0.5), "gini": at(0.5), "novelty": at(9.0)}
    return {"all": {"ndcg": at(all_), **rest}, "new": {"ndcg": at(new), **rest}}


CARD = Scorecard(
    protocol=Protocol(kind="temporal", start=0, end=1, k=10, min_item_events=1),
    users=100,
    # on new purchases the order is another than on all
    models={"model": model(0.4, 0.3), "popularity": model(0.1, 0.2), "item_knn": model(0.2, 0.1)},
    differences={"popularity": {"all": at(0.3), "new": at(0.1)}, "item_knn": {"all": at(0.2), "new": at(0.2)}},
    slices={"rare items": {"model": at(0.2), "popularity": at(0.1), "item_knn": at(-0.1)}},
    facts={},
    confidence=0.9,
    calibration=(Bin(0.1, 0.2, 10), Bin(0.8, 0.7, 10)),
)


def labelled(figure, axes):
    """Name on the shared axis -> figure written beside it."""
    names = {round(label.get_position()[1]): label.get_text() for label in figure.axes[0].get_yticklabels()}
    return {names[round(text.xy[1])]: float(text.get_text()) for text in axes.texts}


@pytest.mark.parametrize(("draw", "views"), [(plots._models, CARD.models), (plots._differences, CARD.differences)])
def test_every_figure_stands_beside_the_name_that_it_belongs_to(draw, views):
    figure = draw(CARD, "ndcg")
    figure.draw_without_rendering()
    for axes, view in zip(figure.axes, ("all", "new"), strict=True):
        estimates = {n: v[view] if draw is plots._differences else v[view]["ndcg"] for n, v in views.items()}
        assert labelled(figure, axes) == {name: e.value for name, e in estimates.items()}


def test_the_title_says_how_wide_the_intervals_are():
    assert "90% intervals" in plots._models(CARD, "ndcg").get_suptitle()


def test_plots_have_the_same_bytes_twice(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        plot(CARD, tmp_path / name, metric="ndcg")
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["calibration.png", "catalogue.png", "differences.png", "models.png", "slices.png"]
    assert all((tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names)


def test_a_scorecard_without_rivals_slices_or_calibration_is_drawn_too(tmp_path):
    bare = Scorecard(CARD.protocol, 1, {"model": CARD.models["model"]}, {}, {}, {})
    assert "calibration.png" not in [path.name for path in plot(bare, tmp_path, metric="ndcg")]
