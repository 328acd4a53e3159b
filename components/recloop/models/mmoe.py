"""The two-stage recommender that ranks by the value expected of several tasks (Ma et al. 2018): it is read as two stages."""

from pathlib import Path

from recloop.models.two_stage import TwoStage


class ByValue(TwoStage):
    """Two stages whose ranker says the log of the expected value, which ranks as the value does."""

    log_odds = False


def load(folder: Path, *, threads: int = 1) -> TwoStage:
    """Read a model folder."""
    return ByValue.load(folder, threads=threads)
