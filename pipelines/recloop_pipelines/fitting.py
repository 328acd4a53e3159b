"""A fit on one device in this process, or on several in processes of their own that torchrun starts."""

import json
import os
import subprocess
import sys
import tempfile
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recloop.config import Config
from recloop.config import parse as parsed
from recloop.errors import BadConfig, Stopped
from recloop_pipelines.console import REPORT, Report
from recloop_pipelines.parent import end_with_the_parent
from recloop_pipelines.settings import settings

MARK = "recloop: "
"""begins the lines in which the first process tells its progress"""
TAIL = 80


@dataclass(frozen=True)
class Order:
    """What is fitted, from where to where; all that another process needs."""

    config: Config
    dataset: Path
    out: Path
    work: Path
    warm: Path | None

    def run(self, out: Path, progress: Report) -> dict[str, float]:
        """Fit in this process into `out`; the model's figures."""
        from recloop.data.dataset import Dataset
        from recloop.models.family import fit
        from recloop.models.task import Task

        data = Dataset.load(self.dataset)
        task = Task(
            dataset=data,
            cut=data.test,
            config=self.config.model,
            trainer=self.config.trainer,
            seed=self.config.seed,
            out=out,
            work=self.work,
            warm=self.warm,
            progress=progress,
        )
        return fit(self.config.model.kind, task)

    def save(self, path: Path) -> None:
        """Write JSON."""
        facts: dict[str, Any] = {
            "config": self.config.model_dump(mode="json"),
            "dataset": str(self.dataset),
            "out": str(self.out),
            "work": str(self.work),
            "warm": None if self.warm is None else str(self.warm),
        }
        path.write_text(json.dumps(facts))

    @classmethod
    def load(cls, path: Path) -> "Order":
        """Read what `save` wrote."""
        facts = json.loads(path.read_text())
        warm = facts["warm"]
        return cls(
            config=parsed(facts["config"], name=str(path)),
            dataset=Path(facts["dataset"]),
            out=Path(facts["out"]),
            work=Path(facts["work"]),
            warm=None if warm is None else Path(warm),
        )


def fitted(order: Order) -> dict[str, float]:
    """Fit on trainer.devices; the model's figures. Raises Stopped where a process of several died."""
    if order.config.trainer.devices == 1 and order.config.trainer.num_nodes == 1:
        return order.run(order.out, REPORT.get())
    path = order.work / "order.json"
    order.save(path)
    _watch(_command(order.config, path))
    found: dict[str, float] = json.loads(_figures(order).read_text())
    return found


def _command(config: Config, path: Path) -> list[str]:
    """torchrun on this node. Raises BadConfig where several are asked for and no meeting point is named."""
    nodes, meeting = config.trainer.num_nodes, settings().rendezvous
    if nodes > 1 and not meeting:
        raise BadConfig(
            f"trainer.num_nodes is {nodes}, but RECLOOP_RENDEZVOUS names no host:port where they meet. Set it, and start the "
            "same torchrun command on the other nodes, which see the same work folder."
        )
    where = ["--rdzv-backend", "c10d", "--rdzv-id", config.scenario, "--rdzv-endpoint", meeting]
    return [
        *(sys.executable, "-m", "torch.distributed.run", "--nnodes", str(nodes)),
        *(where if nodes > 1 else ["--standalone"]),
        *("--nproc-per-node", str(config.trainer.devices), "--module", "recloop_pipelines.fitting", str(path)),
    ]


def _watch(command: list[str]) -> None:
    tail: deque[str] = deque(maxlen=TAIL)
    environment = os.environ | {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    # the children hold the other end of their standard input: it closes when this process ends, however it does
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        try:
            for line in process.stdout or ():
                if line.startswith(MARK):
                    share, _, what = line.removeprefix(MARK).rstrip().partition(" ")
                    REPORT.get()(what, float(share))
                else:
                    tail.append(line)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise Stopped(f"A training process ended with {process.returncode}. Its last lines:\n{''.join(tail)}")


def _figures(order: Order) -> Path:
    return order.work / "figures.json"


def main(path: Path) -> None:
    """One process of torchrun: all fit, the first one's files are kept."""
    order = Order.load(path)
    if os.environ.get("RANK", "0") != "0":
        with tempfile.TemporaryDirectory() as scratch:
            order.run(Path(scratch), lambda what, share: None)
        return
    figures = order.run(order.out, lambda what, share: print(f"{MARK}{share} {what}", flush=True))  # noqa: T201
    _figures(order).write_text(json.dumps(figures))


if __name__ == "__main__":
    end_with_the_parent()
    main(Path(sys.argv[1]))
