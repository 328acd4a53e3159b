"""Follow the scenario's rollout: load its release beside the champion, try it, judge it, and end it by itself."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recloop.config.experimenting import ExperimentsConfig
from recloop.errors import Permanent
from recloop.evaluation.experiments.guardrails import Judgement, judge
from recloop.evaluation.experiments.tally import Tally
from recloop.serving.engine import Engine
from recloop.serving.experiment import releases
from recloop.serving.others import Others
from recloop.serving.rollout import CANARY, CHAMPION, Rollout, State
from recloop.serving.shadow import Shadow
from recloop.serving.traffic import Traffic

HOUR = 3600.0


class Canary:
    """Looks every `seconds`; `reasons` tells what is wrong, by part.

    poll: the newest rollout of the store. replay: the journal's records, from which a restart knows what users did.
    finish: carries a decision out (moves the pointer, or not, and writes it down); called in the watching thread, again at
    the next look where it raised. remembered: keeps the rollout for a restart without the store. hours: within which a
    purchase belongs to an answer.
    """

    def __init__(
        self,
        engine: Engine,
        traffic: Traffic,
        others: Others,
        *,
        poll: Callable[[], Rollout | None],
        replay: Callable[[], Iterable[Mapping[str, Any]]],
        finish: Callable[[Rollout], None],
        clock: Callable[[], float],
        config: ExperimentsConfig,
        hours: float,
        seconds: float,
        remembered: Path,
    ) -> None:
        self.engine, self.traffic, self.others = engine, traffic, others
        self.poll, self.replay, self.finish, self.clock = poll, replay, finish, clock
        self.config, self.hours, self.seconds, self.remembered = config, hours, seconds, remembered
        self.reasons: dict[str, str] = {}
        self.rollout: Rollout | None = None
        self.tally: Tally | None = None
        self.shadow: Shadow | None = None
        self.judgement: Judgement | None = None
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, name="canary", daemon=True)

    def start(self) -> None:
        """Go on where the service was stopped, then keep looking in a thread."""
        self.look(restart=True)
        self.thread.start()

    def stop(self) -> None:
        """End the thread, and the shadow's."""
        self.stopped.set()
        self.thread.join(timeout=30)
        if self.shadow:
            self.shadow.stop()

    def observe(self, record: Mapping[str, Any]) -> None:
        """Hear of an answer or event as the journal does. From the server's loop."""
        if self.tally:
            self.tally.observe(record)

    def look(self, *, restart: bool = False) -> None:
        """Take up another rollout, or judge the one at hand."""
        try:
            found = self._newest(restart)
            if found is None or found.state != "running":
                self._leave()
            elif self.rollout is None or found.name != self.rollout.name:
                self._leave()
                self._take(found, restart)
            self._judge()
            self.reasons.pop("rollout", None)
        except Exception as error:
            # a trial that goes wrong must not stop what serves; /health says so
            self.reasons["rollout"] = f"{type(error).__name__}: {error}"

    def figures(self) -> dict[str, Any]:
        """The rollout and what is known of it."""
        if self.rollout is None:
            return {"rollout": None}
        judged = asdict(self.judgement) if self.judgement else None
        return {
            "rollout": self.rollout.model_dump(),
            "judgement": judged,
            "shadow": self.shadow.figures() if self.shadow else None,
        }

    def _newest(self, restart: bool) -> Rollout | None:
        try:
            found = self.poll()
        except Exception as error:
            self.reasons["rollout_store"] = f"The rollout cannot be read: {error}"
            return self._recalled() if restart else self.rollout
        self.reasons.pop("rollout_store", None)
        return found

    def _recalled(self) -> Rollout | None:
        return Rollout.model_validate_json(self.remembered.read_text()) if self.remembered.exists() else None

    def _take(self, found: Rollout, restart: bool) -> None:
        try:
            serving = self.others.load(found.release)
        except Permanent as error:
            self.finish(found.model_copy(update={"state": "rolled_back", "reason": f"It cannot be served: {error}"}))
            return
        if found.mode == "shadow":
            self.shadow = Shadow(self.engine, serving, share=found.share, size=self.config.shadow_queue)
            self.shadow.start()
        else:
            self.tally = self._told(found, restart)
            self.traffic.try_out(found)
        self.rollout = found
        self._remember(found.model_dump_json())

    def _told(self, found: Rollout, restart: bool) -> Tally:
        """What the journal knows of the canary's users; nothing, where it only begins."""
        tally = Tally(found.name, hours=self.hours, slow_ms=self.config.slow_ms)
        for record in self.replay() if restart else ():
            tally.observe(record)
        return tally

    def _judge(self) -> None:
        if self.rollout is None or self._overtaken(self.rollout) or self.tally is None:
            return
        own = judge(self.tally, self.config, share=self.rollout.share, champion=CHAMPION, canary=CANARY)
        self.judgement = own
        fate, reason = own.fate, own.reason
        if fate == "running" and self.clock() - self.rollout.since > self.config.max_hours * HOUR:
            fate, reason = "rolled_back", f"{self.config.max_hours:g} hours went by and it is {own.reason}"
        if fate != "running":
            rails = [asdict(rail) for rail in own.guardrails]
            self._end(fate, reason, {"users": own.users, "guardrails": rails})

    def _overtaken(self, rollout: Rollout) -> bool:
        """Whether another champion serves than the one that it is compared with; then there is nothing to judge."""
        digest = self.engine.serving.digest if self.engine.serving else ""
        if digest in {rollout.champion, ""} or not rollout.champion:
            return False
        if digest != rollout.digest:
            self._end("stopped", f"another release serves than when it began: {digest}", {})
        return True

    def _end(self, state: State, reason: str, figures: dict[str, Any]) -> None:
        """Have it carried out; raises what that raises, and then it is tried again at the next look."""
        assert self.rollout is not None
        if state != "promoted":
            # its users are the champion's from the next request on, whatever the store says
            self.traffic.try_out(None)
        self.finish(self.rollout.model_copy(update={"state": state, "reason": reason, "figures": figures}))
        self._leave()

    def _leave(self) -> None:
        if self.rollout is None:
            return
        self.traffic.try_out(None)
        if self.shadow:
            self.shadow.stop()
        self.others.keep([uri for one in self.traffic.experiments.active for uri in releases(one)])
        self.rollout = self.tally = self.shadow = self.judgement = None
        self.remembered.unlink(missing_ok=True)

    def _remember(self, text: str) -> None:
        self.remembered.parent.mkdir(parents=True, exist_ok=True)
        part = self.remembered.with_suffix(".part")
        part.write_text(text)
        part.replace(self.remembered)

    def _run(self) -> None:
        while not self.stopped.wait(self.seconds):
            self.look()
