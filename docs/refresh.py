"""Write the output that README shows anew (run by `make docs`): the block after each line `$ command`."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SHOWN = ("recloop --help",)
BLOCK = re.compile(r"(?ms)^```console\n\$ (?P<command>[^\n]+)\n(?P<output>.*?)^```$")


def output(command: str) -> str:
    """What a command prints, at a fixed width."""
    words = command.replace("recloop", f"{ROOT}/.venv/bin/recloop", 1).split()
    env = {**os.environ, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1", "TYPER_USE_RICH": "0"}
    run = subprocess.run(words, capture_output=True, text=True, check=True, env=env, cwd=ROOT)
    return "\n".join(line.rstrip() for line in run.stdout.strip().splitlines()) + "\n"


def refreshed(text: str) -> str:
    """README with the output of the quick commands as it is now; others stay as they were pasted."""

    def anew(found: re.Match[str]) -> str:
        command = found["command"]
        shown = output(command) if command in SHOWN else found["output"]
        return f"```console\n$ {command}\n{shown}```"

    return BLOCK.sub(anew, text)


if __name__ == "__main__":
    README.write_text(refreshed(README.read_text()))
