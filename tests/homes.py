"""Homes of embedded services that do not want the usual ports."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path

from recloop_pipelines.local.installation import USUAL
from recloop_pipelines.settings import Settings


def home_of_its_own(folder: Path) -> Settings:
    """Settings of a new home whose ports are not the usual ones, which other sessions and the user may want."""
    with ExitStack() as stack:
        sockets = {name: stack.enter_context(socket.socket()) for name in USUAL}
        for probe in sockets.values():
            probe.bind(("127.0.0.1", 0))
        ports = {name: probe.getsockname()[1] for name, probe in sockets.items()}
    folder.mkdir(exist_ok=True)
    (folder / "local.json").write_text(json.dumps({"ports": ports, "secrets": {}, "config": ""}))
    return Settings(home=folder)
