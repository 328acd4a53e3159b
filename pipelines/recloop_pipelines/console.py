"""How the command line speaks: people read standard error, machines one JSON object on standard output."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

Report = Callable[[str, float], None]
"""(what is going on, share done in 0..1)"""


def _silent(what: str, share: float) -> None:
    """Say nothing."""


REPORT: ContextVar[Report] = ContextVar("report", default=_silent)
"""Where the running step tells its progress: a bar in a terminal, nothing in Airflow"""


def people() -> Console:
    """The console for people."""
    return Console(stderr=True, highlight=False)


def emit(value: Any) -> None:
    """One JSON object on standard output."""
    sys.stdout.buffer.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY) + b"\n")
    sys.stdout.flush()


class Steps:
    """A list of steps with a bar for the one that runs, and the seconds that each took."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show and time one step."""
        task = self.progress.add_task(name, total=1.0, note="")
        token = REPORT.set(lambda what, share: self._advance(task, what, share))
        start = time.monotonic()
        try:
            yield
            self.progress.update(task, completed=1.0, note="")
        finally:
            REPORT.reset(token)
            self.seconds[name] = round(time.monotonic() - start, 2)

    def _advance(self, task: TaskID, what: str, share: float) -> None:
        self.progress.update(task, completed=share, note=what)


@contextmanager
def steps() -> Iterator[Steps]:
    """Progress of several steps on standard error."""
    columns = (
        SpinnerColumn(finished_text="[green]+[/]"),
        TextColumn("{task.description:<22}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[note]}[/]"),
    )
    with Progress(*columns, console=people(), refresh_per_second=4) as progress:
        yield Steps(progress)
