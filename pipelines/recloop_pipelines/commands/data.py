"""Commands about data: public sets by name, and whether training and serving see the same."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from recloop_pipelines.commands.options import Json, Scenario
from recloop_pipelines.console import emit, people, steps
from recloop_pipelines.settings import opened, settings

if TYPE_CHECKING:
    from recloop.data.public.sets import PublicSet

DETAILED = 5
"""so few sets are shown with their terms"""
NOTE = """Name a set for its terms: most allow research only. Amazon reviews 2023 come by category, {} sets more: recloop data
list amazon-2023. What is fetched lies in {}."""

app = typer.Typer(
    name="data",
    help="Public data sets by name, and whether training and serving see the same features.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@app.command("list")
def list_(
    words: Annotated[list[str] | None, typer.Argument(help="Only sets whose name or title has every word.")] = None,
    json: Json = False,
) -> None:
    """Show the public sets: size, terms, how exactly events are dated, and whether each is here.

    Examples:

        recloop data list

        recloop data list amazon-2023 beauty --json
    """
    from recloop.data.public.catalogue import CATEGORIES, SETS, known

    asked = [word.lower() for word in words or ()]
    every = [*SETS.values(), *(known(name) for name in CATEGORIES)] if asked else list(SETS.values())
    found = [s for s in every if all(word in f"{s.name} {s.title}".lower() for word in asked)]
    if asked and not found:
        known(" ".join(words or ()))
    if json:
        emit([_facts(s) for s in found])
        return
    people().print(_table(found))
    for one in found if len(found) <= DETAILED else ():
        people().print(_terms(one), markup=False, soft_wrap=True)
    people().print(NOTE.format(len(CATEGORIES), settings().sets), markup=False, soft_wrap=True)


@app.command("parity")
def parity(
    scenario: Scenario,
    events: Annotated[int, typer.Option(min=1, help="The newest events of the newest dataset.")] = 100_000,
    json: Json = False,
) -> None:
    """Compare features as the service computes them, event by event, with those of training, value by value.

    Example:

        recloop data parity configs/retail.yaml --events 100000
    """
    from recloop.data.dataset import Dataset
    from recloop_pipelines.parity import parity as compared
    from recloop_pipelines.places import configuration, required

    config = configuration(scenario)
    dataset = Dataset.load(opened(required(config, "dataset"), kind="dataset").path)
    found = compared(dataset, config.model.candidates, events=events)
    if json:
        emit(asdict(found))
        return
    people().print(
        f"{found.values:,} values of {found.events:,} events at {found.moments:,} moments were compared; "
        f"{sum(found.differing.values()):,} differ, by {found.largest:g} at most.",
        *(f"  {name}: {n:,} differ" for name, n in found.differing.items()),
        sep="\n",
        markup=False,
        soft_wrap=True,
    )


@app.command("fetch")
def fetch(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names of `recloop data list`.")],
    json: Json = False,
) -> None:
    """Fetch public sets, each once; an interrupted download goes on. RECLOOP_DATA_MIRROR (a folder or URL) is asked first.

    Examples:

        recloop data fetch ml-100k beauty

        RECLOOP_DATA_MIRROR=/srv/data recloop data fetch amazon-2023/All_Beauty
    """
    from recloop.data.public.catalogue import known
    from recloop_pipelines.sets import fetched

    sets = [known(name) for name in names]
    with steps() as progress:
        for found in sets:
            with progress.step(found.name):
                fetched(found.name)
    if json:
        emit([_facts(found) for found in sets])
        return
    for found in sets:
        people().print(
            f"{_terms(found)}\n  in {settings().sets / found.name}\n{_use(found)}", markup=False, soft_wrap=True
        )


def _use(found: "PublicSet") -> str:
    """What a fetched set is good for, as it is typed."""
    from recloop.data.public.catalogue import sections

    if found.name.startswith("open-bandit"):
        return "  for off-policy evaluation: components/recloop/bandits/logged.py reads it; it names no users"
    if not found.use.startswith("data:"):
        return f"  in a scenario: {found.use.format(found.name)}"
    lines = (f"    {name}: {orjson.dumps(value).decode()}" for name, value in sections(found.name).items())
    return f"  recloop compare --data {found.name} --models popularity,item_to_item\n  in a scenario:\n" + "\n".join(
        lines
    )


def _facts(found: "PublicSet") -> dict[str, Any]:
    """One set for machines."""
    return {
        "name": found.name,
        "title": found.title,
        "users": found.users,
        "items": found.items,
        "events": found.events,
        "time": found.time,
        "bytes": found.bytes,
        "licence": found.licence,
        "cite": found.cite,
        "page": found.page,
        "reader_saw": "the real files" if found.seen else "the documented format",
        "downloads": [{"url": d.url, "digest": d.digest} for form in found.forms for d in form.downloads],
        "by_hand": found.by_hand,
        "here": str(settings().sets / found.name) if found.ready(settings().sets / found.name) else None,
    }


def _table(sets: "list[PublicSet]") -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("name", "events", "MB", "dated by", "here", "what"):
        right = name in {"events", "MB"}
        table.add_column(name, justify="right" if right else "left", no_wrap=name != "what")
    for found in sets:
        events = f"{found.events:,}" if found.events else "?"
        size = "by hand" if not found.forms[0].downloads else f"{found.bytes / 1e6:,.1f}" if found.bytes else "?"
        here = "yes" if found.ready(settings().sets / found.name) else ""
        table.add_row(found.name, events, size, found.time, here, escape(found.title))
    return table


def _terms(found: "PublicSet") -> str:
    counts = ", ".join(f"{n:,} {what}" for n, what in ((found.users, "users"), (found.items, "items")) if n is not None)
    reader = "the real files" if found.seen else "the documented format only"
    return (
        f"{found.name}: {counts or 'users and items not stated'}\n  licence: {found.licence}\n  cite: {found.cite}\n"
        f"  page: {found.page}\n  reader tried on {reader}"
    )
