"""Ranking among sampled candidates: figures of another unit than those of the full catalogue, always labelled so.

Sampled metrics do not keep the order of models (Krichene and Rendle 2020): they are for comparison with papers only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recloop.errors import BadData

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Sampled:
    """One positive and the same number of negatives for each of n users.

    A positive that is drawn among its own negatives is left out there, as where scores are held by item (He et al. 2017).
    """

    positives: NDArray[np.int32]  # [n] item codes
    negatives: NDArray[np.int32]  # [n, m] item codes

    def __post_init__(self) -> None:
        if len(self.positives) != len(self.negatives):
            raise BadData(
                f"{len(self.positives):,} positives stand beside negatives of {len(self.negatives):,} users; give one row "
                "of negatives for each positive."
            )

    @property
    def candidates(self) -> str:
        """What a Protocol says of the candidates: 1 + m sampled."""
        return f"1 + {self.negatives.shape[1]} sampled"

    @property
    def repeated(self) -> int:
        """Rows whose positive is among its negatives."""
        return int((self.negatives == self.positives[:, None]).any(axis=1).sum())


def sampled_metrics(scores: NDArray[np.float32], sampled: Sampled, *, k: int) -> dict[str, F64]:
    """Scores of every item [n, n_codes] -> hit rate and NDCG at k among the candidates, expected over random ties. [n] each"""
    rows = np.arange(len(scores))
    own = scores[rows, sampled.positives][:, None]
    others = scores[rows[:, None], sampled.negatives]
    other = sampled.negatives != sampled.positives[:, None]
    above = ((others > own) & other).sum(axis=1)
    tied = ((others == own) & other).sum(axis=1)
    return expected(above, tied, k=k)


def full_metrics(
    scores: NDArray[np.float32], positives: NDArray[np.int32], seen: NDArray[np.bool_], *, k: int
) -> dict[str, F64]:
    """The same positives among every item that the user has not seen [n, n_codes], expected over random ties. [n] each"""
    rows = np.arange(len(scores))
    own = scores[rows, positives][:, None]
    other = ~seen
    other[:, 0] = False
    other[rows, positives] = False
    return expected(((scores > own) & other).sum(axis=1), ((scores == own) & other).sum(axis=1), k=k)


def expected(above: NDArray[np.int64], tied: NDArray[np.int64], *, k: int) -> dict[str, F64]:
    """Candidates above and level with the positive -> its metrics, where each place among the tied is as likely. [n] each"""
    gain = 1 / np.log2(np.arange(k) + 2)
    sums = np.concatenate([[0.0], np.cumsum(gain)])
    first, last = np.minimum(above, k), np.minimum(above + tied + 1, k)
    return {"hit_rate": (last - first) / (tied + 1), "ndcg": (sums[last] - sums[first]) / (tied + 1)}
