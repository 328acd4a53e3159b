"""Histories -> training batches of the sequence models.

Every draw is a function of (seed, epoch, step), so that a resumed fit sees what an uninterrupted one does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recloop.config import SequenceConfig
from recloop.data.histories import Histories
from recloop.models.context import context_of


class Batch(NamedTuple):
    """One step's sequences on one device."""

    step: int
    items: Tensor  # [batch, length] codes, padded at the end with 0
    targets: Tensor  # [batch, length] codes, 0 where nothing is to be foretold
    negatives: Tensor  # [m] codes, the same on every device
    times: Tensor  # [batch, length] seconds since the row's first event
    lengths: Tensor  # [batch] places that are not padding
    context: Tensor  # [batch, length, kinds of context] codes, 0 at padding and gaps
    positions: int  # targets in the whole step, over all devices


@dataclass(frozen=True)
class Sequences:
    """The batches of one fit: each epoch cuts every history anew into pieces of at most `config.length` events.

    The last event of a row is a target only, so every position of a piece has at least one event after it.
    """

    histories: Histories
    config: SequenceConfig
    epochs: int
    seed: int
    probability: NDArray[np.float64]  # [n_codes] of being drawn as a negative
    horizon: int = 1
    """targets are drawn from this many next events"""

    @property
    def steps(self) -> int:
        """Batches in all; 0 where no row has two events."""
        return int(self.edges[-1])

    def batches(self, start: int, *, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """Batches from a step on; device `rank` of `world` gets every world-th sequence of each."""
        for epoch in range(self.epochs):
            first, last = int(self.edges[epoch]), int(self.edges[epoch + 1])
            if start < last:
                groups = self._groups(epoch)
                for step in range(max(start, first), last):
                    yield self._batch(groups[step - first], step, rank, world)

    @cached_property
    def edges(self) -> NDArray[np.int64]:
        """First step of each epoch, and the end. [epochs + 1]"""
        batches = [-(-len(self._pieces(epoch)) // self.config.batch) for epoch in range(self.epochs)]
        return np.concatenate([[0], np.cumsum(batches)]).astype(np.int64)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Events of each row that may be in a piece. [rows]"""
        return np.maximum(self.histories.lengths - 1, 0)

    @cached_property
    def _cumulative(self) -> NDArray[np.float64]:
        return np.cumsum(self.probability)

    @cached_property
    def _context(self) -> NDArray[np.uint8]:
        """Of every event. [events, kinds]"""
        return context_of(self.histories, self.config.context)

    def _pieces(self, epoch: int) -> NDArray[np.int64]:
        """(first event, events, end of the row) of each piece; the cuts move from epoch to epoch. [pieces, 3]"""
        length, offsets, sizes = self.config.length, self.histories.offsets, self.sizes
        shift = np.random.default_rng([self.seed, epoch]).integers(0, length, len(sizes))
        counts = -(-(sizes + shift) // length)
        row = np.repeat(np.arange(len(sizes)), counts)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        low = np.maximum(nth * length - shift[row], 0)
        high = np.minimum((nth + 1) * length - shift[row], sizes[row])
        pieces: NDArray[np.int64] = np.stack([offsets[row] + low, high - low, offsets[row + 1]], axis=1)[high > low]
        return pieces

    def _groups(self, epoch: int) -> list[NDArray[np.int64]]:
        """The epoch's batches of pieces, in random order; neighbours in length share one, so that little is padded."""
        rng = np.random.default_rng([self.seed, epoch, 1])
        pieces = self._pieces(epoch)
        order = rng.permutation(len(pieces))
        order = order[np.argsort(pieces[order, 1], kind="stable")]
        groups = np.split(pieces[order], np.arange(self.config.batch, len(order), self.config.batch))
        return [groups[n] for n in rng.permutation(len(groups))]

    def _batch(self, pieces: NDArray[np.int64], step: int, rank: int, world: int) -> Batch:
        rng = np.random.default_rng([self.seed, step, 2])
        first, sizes, ends = pieces.T[:, :, None]  # [batch, 1] each
        place = np.arange(sizes.max())
        inside = place < sizes
        at = np.where(inside, first + place, first)  # [batch, length] event
        items, targets = self.drawn(at, inside, ends, rng)
        draws = np.searchsorted(
            self._cumulative, rng.random(self.config.negatives) * self._cumulative[-1], side="right"
        )
        mine = slice(rank, None, world)
        return Batch(
            step=step,
            items=_codes(items[mine]),
            targets=_codes(targets[mine]),
            negatives=_codes(draws),
            times=_codes((self.histories.times[at] - self.histories.times[first])[mine]),
            lengths=_codes(sizes[mine, 0]),
            context=_codes((self._context[at] * (items > 0)[:, :, None])[mine]),
            positions=int(np.count_nonzero(targets)),
        )

    def drawn(
        self, at: NDArray[np.int64], inside: NDArray[np.bool_], ends: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Events of a batch, which are real, ends of their rows -> items and what is foretold. [batch, length] both"""
        ahead = np.minimum(self.horizon, ends - 1 - at)
        targets = self.histories.items[at + 1 + (rng.random(at.shape) * ahead).astype(np.int64)]
        return np.where(inside, self.histories.items[at], 0), np.where(inside, targets, 0)


@dataclass(frozen=True)
class Gaps(Sequences):
    """Batches with gaps to fill (cloze, Sun et al. 2019): the item 0 before a row's end stands for a masked one.

    Each row has a gap; of some rows only the last item is one, as it is when the model is asked.
    """

    mask_share: float = 0.2

    LAST = 0.2
    """share of the rows whose only gap is the last item"""

    @property
    def sizes(self) -> NDArray[np.int64]:
        """All events of rows that have two. [rows]"""
        lengths = self.histories.lengths
        return np.where(lengths > 1, lengths, 0)

    def drawn(
        self, at: NDArray[np.int64], inside: NDArray[np.bool_], ends: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Items with gaps, and what fills them. [batch, length] both"""
        gaps = inside & (rng.random(at.shape) < self.mask_share)
        last = np.arange(at.shape[1]) == inside.sum(1, keepdims=True) - 1
        only = ~gaps.any(1, keepdims=True) | (rng.random((len(at), 1)) < self.LAST)
        gaps = np.where(only, last, gaps)
        items = self.histories.items[at]
        return np.where(inside & ~gaps, items, 0), np.where(gaps, items, 0)


def _codes(values: NDArray[np.integer]) -> Tensor:
    return torch.from_numpy(values.astype(np.int64))
