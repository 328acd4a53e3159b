"""A step of a comparison in a process of its own, so that its memory is its own: `python -m recloop_pipelines.apart JOB`."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recloop.errors import BadConfig, BadData, Permanent, Stopped
from recloop_pipelines.parent import end_with_the_parent

if TYPE_CHECKING:
    from recloop.evaluation.rounds import Round

Report = Callable[[str, float], None]
RESULT = "result.json"
VALUES = "values.parquet"
ENDED = 3
"""exit code of a step that ended with an error of recloop.errors"""
TOLD = {kind.__name__: kind for kind in (BadData, BadConfig, Stopped, Permanent)}
"""what such an error is for the parent: the first that it is one of"""


def apart(step: str, item: "Round", *, dataset: Path, folder: Path, threads: int, report: Report) -> dict[str, Any]:
    """Fit or judge a round in a child -> its figures, its peak memory among them.

    Raises BadData with the child's own words where it refused the data, another Permanent where something else is wrong for
    good, Stopped where it died.
    """
    job = folder / f"{step}.json"
    job.write_text(json.dumps({"step": step, "round": asdict(item), "dataset": str(dataset), "folder": str(folder)}))
    limits = {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
    command = [sys.executable, "-m", "recloop_pipelines.apart", str(job)]
    log = folder / f"{step}.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ | limits
        ) as child,
    ):
        assert child.stdout is not None
        try:
            told = [_heard(line, report) for line in child.stdout]
        except BaseException:
            child.kill()
            raise
    last: dict[str, Any] = next((t for t in reversed(told) if t), {})
    if child.returncode == ENDED and "refused" in last:
        raise TOLD[last["kind"]](f"{item.name}: {last['refused']}")
    if child.returncode or "figures" not in last:
        raise Stopped(
            f"{step} of {item.name} (seed {item.seed}, fold {item.fold}) ended with exit code {child.returncode}: "
            f"{_tail(log)} All of it is in {log}; run the command again to go on from the rounds that are done."
        )
    figures: dict[str, Any] = last["figures"]
    return figures


def _heard(line: str, report: Report) -> dict[str, Any]:
    """One line of the child: progress, or what it ends with; what others print there is passed over."""
    try:
        told = json.loads(line)
    except json.JSONDecodeError:
        return {}
    if not isinstance(told, dict):
        return {}
    if "share" in told:
        report(str(told["what"]), float(told["share"]))
        return {}
    return told


def _tail(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing."


def peak_megabytes() -> float:
    """Most memory that this process held. /proc says it of this program alone; getrusage also of what forked it."""
    status = Path("/proc/self/status")
    if status.exists():
        found = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        if found:
            return float(found[0]) * 1024 / 1e6
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


def main(path: Path) -> None:
    """Do the job that a file names and tell its figures on standard output."""
    from recloop.data.dataset import Dataset
    from recloop.evaluation import rounds

    job = json.loads(path.read_text())
    item, folder = rounds.Round(**job["round"]), Path(job["folder"])
    dataset = Dataset.load(Path(job["dataset"]))
    model, work = folder / "model", folder / "work"
    if job["step"] == "fit":
        work.mkdir(exist_ok=True)
        model.mkdir(exist_ok=True)
        figures: dict[str, Any] = rounds.fit_round(item, dataset, out=model, work=work, progress=_tell)
        figures |= {"fit_peak_megabytes": peak_megabytes(), "digest": rounds.digest(model)}
    else:
        frame, catalogue, costs = rounds.judge_round(item, dataset, model, progress=_tell)
        frame.write_parquet(folder / VALUES)
        figures = {"catalogue": catalogue, "costs": costs | {"peak_megabytes": peak_megabytes()}}
    _say({"figures": figures})


def _tell(what: str, share: float) -> None:
    _say({"what": what, "share": share})


def _say(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    end_with_the_parent()
    try:
        main(Path(sys.argv[1]))
    except Permanent as error:
        _say({"refused": str(error), "kind": next(name for name, kind in TOLD.items() if isinstance(error, kind))})
        sys.exit(ENDED)
