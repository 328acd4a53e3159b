"""supervisord keeps the components alive; this talks to it."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError
from xmlrpc.client import Error as XmlError
from xmlrpc.client import Fault, ServerProxy

import psutil

from recloop.errors import Stopped
from recloop_pipelines.local.components import Component
from recloop_pipelines.local.installation import Installation, private

SUPERVISOR = "supervisord"
RETRIES = 3
TAIL = 20
"""lines of a dead component's log that are shown"""
PATIENCE = 15.0
"""seconds that an orphan has to end by itself"""


def configuration(made: Installation, parts: list[Component]) -> str:
    """supervisord.conf of the components."""
    user, password = "recloop", made.secrets["supervisor"]
    home = _escaped(str(made.home))
    lines = [
        "[supervisord]",
        f"logfile={home}/logs/supervisord.log",
        f"pidfile={home}/supervisord.pid",
        f"childlogdir={home}/logs",
        "umask=077",
        "[inet_http_server]",
        f"port=127.0.0.1:{made.ports['supervisor']}",
        f"username={user}",
        f"password={password}",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for part in parts:
        lines += _program(made, part)
    return "\n".join(lines) + "\n"


def _program(made: Installation, part: Component) -> list[str]:
    values = ",".join(f'{k}="{_escaped(v)}"' for k, v in sorted(part.environment.items()))
    group = "false" if part.stop == "INT" else "true"
    return [
        f"[program:{part.name}]",
        "command=" + " ".join(f'"{_escaped(word)}"' for word in part.command),
        f"environment={values}",
        f"stdout_logfile={_escaped(str(made.home))}/logs/{part.name}.log",
        "stdout_logfile_maxbytes=20MB",
        "stdout_logfile_backups=1",
        "redirect_stderr=true",
        "autostart=false",
        "autorestart=true",
        "startsecs=1",
        f"startretries={RETRIES}",
        f"stopsignal={part.stop}",
        f"stopasgroup={group}",
        "killasgroup=true",
        "stopwaitsecs=30",
    ]


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def client(made: Installation) -> Any:
    """supervisord's interface."""
    login = f"recloop:{made.secrets['supervisor']}"
    return ServerProxy(f"http://{login}@127.0.0.1:{made.ports['supervisor']}/RPC2").supervisor


def running(made: Installation) -> bool:
    """Whether this installation's supervisord answers."""
    try:
        return str(client(made).getState()["statename"]) == "RUNNING"
    except (OSError, XmlError, ExpatError, HTTPException):
        # nobody there, or another program, or another installation's supervisord
        return False


def start(made: Installation, parts: list[Component]) -> None:
    """Start supervisord with nothing running yet. Raises Stopped."""
    (made.home / "logs").mkdir(exist_ok=True)
    path = made.home / "supervisord.conf"
    private(path, configuration(made, parts))
    program = Path(made.names["bin"]) / "supervisord"
    run = subprocess.run(
        [program, "-c", str(path)],
        env=os.environ | {"RECLOOP_HOME": str(made.home), "RECLOOP_COMPONENT": SUPERVISOR},
        capture_output=True,
        text=True,
        check=False,
        cwd=made.home,
    )
    if run.returncode:
        raise Stopped(f"supervisord did not start: {run.stderr or run.stdout}")
    for _ in range(100):
        if running(made):
            return
        time.sleep(0.05)
    raise Stopped(
        f"supervisord does not answer on port {made.ports['supervisor']}; see {made.home}/logs/supervisord.log."
    )


def launch(made: Installation, name: str) -> None:
    """Start one component, without waiting; nothing where it runs."""
    try:
        client(made).startProcess(name, False)
    except Fault as fault:
        if "ALREADY_STARTED" not in fault.faultString:
            raise Stopped(f"{name} cannot be started: {fault.faultString}") from fault


def states(made: Installation) -> dict[str, dict[str, Any]]:
    """name -> what supervisord knows (statename, pid, start, now)."""
    return {str(info["name"]): info for info in client(made).getAllProcessInfo()}


def owns(made: Installation, part: Component) -> bool:
    """Whether the port that a component's health is asked on is its own, and not another program's that was faster."""
    if part.port is None:
        return True
    pid = states(made)[part.name]["pid"]
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)] if pid else []
        sockets = [c for process in family for c in process.net_connections("inet")]
    except psutil.Error:
        return False
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == part.port for c in sockets)


def refuse_dead(made: Installation, name: str) -> set[int]:
    """The component's process, if it has one now. Raises Stopped, with the end of its log, where it was given up."""
    found = states(made)[name]
    if found["statename"] in ("FATAL", "UNKNOWN"):
        raise Stopped(
            f"{name} {found['statename'].lower()}: it did not stay up in {RETRIES} tries. Its log ends:\n{tail(made, name)}"
        )
    return {int(found["pid"])} - {0}


def tail(made: Installation, name: str) -> str:
    """The last lines of a component's log."""
    path = made.home / "logs" / f"{name}.log"
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return "\n".join(lines[-TAIL:]) or "(empty)"


def leftovers(made: Installation) -> list[psutil.Process]:
    """Processes of this installation, whoever started them; supervisord, which restarts the others, is the first."""
    found = []
    for process in psutil.process_iter():
        try:
            env = process.environ()
        except (psutil.Error, OSError):
            continue
        if env.get("RECLOOP_HOME") == str(made.home) and env.get("RECLOOP_COMPONENT"):
            found.append((env["RECLOOP_COMPONENT"] != SUPERVISOR, process.pid, process))
    return [process for _, _, process in sorted(found)]


def stop(made: Installation, waves: list[list[str]]) -> list[str]:
    """Stop the components, one wave after another, then supervisord, then whatever was orphaned -> names that ran."""
    stopped: list[str] = []
    if running(made):
        for wave in waves:
            stopped += _stop_wave(made, wave)
        _end_supervisor(client(made))
    _end_orphans(made)
    return stopped


def _stop_wave(made: Installation, names: list[str]) -> list[str]:
    """Stop some components beside each other and wait until they have ended -> those that ran."""
    ran = [name for name in names if _alive(made, name)]
    for name in ran:
        # it may end by itself in between
        with suppress(Fault):
            client(made).stopProcess(name, False)
    while any(_alive(made, name) for name in ran):
        time.sleep(0.1)
    return ran


def _alive(made: Installation, name: str) -> bool:
    state = states(made).get(name, {}).get("statename")
    return state in ("RUNNING", "STARTING", "BACKOFF", "STOPPING")


def _end_supervisor(proxy: Any) -> None:
    pid = int(proxy.getPID())
    proxy.shutdown()
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(timeout=30)


def _end_orphans(made: Installation) -> None:
    """End what was left: a supervisord whose login is lost, or what a killed one kept.

    PostgreSQL by SIGINT, which does not wait for its clients.
    """
    for process in leftovers(made):
        with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            process.send_signal(signal.SIGINT if "postgres" in process.name() else signal.SIGTERM)
            if process.name().startswith(SUPERVISOR):
                process.wait(timeout=40)
    _, alive = psutil.wait_procs(leftovers(made), timeout=PATIENCE)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=PATIENCE)
