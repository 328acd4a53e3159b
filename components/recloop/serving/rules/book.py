"""The rules that hold now: the scenario's, or those that an administrator put in their place at run time."""

import hashlib
import json
import os
from pathlib import Path

from pydantic import ValidationError

from recloop.config import RulesConfig
from recloop.errors import BadConfig, Unavailable
from recloop.serving.audit import Audit
from recloop.serving.bundle import Bundle
from recloop.serving.journal_files import sync
from recloop.serving.rules.stage import Merchandising

FILE, AUDIT = "rules.json", "rules.audit.jsonl"


class Rulebook:
    """Changes of the rules: each is in the audit log before it holds, and on disk before it is acknowledged.

    The legal blocks of the scenario hold whatever is put in place of its other rules.
    """

    def __init__(self, stage: Merchandising, folder: Path) -> None:
        """Take up what was put last. Raises BadConfig: the service does not start without rules that it should keep."""
        self.stage, self.path, self.audit = stage, folder / FILE, Audit(folder / AUDIT)
        if self.path.exists():
            stage.replace(_read(self.path), None)

    @property
    def origin(self) -> str:
        """scenario, or run time."""
        return "run time" if self.path.exists() else "scenario"

    def put(self, rules: RulesConfig, bundle: Bundle | None, *, who: str, now: float) -> None:
        """Other rules from the next request on. now: seconds since the epoch. Raises Unavailable: the disk took neither.

        bundle: of the release that serves.
        """
        self._noted(rules, who, now)
        partial = self.path.with_suffix(".partial")
        try:
            with partial.open("wb") as file:
                file.write(_text(rules).encode())
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.path)
            sync(self.path.parent)
        except OSError as error:
            raise Unavailable(f"The rules could not be written to {self.path}: {error}. The old ones hold.") from error
        self.stage.replace(rules, bundle)

    def reset(self, bundle: Bundle | None, *, who: str, now: float) -> None:
        """The scenario's rules from the next request on. Raises Unavailable."""
        self._noted(self.stage.fixed, who, now)
        try:
            self.path.unlink(missing_ok=True)
            sync(self.path.parent)
        except OSError as error:
            raise Unavailable(f"{self.path} could not be removed: {error}. The rules in it hold.") from error
        self.stage.replace(self.stage.fixed, bundle)

    def _noted(self, rules: RulesConfig, who: str, now: float) -> None:
        detail = {"before": _raw(self.stage.rules), "after": _raw(rules)}
        try:
            self.audit.note(who=who, what="rules", detail=detail, now=now)
        except OSError as error:
            raise Unavailable(f"The audit log {self.audit.path} took no line: {error}. The old rules hold.") from error


def version(rules: RulesConfig) -> str:
    """A name for exactly these rules."""
    return hashlib.sha256(_text(rules).encode()).hexdigest()[:16]


def _raw(rules: RulesConfig) -> dict[str, object]:
    return rules.model_dump(mode="json", exclude_defaults=True)


def _text(rules: RulesConfig) -> str:
    return json.dumps(_raw(rules), sort_keys=True, indent=1)


def _read(path: Path) -> RulesConfig:
    try:
        return RulesConfig.model_validate_json(path.read_text())
    except (OSError, ValidationError) as error:
        raise BadConfig(
            f"{path} holds no rules that can be kept: {error}. Mend it, or remove it to serve by the scenario's."
        ) from error
