"""Who is let in: a question waits for the model only as long as an answer is still of use."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from recloop.errors import Unavailable
from recloop.serving.stages import Slate, Wanted

Proposed = tuple[list[Slate], dict[str, float]]
"""slates in the order of what was wanted, and the milliseconds of each part of the work"""


class Overloaded(Unavailable):
    """More questions wait than can be answered in time."""


@dataclass(frozen=True)
class Waiting:
    """One question in the queue."""

    wanted: Wanted
    since: float
    """time.perf_counter() of its arrival"""
    queued: bool
    """whether it found the model at work"""
    done: "asyncio.Future[tuple[Slate, dict[str, float]]]" = field(repr=False)


class Admission:
    """Questions that arrive while the model works wait, and are then answered together, by one call of it.

    propose: the work, done in one thread beside the server's loop. batch: questions of one call at most. queue: questions
    that may wait; more are refused. patience: seconds after which one that still waits is refused; one that found the model
    idle never is.
    """

    def __init__(
        self, propose: Callable[[Sequence[Wanted]], Proposed], *, batch: int, queue: int, patience: float
    ) -> None:
        self.propose, self.batch, self.queue, self.patience = propose, batch, queue, patience
        self.line: deque[Waiting] = deque()
        self.busy = False
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="model")

    async def ask(self, wanted: Wanted) -> tuple[Slate, dict[str, float]]:
        """Wanted -> slate and milliseconds. Raises Overloaded, and what the work raises."""
        if len(self.line) >= self.queue:
            raise Overloaded(f"{self.queue} questions wait already (serving.queue). Ask again later.")
        loop = asyncio.get_running_loop()
        waiting = Waiting(wanted, time.perf_counter(), self.busy, loop.create_future())
        self.line.append(waiting)
        if not self.busy:
            # whatever else arrived in this turn of the loop joins in
            self.busy = True
            loop.call_soon(self._next)
        return await waiting.done

    def close(self) -> None:
        """Let the work at hand end, then stop."""
        self.thread.shutdown()

    def _next(self) -> None:
        """Give the thread what waits."""
        now = time.perf_counter()
        group: list[Waiting] = []
        while self.line and len(group) < self.batch:
            waiting = self.line.popleft()
            if not waiting.queued or now - waiting.since <= self.patience:
                group.append(waiting)
            elif not waiting.done.done():
                detail = f"The question waited longer than {self.patience:g} s (serving.patience_seconds)."
                waiting.done.set_exception(Overloaded(f"{detail} Ask again later."))
        self.busy = bool(group)
        if group:
            self._begin(group)

    def _begin(self, group: list[Waiting]) -> None:
        """Hand questions to the thread, which takes one group after another."""
        loop, now = asyncio.get_running_loop(), time.perf_counter()
        work = self.thread.submit(self.propose, [waiting.wanted for waiting in group])
        work.add_done_callback(lambda done: loop.call_soon_threadsafe(self._ended, group, now, done))

    def _ended(self, group: list[Waiting], began: float, work: "Future[Proposed]") -> None:
        """Hand out the slates; what arrived meanwhile is next."""
        error = work.exception()
        if error is None:
            slates, laps = work.result()
            for waiting, slate in zip(group, slates, strict=True):
                _settle(waiting, slate, {"wait": round(1000 * (began - waiting.since), 3)} | laps)
        elif len(group) == 1:
            _fail(group[0], error)
        else:
            # one question that breaks the model must not cost its neighbours their answers
            for waiting in group:
                self._begin([waiting])
            return
        self._next()


def _settle(waiting: Waiting, slate: Slate, spent: dict[str, float]) -> None:
    if not waiting.done.done():
        waiting.done.set_result((slate, spent))


def _fail(waiting: Waiting, error: BaseException) -> None:
    if not waiting.done.done():
        waiting.done.set_exception(error)
