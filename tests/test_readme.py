import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
spec = importlib.util.spec_from_file_location("refresh", ROOT / "docs" / "refresh.py")
refresh = importlib.util.module_from_spec(spec)
spec.loader.exec_module(refresh)


def test_pasted_output_is_what_the_commands_print():
    assert refresh.refreshed(TEXT) == TEXT


def test_the_first_lines_say_what_it_is_and_how_to_run_it():
    head = "\n".join(TEXT.splitlines()[:45])
    assert (
        "events -> checked -> dataset -> model -> scorecard -> release -> recommendations -> feedback -> events" in head
    )
    assert "make demo" in head
    assert "Scorecard, all purchases" in head


def test_every_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)", TEXT)) <= targets


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:components|pipelines|dags|configs|infra|docker|docs|tests)/[\w./-]*)`", TEXT)))
)
def test_every_path_that_is_named_exists(path):
    assert (ROOT / path).exists()
