"""Filters of a request: category, price, stock -> a mask of item codes."""

from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from recloop.serving.bundle import Bundle
from recloop.serving.schemas import Filters


class Masks:
    """Masks of one release; those of categories are remembered."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        # of the paths alone: one that knew this object would keep the release in memory after it served
        self.category = lru_cache(maxsize=512)(partial(_category, bundle.catalogue.categories))

    def of(self, filters: Filters) -> NDArray[np.bool_] | None:
        """Item codes that pass every filter; None where there is none to pass."""
        masks = []
        if filters.category:
            masks.append(self.category(filters.category))
        prices = self.bundle.model.statistics.price28
        if filters.min_price is not None:
            masks.append(prices >= filters.min_price)
        if filters.max_price is not None:
            masks.append(prices <= filters.max_price)
        if filters.in_stock is not None:
            masks.append(self._listed(filters.in_stock))
        return np.logical_and.reduce(masks) if masks else None

    def _listed(self, ids: list[str]) -> NDArray[np.bool_]:
        mask = np.zeros(len(self.bundle.items) + 1, dtype=bool)
        mask[[self.bundle.items.codes.get(name, 0) for name in ids]] = True
        return mask


def _category(paths: NDArray[np.str_], prefix: str) -> NDArray[np.bool_]:
    return np.asarray((paths == prefix) | np.char.startswith(paths, prefix + " > "))
