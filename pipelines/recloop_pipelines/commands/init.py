"""`recloop init`: a stranger's data -> a scenario."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from recloop.errors import BadConfig
from recloop_pipelines.commands.options import Json
from recloop_pipelines.console import emit, people

if TYPE_CHECKING:
    from recloop_pipelines.onboarding import Onboarded

WIDTH = 40
EVENTS = """CSV, Parquet or JSON lines: a path, a folder of partitions, a pattern or s3://. With --database: a table or a SELECT.
A topic of Kafka: kafka://host:port/topic. Exports of Google Analytics 4, Shopify, WooCommerce and Segment are recognised."""

Pairs = Annotated[
    list[str] | None, typer.Option(metavar="NAME=COLUMN", help="Where a canonical column is; repeatable.")
]
Words = Annotated[
    list[str] | None, typer.Option("--kind", metavar="WORD=KIND", help="What a word of the event column means.")
]


def init(
    name: Annotated[str, typer.Argument(help="Name of the scenario: small letters, digits and dashes.")],
    events: Annotated[str, typer.Option(help=EVENTS)],
    items: Annotated[str, typer.Option(help="The catalogue, given as the events are.")] = "",
    users: Annotated[str, typer.Option(help="Attributes of users, one row each, given as the events are.")] = "",
    database: Annotated[str, typer.Option(help="SQLAlchemy URL; ${NAME} stands for an environment variable.")] = "",
    column: Pairs = None,
    item_column: Pairs = None,
    user_column: Annotated[str, typer.Option(help="Of the table of users: the column of the user's id.")] = "",
    kind: Words = None,
    event: Annotated[str, typer.Option(help="Kind of every event, where no column says it.")] = "",
    timezone: Annotated[str, typer.Option(help="Of times that name no zone, such as Europe/Berlin.")] = "",
    time_format: Annotated[str, typer.Option(help="strftime form of the times, such as %d/%m/%Y.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the scenario's YAML.")] = False,
    json: Json = False,
) -> None:
    """Look at your data, say what is understood and what is doubtful, and write configs/NAME.yaml.

    Examples:

        recloop init my-shop --events exports/orders.csv --items exports/products.csv --users exports/people.csv

        recloop init my-shop --events kafka://broker:9092/orders --items exports/products.csv

        recloop init my-shop --events orders --items products --database 'postgresql://reader:${SHOP_PASSWORD}@host/shop'

        recloop init my-shop --events log/ --column user_id=visitor --kind transaction=purchase --timezone Europe/Berlin
    """
    from recloop.data.onboarding.understand import Hints
    from recloop_pipelines.onboarding import onboard

    hints = Hints(
        columns=_pairs(column, "--column"),
        item_columns=_pairs(item_column, "--item-column"),
        user_column=user_column,
        kinds={word.lower(): meant for word, meant in _pairs(kind, "--kind").items()},
        event=event,
        timezone=timezone,
        time_format=time_format,
    )
    done = onboard(name, events=events, items=items, users=users, database=database, hints=hints, force=force)
    if json:
        emit(_facts(done))
    else:
        _show(done)


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    wrong = [pair for pair in given or () if "=" not in pair]
    if wrong:
        raise BadConfig(f"{option} {wrong[0]!r} is not of the form NAME=VALUE.")
    return {pair.partition("=")[0]: pair.partition("=")[2] for pair in given or ()}


def _facts(done: "Onboarded") -> dict[str, Any]:
    """All of it for machines."""
    understood = done.understood
    return {
        "scenario": done.config.scenario,
        "config": str(done.path),
        "layout": understood.layout,
        "columns": [vars(read) for read in understood.columns],
        "time": {"form": understood.time, "zone": done.config.data.timezone},
        "kinds": [{"word": word, "rows": rows, "kind": kind or None} for word, rows, kind in understood.words],
        **done.limits.facts,
        "doubts": list(done.doubts),
    }


def _show(done: "Onboarded") -> None:
    """For people: columns, words, figures, doubts, what to type next."""
    console = people()
    console.print(_columns(done))
    for word, rows, kind in done.understood.words:
        console.print(f"  {word} ({rows:,} rows) is {kind or 'not known'}", markup=False)
    console.print(_figures(done.limits.facts), markup=False, soft_wrap=True)
    for doubt in done.doubts:
        console.print(f"[yellow]?[/] {escape(doubt)}", soft_wrap=True)
    console.print(f"{done.path} is written. Next: recloop run {done.path}", markup=False, soft_wrap=True)


def _columns(done: "Onboarded") -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("table", "read as", "from column", "such as"):
        table.add_column(name)
    for read in done.understood.columns:
        how = f" ({done.understood.time})" if read.canonical == "time" else ""
        example = read.example if len(read.example) <= WIDTH else f"{read.example[:WIDTH]}..."
        table.add_row(read.table, read.canonical, escape(read.column), escape(example + how))
    return table


def _figures(facts: dict[str, Any]) -> str:
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in facts["kinds"].items())
    return (
        f"{facts['rows']:,} events ({kinds}) of {facts['users']:,} users and {facts['items']:,} items, "
        f"{facts['first']} to {facts['last']}; {facts['repeats']:.1%} of what a user took was taken again on another day."
    )


COMMANDS: tuple[Callable[..., None], ...] = (init,)
"""The commands of `recloop`."""
