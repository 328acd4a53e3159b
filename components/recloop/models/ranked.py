"""What every recommender returns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ranked:
    """The best k items of n users, best first; short rows end in item 0 and score -inf."""

    items: NDArray[np.int32]  # [n, k] item codes
    scores: NDArray[np.float32]  # [n, k]
    origins: NDArray[np.uint8]  # [n, k] bit b set: candidate source b proposed it (0 where there is one source)
