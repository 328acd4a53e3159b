"""YAML files that a command is given."""

from pathlib import Path
from typing import Any

import yaml

from recloop.errors import BadConfig


def mapping(path: Path, what: str) -> dict[str, Any]:
    """YAML file -> its mapping; `what` says of what or with which keys. Raises BadConfig."""
    if not path.exists():
        raise BadConfig(f"There is no {path}.")
    try:
        raw = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise BadConfig(f"{path} cannot be read as YAML: {error}") from error
    if not isinstance(raw, dict):
        raise BadConfig(f"{path} must be a mapping {what}; it is {type(raw).__name__}.")
    return raw
