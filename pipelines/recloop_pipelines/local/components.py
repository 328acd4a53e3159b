"""The components of infra/local/services.yaml, with this machine's names filled in."""

import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import yaml

from recloop_pipelines.local.installation import INFRA, Installation, airflow_environment, as_nobody, environment


@dataclass(frozen=True)
class Component:
    """One foreground process and how to see that it answers."""

    name: str
    command: tuple[str, ...]
    health: str
    url: str
    after: tuple[str, ...]
    environment: dict[str, str]
    stop: str

    @property
    def port(self) -> int | None:
        """The component's own port; None where its health is asked of another."""
        if "#" in self.health:
            return None
        if self.health.startswith("tcp:"):
            return int(self.health.removeprefix("tcp:"))
        return urlsplit(self.health).port

    def answers(self) -> bool:
        """Whether it is healthy now."""
        if self.health.startswith("tcp:"):
            return _listens(self.port or 0)
        address, _, part = self.health.partition("#")
        try:
            found = httpx.get(address, timeout=5)
            return found.is_success and (not part or found.json()[part]["status"] == "healthy")
        except (httpx.HTTPError, ValueError, KeyError):
            return False


def components(made: Installation) -> list[Component]:
    """Every component, in the order of the file."""
    raw: dict[str, dict[str, Any]] = yaml.safe_load((INFRA / "services.yaml").read_text())
    return [_component(name, facts, made) for name, facts in raw.items()]


def _component(name: str, facts: dict[str, Any], made: Installation) -> Component:
    names = made.names
    command: list[str] = []
    for word in facts["command"]:
        command += as_nobody() if word == "{as_nobody}" else [str(word).format_map(names)]
    own = {k: v.format_map(names) for k, v in facts.get("environment", {}).items()}
    return Component(
        name=name,
        command=tuple(command),
        health=facts["health"].format_map(names),
        url=facts.get("url", "").format_map(names),
        after=tuple(facts.get("after", ())),
        environment=environment(made)
        | {"AIRFLOW_HOME": str(made.home / "airflow"), "PYTHONUNBUFFERED": "1", "RECLOOP_COMPONENT": name}
        # a process that renames itself would overwrite the environment by which it is found again
        | {"SPT_NOENV": "1"}
        | (airflow_environment(made) if name.startswith("airflow") else {})
        | own,
        stop=facts.get("stop", "TERM"),
    )


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
