"""Copied questions answered by another release beside the request path: how alike are the answers, how fast, how sound."""

import queue
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from recloop.serving.engine import Engine
from recloop.serving.stages import Question, Serving

PLAIN = "top_k"
"""answers that explored are no measure of how alike two releases are"""
KEPT = 10_000
"""newest comparisons that the figures are of"""


@dataclass(frozen=True)
class Pair:
    """One question's two answers. overlap: share of the champion's items that the shadow shows too."""

    overlap: float
    same_first: bool
    champion_ms: float
    shadow_ms: float


class Shadow:
    """Observes the champion's answers and asks the shadow the same, one after another, in a thread of its own.

    share: of the questions that are copied. size: copies that may wait; more are dropped and counted, so a slow shadow
    costs nobody an answer. The model's part is compared: no stage shapes the shadow's list, and no shopper sees it.
    """

    def __init__(self, engine: Engine, serving: Serving, *, share: float, size: int, seed: int = 0) -> None:
        self.engine, self.serving, self.share = engine, serving, share
        self.rng = np.random.default_rng(seed)
        self.line: queue.Queue[tuple[Question, list[str], float] | None] = queue.Queue(size)
        self.pairs: deque[Pair] = deque(maxlen=KEPT)
        self.copied = self.dropped = self.failed = 0
        self.error = ""
        self.thread = threading.Thread(target=self._run, name="shadow", daemon=True)

    def start(self) -> None:
        """Begin to copy."""
        self.engine.observers.append(self.copy)
        self.thread.start()

    def stop(self) -> None:
        """Copy no more; what waits is left."""
        self.engine.observers.remove(self.copy)
        while self.thread.is_alive():
            try:
                self.line.put_nowait(None)
                break
            except queue.Full:
                self.line.get()
        self.thread.join(timeout=10)

    def copy(self, question: Question, answer: dict[str, Any]) -> None:
        """Queue one question with its answer; called after the answer is made, returns at once."""
        plain = question.ask.kind == "for_you" and answer["policy"] == PLAIN
        if not plain or self.rng.random() >= self.share:
            return
        spent = answer["milliseconds"]
        try:
            self.line.put_nowait((question, [item["item_id"] for item in answer["items"]], sum(spent.values())))
            self.copied += 1
        except queue.Full:
            self.dropped += 1

    def figures(self) -> dict[str, Any]:
        """What is known so far; latencies in milliseconds, of the last KEPT questions."""
        pairs = list(self.pairs)
        found = {"copied": self.copied, "dropped": self.dropped, "failed": self.failed, "error": self.error}
        if not pairs:
            return found
        return found | {
            "compared": len(pairs),
            "overlap": float(np.mean([pair.overlap for pair in pairs])),
            "same_first": float(np.mean([pair.same_first for pair in pairs])),
            "champion": _latency([pair.champion_ms for pair in pairs]),
            "shadow": _latency([pair.shadow_ms for pair in pairs]),
        }

    def _run(self) -> None:
        while (copied := self.line.get()) is not None:
            try:
                self.pairs.append(self._pair(*copied))
            except Exception as error:
                # what breaks here is what the shadow is for
                self.failed += 1
                self.error = f"{type(error).__name__}: {error}"[:500]

    def _pair(self, question: Question, shown: list[str], champion_ms: float) -> Pair:
        start = time.perf_counter()
        wanted, _ = self.engine.wanted(question.ask, now=question.now, serving=self.serving)
        (slate,), _ = self.engine.proposed([wanted])
        spent = 1000 * (time.perf_counter() - start)
        names = self.serving.bundle.catalogue.ids
        own = [names[code] for code in slate.items[: question.k].tolist()]
        alike = len({*own} & {*shown}) / len(shown) if shown else float(not own)
        return Pair(alike, own[:1] == shown[:1], champion_ms, spent)


def _latency(values: list[float]) -> dict[str, float]:
    median, tail = np.quantile(values, [0.5, 0.99])
    return {"p50_ms": round(float(median), 3), "p99_ms": round(float(tail), 3)}
