"""Expressions over named sets: `wine and not (cheap or imported)`."""

import ast
from collections.abc import Mapping
from typing import Protocol, Self, TypeVar

from recloop.errors import BadConfig


class Set(Protocol):
    """What an expression combines: a mask of item codes, say."""

    def __and__(self, other: Self, /) -> Self: ...

    def __or__(self, other: Self, /) -> Self: ...

    def __invert__(self) -> Self: ...


S = TypeVar("S", bound=Set)


def names(text: str) -> list[str]:
    """The sets that an expression names, in order, each once. Raises BadConfig where it is none."""
    return list(dict.fromkeys(node.id for node in ast.walk(_parsed(text)) if isinstance(node, ast.Name)))


def evaluated(text: str, sets: Mapping[str, S]) -> S:
    """Expression and sets by name -> the set that it describes. Raises BadConfig."""
    return _value(_parsed(text), sets)


def _parsed(text: str) -> ast.expr:
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _strange(text) from error
    allowed = (ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.Name, ast.Load)
    if not all(isinstance(node, allowed) for node in ast.walk(tree)):
        raise _strange(text)
    return tree


def _strange(text: str) -> BadConfig:
    return BadConfig(f"{text[:100]!r} is no expression of tags: join their names by and, or, not and parentheses.")


def _value(node: ast.expr, sets: Mapping[str, S]) -> S:
    match node:
        case ast.Name(id=name):
            return sets[name]
        case ast.UnaryOp(operand=operand):
            return ~_value(operand, sets)
        case ast.BoolOp(op=op, values=[first, *rest]):
            found = _value(first, sets)
            for other in rest:
                value = _value(other, sets)
                found = found & value if isinstance(op, ast.And) else found | value
            return found
    raise TypeError(f"{type(node).__name__} passed the parser.")
