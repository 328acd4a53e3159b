"""Did the variants get the users that they were meant to get? If not, nothing else of an experiment can be trusted."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import chisquare

from recloop.errors import BadData

F64 = NDArray[np.float64]
TRUST = 0.001
"""p-value below which the split is taken for broken (Fabijan et al. 2019)"""
WEIGHT = 10_000.0
"""sum of the Dirichlet's parameters: splits within about a percent of the planned one are looked for first"""


def chi_square(counts: F64, shares: F64) -> float:
    """Users of each variant and planned shares -> Pearson's p-value, for one look at the end. [v], [v]"""
    _check(counts, shares)
    total = counts.sum()
    if total == 0:
        return 1.0
    return float(chisquare(counts, total * shares / shares.sum()).pvalue)


def sequential(counts: F64, shares: F64) -> F64:
    """The same at every look: p-values that may be watched all the time. [..., v], [v] -> [...]

    Dirichlet-multinomial against multinomial (Lindon and Malek 2022, equation 5); the least over the looks is valid.
    """
    _check(counts, shares)
    planned = shares / shares.sum()
    prior = WEIGHT * planned
    evidence = _log_beta(counts + prior) - _log_beta(prior) - (counts * np.log(planned)).sum(axis=-1)
    return np.asarray(np.exp(-np.maximum(evidence, 0.0)))


def _log_beta(parameters: F64) -> F64:
    return np.asarray(gammaln(parameters).sum(axis=-1) - gammaln(parameters.sum(axis=-1)))


def _check(counts: F64, shares: F64) -> None:
    if counts.shape[-1] != len(shares) or (shares <= 0).any():
        raise BadData(f"{counts.shape[-1]} variants were counted for the shares {shares.tolist()}; each is above 0.")
