"""The stage that keeps to a request's own filters."""

import numpy as np
from numpy.typing import NDArray

from recloop.serving.stages import Question, Slate


class Asked:
    """Category, price and stock as the request names them."""

    name = "filters"

    def permits(self, question: Question) -> NDArray[np.bool_] | None:
        """Mask of the request's filters."""
        return question.serving.masks.of(question.ask.filters)

    def spare(self, question: Question) -> int:
        """Nothing beyond the k."""
        return 0

    def shape(self, question: Question, slate: Slate) -> Slate:
        """As it is."""
        return slate
