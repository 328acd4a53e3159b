"""What is wrong with a key of a configuration, and which key was probably meant."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails


def told(error: ErrorDetails, section: type[BaseModel]) -> str:
    """One error of pydantic in `section` -> the sentence that a user reads; for an unknown key, what is known there."""
    if error["type"] != "extra_forbidden":
        return error["msg"]
    *path, key = error["loc"]
    known = list(_fields(section, tuple(path)))
    close = get_close_matches(str(key), known, n=1)
    return "There is no such key. " + (f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(known)}.")


def _fields(section: type[BaseModel], path: tuple[int | str, ...]) -> Mapping[str, object]:
    """Names that the section at the end of the path knows; none where the path leaves the sections."""
    for part in path:
        if isinstance(part, str) and part in section.model_fields:
            found = _section(section.model_fields[part].annotation)
            if found is None:
                return {}
            section = found
    return section.model_fields


def _section(annotation: object) -> type[BaseModel] | None:
    """The section in an annotation, also where it is optional or in a container."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section(part))), None)
