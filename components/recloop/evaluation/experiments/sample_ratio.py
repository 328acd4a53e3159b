"""Did the variants get the users that they were meant to get? If not, nothing else of an experiment can be trusted."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

from recloop.errors import BadData

F64 = NDArray[np.float64]
TRUST = 0.001
"""p-value below which the split is taken for broken (Fabijan et al. 2019)"""
WEIGHTS = (100.0, 10_000.0)
"""sums of the Dirichlet's parameters: one finds a broken split among hundreds of users, one a percent among many"""


def sequential(counts: F64, shares: F64) -> F64:
    """Users of each variant and planned shares -> p-values that may be watched all the time. [..., v], [v] -> [...]

    Dirichlet-multinomial against multinomial (Lindon and Malek 2022, equation 5), the mean over two priors: a mean of
    martingales is one. The least over the looks is valid.
    """
    _check(counts, shares)
    planned = shares / shares.sum()
    evidence = logsumexp([_log_evidence(counts, planned, weight) for weight in WEIGHTS], axis=0) - np.log(len(WEIGHTS))
    return np.asarray(np.exp(-np.maximum(evidence, 0.0)))


def _log_evidence(counts: F64, planned: F64, weight: float) -> F64:
    prior = weight * planned
    return np.asarray(_log_beta(counts + prior) - _log_beta(prior) - (counts * np.log(planned)).sum(axis=-1))


def _log_beta(parameters: F64) -> F64:
    return np.asarray(gammaln(parameters).sum(axis=-1) - gammaln(parameters.sum(axis=-1)))


def _check(counts: F64, shares: F64) -> None:
    if counts.shape[-1] != len(shares) or (shares <= 0).any():
        raise BadData(f"{counts.shape[-1]} variants were counted for the shares {shares.tolist()}; each is above 0.")
