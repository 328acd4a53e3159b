"""What may be wrong with a machine or a configuration, and what to do about it."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import psutil
from packaging.version import Version

from recloop.errors import BadConfig
from recloop_pipelines.local import status
from recloop_pipelines.local.installation import ROOT, USUAL, free
from recloop_pipelines.places import configuration
from recloop_pipelines.settings import Settings

Level = Literal["ok", "warn", "fail"]
FLOORS = {"pytorch-lightning": "2.6.6", "mlflow": "3.17.2", "onnx": "1.21", "torch": "2.10", "apache-airflow": "3.3.2"}
"""below these, packages have known holes or do not work together"""
DISK_GB = 5.0
MEMORY_GB = 6.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    level: Level
    found: str
    advice: str = ""


def examine(settings: Settings, config: Path) -> list[Finding]:
    """Machine, packages, ports, services and one configuration -> findings."""
    return [
        _python(),
        *_packages(),
        _lock(),
        _disk(settings),
        _memory(),
        _root(),
        *_ports(settings),
        *_services(settings),
        _configuration(config),
    ]


def _python() -> Finding:
    found = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    if (3, 11) <= sys.version_info < (3, 14):
        return Finding("Python", "ok", found)
    return Finding("Python", "fail", found, "Install Python 3.11, 3.12 or 3.13; then `make install PYTHON=...`.")


def _packages() -> Iterator[Finding]:
    for name, floor in FLOORS.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            yield Finding(name, "fail", "not installed", "Run `make install`.")
            continue
        sound = Version(found) >= Version(floor)
        yield Finding(name, "ok" if sound else "fail", found, "" if sound else f"Needs {floor}: run `make install`.")


def _lock() -> Finding:
    """Installed versions against requirements.lock, where the repository is at hand."""
    path = ROOT / "requirements.lock"
    if not path.exists():
        return Finding("lock", "warn", "no requirements.lock here", "Run in a clone of the repository to compare.")
    wrong = [line for line in _locked(path) if not _installed(*line)]
    if not wrong:
        return Finding("lock", "ok", "every locked package is installed as locked")
    names = ", ".join(f"{name}=={wanted}" for name, wanted in wrong[:5])
    return Finding("lock", "warn", f"{len(wrong)} differ: {names}", "Run `make install`.")


def _locked(path: Path) -> Iterator[tuple[str, str]]:
    """Name and version of every requirement without a marker."""
    for line in path.read_text().splitlines():
        if "==" in line and not line.startswith((" ", "#")) and ";" not in line:
            name, _, wanted = line.removesuffix(" \\").partition("==")
            yield name.partition("[")[0], wanted


def _installed(name: str, wanted: str) -> bool:
    try:
        return Version(version(name)) == Version(wanted)
    except PackageNotFoundError:
        return False


def _disk(settings: Settings) -> Finding:
    gigabytes = shutil.disk_usage(settings.folder).free / 1e9
    if gigabytes > DISK_GB:
        return Finding("disk", "ok", f"{gigabytes:.0f} GB free")
    return Finding(
        "disk", "fail", f"{gigabytes:.1f} GB free", f"Free {DISK_GB:.0f} GB, or set RECLOOP_HOME to another disk."
    )


def _memory() -> Finding:
    gigabytes = psutil.virtual_memory().available / 1e9
    if gigabytes > MEMORY_GB:
        return Finding("memory", "ok", f"{gigabytes:.0f} GB free")
    return Finding(
        "memory", "warn", f"{gigabytes:.1f} GB free", f"The demo wants {MEMORY_GB:.0f} GB: close other programs."
    )


def _root() -> Finding:
    if os.geteuid() != 0:
        return Finding("user", "ok", "not root")
    if shutil.which("setpriv"):
        return Finding("user", "ok", "root; PostgreSQL runs as nobody by setpriv")
    return Finding("user", "fail", "root, without setpriv", "Install util-linux, or run as another user.")


def _ports(settings: Settings) -> Iterator[Finding]:
    if any(c["pid"] for c in status(settings)):
        return
    taken = [f"{name} {port}" for name, port in USUAL.items() if not free(port)]
    if taken:
        yield Finding(
            "ports", "warn", f"taken: {', '.join(taken)}", "Free ones are used instead; see `recloop status`."
        )
    else:
        yield Finding("ports", "ok", "the usual ones are free")


def _services(settings: Settings) -> Iterator[Finding]:
    found = status(settings)
    if not any(c["pid"] for c in found):
        yield Finding("services", "ok", "not started", "`recloop up` starts them.")
        return
    sick = [str(c["name"]) for c in found if not c["healthy"]]
    if sick:
        yield Finding("services", "fail", f"not healthy: {', '.join(sick)}", f"Look into {settings.folder}/logs.")
    else:
        yield Finding("services", "ok", "all healthy")


def _configuration(path: Path) -> Finding:
    try:
        config = configuration(str(path))
    except BadConfig as error:
        return Finding("configuration", "fail", str(error), "Mend the keys named.")
    return Finding("configuration", "ok", f"{path}: scenario {config.scenario}")
