"""A table of models that one protocol judged, beside what others published -> Markdown.

{"title", "protocol", "n", "interval", "columns": [name], "rows": [{"model", "values": [[value, half width or null]], "seeds",
"seconds", "command"}], "published": [{"model", "values": [value or null], "source"}], "notes": [text]}; all but title, protocol,
columns and rows may be missing.
"""


def markdown(run):
    """The section's text below its heading."""
    parts = [head(run), table(run), *notes(run)]
    if run.get("published"):
        parts.insert(2, published(run))
    return "\n\n".join(part for part in parts if part) + "\n"


def head(run):
    """What is judged, how, and on how many."""
    counted = f", n {run['n']:,}" if "n" in run else ""
    interval = f" {run['interval']}." if "interval" in run else ""
    return f"{run['title']}: {run['protocol']}{counted}.{interval}"


def table(run):
    """Our models, in the order of the file."""
    lines = [_line(["model", *run["columns"], "seeds", "seconds"]), _line(["---"] * (len(run["columns"]) + 3))]
    for row in run["rows"]:
        values = [_value(*value) for value in row["values"]]
        lines.append(_line([row["model"], *values, _or(row.get("seeds")), _or(row.get("seconds"))]))
    return "\n".join(lines)


def published(run):
    """What others say of the same protocol."""
    lines = [_line(["published", *run["columns"], "source"]), _line(["---"] * (len(run["columns"]) + 2))]
    lines += [_line([row["model"], *map(_or, row["values"]), row["source"]]) for row in run["published"]]
    return "\n".join(lines)


def notes(run):
    """How each row was made, and what else is to be known."""
    made = [f"- {row['model']}: `{row['command']}`" for row in run["rows"] if row.get("command")]
    return ["\n".join([f"- {note}" for note in run.get("notes", [])] + made)]


def _value(value, half=None):
    shown = _or(value)
    return f"{shown} +- {half:.4f}" if half is not None else shown


def _or(value):
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) and abs(value) < 1 else str(value)


def _line(cells):
    return "| " + " | ".join(cells) + " |"
