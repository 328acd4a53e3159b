"""The JSON object of a benchmark of speed -> Markdown: its scalars as one table, lists of objects as tables of their own."""

LEFT_OUT = ("curves", "curve", "benchmark", "recipe", "alarms", "classes", "found_by", "missed", "smallest")
LEFT_OUT += ("true_findings", "units")
"""long, or said elsewhere"""


def markdown(run):
    """The section's text below its heading."""
    models = run.get("models", {})
    scalars, tables = parts({name: value for name, value in run.items() if name != "models"})
    found = ["| what | value |\n|---|---|\n" + "\n".join(f"| {name} | {_shown(value)} |" for name, value in scalars)]
    found += [f"{name}:\n\n{table(rows)}" for name, rows in tables]
    found += [estimates(models)] if models else []
    return "\n\n".join(found) + "\n"


def estimates(models):
    """model -> name -> mean, bounds, users: a row a name, a column a model."""
    lines = ["| | n | " + " | ".join(models) + " |", "|---" * (len(models) + 2) + "|"]
    for name, first in next(iter(models.values())).items():
        cells = [
            f"{own[name]['mean']:.4f} [{own[name]['low']:.4f}, {own[name]['high']:.4f}]" for own in models.values()
        ]
        lines.append(f"| {name} | {first['n']:,} | " + " | ".join(cells) + " |")
    seeds = len(next(iter(next(iter(models.values())).values()))["seeds"])
    return "\n".join([*lines, "", f"Mean over {seeds} seeds, 95 % over n users."])


def parts(run, before=""):
    """Scalars with dotted names, and lists of objects with theirs, in the order of the file."""
    scalars, tables = [], []
    for key, value in run.items():
        name = f"{before}{key}"
        if key in LEFT_OUT:
            continue
        if isinstance(value, dict):
            more = parts(value, f"{name}.")
            scalars += more[0]
            tables += more[1]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            tables.append((name, value))
        else:
            scalars.append((name, value))
    return scalars, tables


def table(rows):
    """Objects, a row each, with the scalars of the first as columns."""
    heads = [name for name, value in rows[0].items() if not isinstance(value, dict | list)]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(_shown(row.get(name)) for name in heads) + " |" for row in rows]
    return "\n".join(lines)


def _shown(value):
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return str(round(value, 4)) if isinstance(value, float) else str(value).replace("|", "/")
