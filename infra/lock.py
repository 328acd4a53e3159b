"""Write the lock files from pyproject.toml (run by `make lock`); what is locked already stays unless --upgrade is given.

One universal resolution covers Python 3.11 to 3.13. torch has files of its own, installed first:
requirements-torch-cpu.lock holds its small CPU build, requirements-torch.lock the index's build with the
CUDA libraries that it needs on Linux. requirements.lock holds everything else.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

COMPILE = (
    "uv pip compile pyproject.toml --extra demo --extra dev --universal --python-version 3.11 "
    "--generate-hashes --no-header --no-annotate"
)
TORCH = ("torch==", "nvidia-", "cuda-", "triton==")
CPU_BUILD = """torch==2.13.0+cpu \\
    --hash=sha256:6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b
"""
HEAD = "# Written by `make lock` from pyproject.toml: do not edit.\n"


def blocks(text: str) -> list[str]:
    """One requirement with its hashes a block."""
    found: list[str] = []
    for line in text.splitlines():
        if line.startswith(" "):
            found[-1] += line + "\n"
        elif line and not line.startswith("#"):
            found.append(line + "\n")
    return found


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        # uv keeps the versions that it finds in its output file
        out = Path(folder) / "requirements.txt"
        out.write_text("".join(Path(name).read_text() for name in ("requirements.lock", "requirements-torch.lock")))
        command = [*COMPILE.split(), "--output-file", str(out), *sys.argv[1:]]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            sys.stderr.write(run.stderr)
            return run.returncode
        found = blocks(out.read_text())
    locks = {
        "requirements.lock": [b for b in found if not b.startswith(TORCH)],
        "requirements-torch.lock": [b for b in found if b.startswith(TORCH)],
        "requirements-torch-cpu.lock": [CPU_BUILD],
    }
    for name, content in locks.items():
        Path(name).write_text(HEAD + "".join(content))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
