"""Follow the pointer: a new release is loaded aside and swapped in; what serves goes on when anything is down."""

import threading
from collections.abc import Callable
from pathlib import Path

from recloop.artifacts.pointer import Pointer
from recloop.errors import Permanent
from recloop.serving.bundle import Bundle
from recloop.serving.engine import Engine


class Watcher:
    """Asks for the pointer every `seconds`; `reasons` tells what is wrong, by part.

    remembered: a file that keeps the pointer that serves, so that a restart serves while the store is down; `fetch` then
    answers from a copy on this machine.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        poll: Callable[[], Pointer | None],
        fetch: Callable[[Pointer], Path],
        seconds: float,
        remembered: Path,
    ) -> None:
        self.engine, self.poll, self.fetch, self.seconds, self.remembered = engine, poll, fetch, seconds, remembered
        self.reasons: dict[str, str] = {}
        self.refused: Pointer | None = None
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Look once now, then keep looking in a thread."""
        self.look()
        self.thread.start()

    def stop(self) -> None:
        """End the thread."""
        self.stopped.set()
        self.thread.join(timeout=10)

    def again(self) -> None:
        """Look now, and give a release that was refused another chance."""
        self.refused = None
        self.look()

    def look(self) -> None:
        """Ask once; swap where the generation has grown."""
        with self.lock:
            pointer = self._pointer()
            if pointer is None or pointer == self.refused:
                return
            serving = self.engine.serving
            if serving is None or pointer.generation > serving.generation:
                self._take(pointer)
            elif pointer.generation < serving.generation:
                self.reasons["pointer"] = (
                    f"The pointer went back to generation {pointer.generation} from {serving.generation}, which serves on. "
                    "Was the store replaced? Restart the service to follow it."
                )

    def _pointer(self) -> Pointer | None:
        """The pointer; before anything serves and while the store is down, the one remembered."""
        try:
            found = self.poll()
            self.reasons.pop("pointer", None)
            return found
        except Exception as error:
            # whatever is wrong with the store must not stop what serves; /health says so
            self.reasons["pointer"] = f"The pointer cannot be read: {error}"
        return self._recalled() if self.engine.serving is None else None

    def _recalled(self) -> Pointer | None:
        try:
            return Pointer.model_validate_json(self.remembered.read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            self.reasons["remembered"] = f"{self.remembered} cannot be read: {error}"
            return None

    def _take(self, pointer: Pointer) -> None:
        try:
            bundle = Bundle.load(self.fetch(pointer))
        except Exception as error:
            self.reasons["release"] = f"Generation {pointer.generation} was refused: {error}"
            # what is wrong for good is not loaded again every second
            self.refused = pointer if isinstance(error, Permanent) else None
            return
        self.engine.swap(bundle, digest=pointer.digest, generation=pointer.generation)
        self.reasons.pop("release", None)
        self._remember(pointer)

    def _remember(self, pointer: Pointer) -> None:
        part = self.remembered.with_suffix(".part")
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(pointer.model_dump_json())
            part.replace(self.remembered)
            self.reasons.pop("remembered", None)
        except OSError as error:
            # it serves all the same; only a restart without the store would not
            self.reasons["remembered"] = f"{self.remembered} cannot be written: {error}"

    def _run(self) -> None:
        while not self.stopped.wait(self.seconds):
            self.look()
