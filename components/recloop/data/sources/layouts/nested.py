"""Fields of nested rows, as expressions that give null where a field does not exist."""

from collections.abc import Iterable

import polars as pl


def field(schema: pl.Schema, *names: str) -> pl.Expr:
    """Text of the first of the dotted names that exists; null where none does."""
    found = [_at(name) for name in names if _kind(schema, name) is not None]
    return pl.coalesce(found).cast(pl.String) if found else pl.lit(None, pl.String)


def listed(schema: pl.Schema, name: str) -> pl.Expr | None:
    """The list at a dotted name; None where there is no list. `{list: [{element: ...}]}` of BigQuery counts as one."""
    kind = _kind(schema, name)
    if isinstance(kind, pl.List):
        return _at(name)
    inner = _kind(schema, f"{name}.list")
    return _at(f"{name}.list").list.eval(pl.element().struct.field("element")) if isinstance(inner, pl.List) else None


def flat(rows: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """The fields of a struct column as columns `name.field` beside the others."""
    kind = rows.collect_schema()[name]
    inner: Iterable[str] = [f.name for f in kind.fields] if isinstance(kind, pl.Struct) else ()
    return rows.with_columns(pl.col(name).struct.field(f).alias(f"{name}.{f}") for f in inner).drop(name)


def _at(name: str) -> pl.Expr:
    first, *rest = name.split(".")
    value = pl.col(first)
    for part in rest:
        value = value.struct.field(part)
    return value


def _kind(schema: pl.Schema, name: str) -> pl.DataType | None:
    first, *rest = name.split(".")
    kind = schema.get(first)
    for part in rest:
        fields = {f.name: f.dtype for f in kind.fields} if isinstance(kind, pl.Struct) else {}
        kind = fields.get(part)  # type: ignore[assignment]
    return kind
