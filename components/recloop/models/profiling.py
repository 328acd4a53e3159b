"""What a fit spends its time on, by torch's own profiler, over some steps near its start."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch.profiler import ProfilerActivity, profile

FOLDER = "profile"
WAIT, STEPS = 5, 20
"""steps before the profile, which are slower, and in it"""
ROWS = 40


class Profiling(pl.Callback):
    """Writes <folder>/<name>.txt, operators by their own time, and <name>.trace.json for chrome://tracing or Perfetto."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.seen = folder, name, 0
        self.running: profile | None = None

    def on_train_batch_start(self, trainer: pl.Trainer, learner: Any, batch: Any, batch_idx: int) -> None:
        """Begin after the first steps, or at once where few are left."""
        few = learner.plan.steps - batch.step <= WAIT
        if trainer.is_global_zero and self.running is None and (self.seen == WAIT or (few and not self.seen)):
            more = [ProfilerActivity.CUDA] if torch.cuda.is_available() else []
            self.running = profile(activities=[ProfilerActivity.CPU, *more])
            self.running.start()

    def on_train_batch_end(self, trainer: pl.Trainer, learner: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """End after so many steps."""
        self.seen += 1
        if self.seen == WAIT + STEPS:
            self._write()

    def on_train_end(self, trainer: pl.Trainer, learner: Any) -> None:
        """End with a fit that is shorter."""
        if self.seen < WAIT + STEPS:
            self._write()

    def _write(self) -> None:
        if self.running is None:
            return
        self.running.stop()
        self.folder.mkdir(parents=True, exist_ok=True)
        table = self.running.key_averages().table(sort_by="self_cpu_time_total", row_limit=ROWS)
        (self.folder / f"{self.name}.txt").write_text(table)
        self.running.export_chrome_trace(str(self.folder / f"{self.name}.trace.json"))
