"""Experiments of one service: started, stopped, and still running after a restart."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from recloop.bandits.policies import policy
from recloop.errors import BadArtifact, BadConfig, BadRequest
from recloop.evaluation.experiments.design import CANARIES, Design, Running, room
from recloop.serving.others import Others

LIST = TypeAdapter(tuple[Running, ...])


class Experiments:
    """Every experiment of the service, also those that were stopped, in one file that is replaced whole."""

    def __init__(self, path: Path, others: Others) -> None:
        """Raises BadArtifact where the file cannot be read."""
        self.path, self.others = path, others
        self.every = _read(path)
        self.active: tuple[Running, ...] = ()
        """those whose releases are loaded: nobody is assigned to one that cannot be shown"""
        self.reasons: dict[str, str] = {}
        self.changed: Callable[[], None] = lambda: None
        self._changing = threading.RLock()
        """held by whoever reads what is there and writes what shall be"""

    @property
    def running(self) -> tuple[Running, ...]:
        """Those that nobody stopped."""
        return tuple(one for one in self.every if one.until is None)

    def load(self) -> None:
        """Load the releases that running experiments name; `reasons` tells which could not be."""
        ready = []
        self.reasons.clear()
        for one in self.running:
            try:
                for uri in releases(one):
                    self.others.load(uri)
            except Exception as error:
                # one release that cannot be had stops its own experiment, not the service
                self.reasons[f"experiment_{one.design.name}"] = f"It is suspended: {error}"
            else:
                ready.append(one)
        self.active = tuple(ready)
        self.changed()

    def start(self, design: Design, *, now: float) -> Running:
        """Begin; the first user may come before this returns. Raises BadRequest, and what loading a release raises."""
        with self._changing:
            return self._start(design, now)

    def stop(self, name: str, *, now: float) -> Running:
        """End it; its users get what everybody gets. Raises BadRequest where it does not run."""
        with self._changing:
            return self._stop(name, now)

    def _start(self, design: Design, now: float) -> Running:
        if any(one.design.name == design.name for one in self.every):
            detail = f"There was an experiment {design.name!r} already; its users are told apart by its name. Choose another."
            raise BadRequest(detail, field="name")
        for n, variant in enumerate(design.variants):
            _check_policy(variant.policy, n)
        if design.layer == CANARIES:
            raise BadRequest(f"The layer {CANARIES} is that of canaries; name another.", field="layer")
        _check_crossing(design, self.running)
        made = Running(design=design, part=room(design, self.every), since=now)
        for uri in releases(made):
            self.others.load(uri)
        self._write((*self.every, made))
        self.load()
        return made

    def _stop(self, name: str, now: float) -> Running:
        found = next((one for one in self.running if one.design.name == name), None)
        if found is None:
            names = ", ".join(one.design.name for one in self.running) or "none"
            raise BadRequest(f"No experiment {name!r} is running; running: {names}.", field="name")
        ended = found.model_copy(update={"until": now})
        self._write(tuple(ended if one is found else one for one in self.every))
        self.load()
        return ended

    def _write(self, every: tuple[Running, ...]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        part.write_bytes(LIST.dump_json(every, indent=1))
        part.replace(self.path)
        self.every = every


def releases(one: Running) -> list[str]:
    """URIs that the variants name."""
    return [variant.release for variant in one.design.variants if variant.release]


def _check_policy(text: str, n: int) -> None:
    try:
        policy(text or "top_k")
    except BadConfig as error:
        raise BadRequest(str(error), field=f"variants.{n}.policy") from error


def _check_crossing(design: Design, running: tuple[Running, ...]) -> None:
    """One answer has one release and one policy: two layers that both set one would undo each other in their shared users."""
    for what in ("release", "policy"):
        for other in running:
            if other.design.layer != design.layer and _sets(design, what) and _sets(other.design, what):
                raise BadRequest(
                    f"{other.design.name} of the layer {other.design.layer} names a {what} already, and a user can be given "
                    f"one only. Start this one in the layer {other.design.layer} with a smaller allocation, or stop it first.",
                    field="layer",
                )


def _sets(design: Design, what: str) -> bool:
    return any(getattr(variant, what) for variant in design.variants)


def _read(path: Path) -> tuple[Running, ...]:
    try:
        return LIST.validate_json(path.read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, ValidationError, json.JSONDecodeError) as error:
        raise BadArtifact(f"{path} holds no experiments: {error}. Repair it, or delete it to end them all.") from error
