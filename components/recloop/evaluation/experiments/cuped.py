"""Less variance for the same users: what they did before the experiment explains part of what they do in it."""

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


def adjusted(values: F64, before: F64) -> tuple[F64, float]:
    """Metric and the same users' metric before -> the adjusted metric with the same mean, and the share of variance removed.

    All arms together: the slope is that of the pooled users (Deng et al. 2013, equation 4). [n], [n] -> [n]
    """
    spread = float(before.var()) if len(before) else 0.0
    total = float(values.var()) if len(values) else 0.0
    if not spread or not total:
        return values, 0.0
    slope = float(np.mean((values - values.mean()) * (before - before.mean()))) / spread
    better = values - slope * (before - before.mean())
    return better, 1.0 - float(better.var()) / total
