"""Bayesian linear regression on the last hidden layer of a network: Thompson sampling for deep models.

Riquelme, Tucker and Snoek 2018, "Deep Bayesian bandits showdown", section 3 (neural linear): the network gives the
representation, a conjugate regression with unknown noise gives the uncertainty. reward = z . beta + noise,
beta | s2 ~ N(m, s2 P^-1), s2 ~ InverseGamma(a, b). One posterior for all candidates (z of a pair of user and item), or one an
arm (z of a context). It is updated in any number of parts, with the same result, and needs numpy only.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from recloop import tensors
from recloop.errors import BadArtifact, BadData

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
BLOCK = 4096
"""rows whose outer products are held at once"""


@dataclass(frozen=True)
class NeuralLinear:
    """Sufficient statistics of `arms` regressions over d features; a constant feature is added to those given."""

    precision: F64  # [arms, d + 1, d + 1]
    moment: F64  # [arms, d + 1] sum of z * reward
    shape: F64  # [arms]
    rate: (
        F64  # [arms] b of the prior plus half the sum of squared rewards; what the fit explains is taken off on reading
    )

    @classmethod
    def prior(
        cls, d: int, *, arms: int = 1, strength: float = 1.0, shape: float = 3.0, rate: float = 1.0
    ) -> "NeuralLinear":
        """No row seen: mean 0, precision `strength`, noise of mean rate / (shape - 1)."""
        size = d + 1
        precision = np.broadcast_to(strength * np.eye(size), (arms, size, size)).copy()
        return cls(precision, np.zeros((arms, size)), np.full(arms, shape), np.full(arms, rate))

    @property
    def arms(self) -> int:
        """Regressions held."""
        return len(self.shape)

    def update(
        self,
        hidden: NDArray[np.floating],
        rewards: NDArray[np.floating],
        arms: I64 | None = None,
        *,
        seen: F64 | None = None,
    ) -> "NeuralLinear":
        """The posterior after more rows. hidden [m, d]; rewards [m]; arms [m] where there are several.

        seen: chance that a row was looked at (position bias), known: the reward is then seen * (z . beta). [m]
        """
        z = _with_constant(hidden)
        if z.shape[1] != self.precision.shape[1]:
            raise BadData(f"The rows have {z.shape[1] - 1} features, the posterior {self.precision.shape[1] - 1}.")
        if seen is not None:
            z = np.asarray(z * seen[:, None], dtype=np.float64)
        own = np.zeros(len(z), dtype=np.int64) if arms is None else arms
        y = np.asarray(rewards, dtype=np.float64)
        precision, moment = self.precision.copy(), self.moment.copy()
        for start in range(0, len(z), BLOCK):
            _add(precision, moment, z[start : start + BLOCK], y[start : start + BLOCK], own[start : start + BLOCK])
        counts = np.bincount(own, minlength=self.arms)
        squares = np.bincount(own, y**2, minlength=self.arms)
        return NeuralLinear(precision, moment, self.shape + counts / 2, self.rate + squares / 2)

    def discounted(self, share: float) -> "NeuralLinear":
        """Old rows count `share` as much from here on, above nothing: for a world that moves. The prior fades as they do."""
        return NeuralLinear(share * self.precision, share * self.moment, share * self.shape, share * self.rate)

    @property
    def mean(self) -> F64:
        """Posterior mean of beta. [arms, d + 1]"""
        return np.asarray(np.linalg.solve(self.precision, self.moment[:, :, None])[:, :, 0], dtype=np.float64)

    @property
    def noise(self) -> F64:
        """b of the posterior noise; above 0 whatever the rounding. [arms]"""
        explained = 0.5 * np.einsum("ad,ad->a", self.moment, self.mean)
        return np.asarray(np.maximum(self.rate - explained, 1e-12), dtype=np.float64)

    def scores(self, hidden: NDArray[np.floating]) -> F64:
        """Mean reward: [n, c, d] of candidates -> [n, c] with one regression; [n, d] of contexts -> [n, arms] with several."""
        found: F64 = self._read(hidden, self.mean[None])[0]
        return found

    def draws(self, hidden: NDArray[np.floating], samples: int, rng: np.random.Generator) -> F64:
        """Scores under `samples` draws of s2 and beta, the same draws for every row. [samples, n, c or arms]"""
        variance = self.noise / rng.gamma(self.shape, size=(samples, self.arms))
        lower = np.linalg.cholesky(self.precision)  # P = L L', so L'^-1 e has covariance P^-1
        normal = rng.standard_normal((self.arms, self.mean.shape[1], samples))
        spread = np.linalg.solve(lower.transpose(0, 2, 1), normal).transpose(2, 0, 1)  # [samples, arms, d + 1]
        return self._read(hidden, np.asarray(self.mean + np.sqrt(variance)[:, :, None] * spread))

    def _read(self, hidden: NDArray[np.floating], beta: F64) -> F64:
        z = np.asarray(hidden, dtype=np.float64)
        weights, constant = beta[:, :, :-1], beta[:, :, -1]
        if z.ndim == 3:
            found = np.einsum("ncd,sd->snc", z, weights[:, 0], optimize=True) + constant[:, :, None]
        else:
            found = np.einsum("nd,sad->sna", z, weights, optimize=True) + constant[:, None, :]
        return np.asarray(found, dtype=np.float64)

    def save(self, path: Path) -> None:
        """Write the statistics as safetensors."""
        tensors.save({name: getattr(self, name) for name in self.__dataclass_fields__}, path)

    @classmethod
    def load(cls, path: Path) -> "NeuralLinear":
        """Read what `save` wrote. Raises BadArtifact for another file."""
        found = load_file(path)
        missing = [name for name in cls.__dataclass_fields__ if name not in found]
        if missing:
            raise BadArtifact(f"{path.name} is no posterior: it lacks {', '.join(missing)}. Fit it again.")
        return cls(**{name: found[name] for name in cls.__dataclass_fields__})


def _with_constant(hidden: NDArray[np.floating]) -> F64:
    z = np.asarray(hidden, dtype=np.float64)
    return np.concatenate([z, np.ones((*z.shape[:-1], 1))], axis=-1)


def _add(precision: F64, moment: F64, z: F64, y: F64, arms: I64) -> None:
    """Add rows to the statistics in place."""
    if len(precision) == 1:
        precision[0] += z.T @ z
        moment[0] += z.T @ y
        return
    order = np.argsort(arms, kind="stable")
    found, starts = np.unique(arms[order], return_index=True)
    z, y = z[order], y[order]
    precision[found] += np.add.reduceat(z[:, :, None] * z[:, None, :], starts, axis=0)
    moment[found] += np.add.reduceat(z * y[:, None], starts, axis=0)
