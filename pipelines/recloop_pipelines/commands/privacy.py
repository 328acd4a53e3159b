"""`recloop privacy`: pseudonyms, the erasure list, the report of data minimisation, and the search for an id."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from recloop_pipelines.commands.options import Json, Scenario
from recloop_pipelines.console import emit, people
from recloop_pipelines.places import configuration

RETAIL = "configs/retail.yaml"
FOUND = 3
User = Annotated[str, typer.Argument(help="The id as the shop knows it.")]

app = typer.Typer(
    name="privacy",
    help="What is known of people: pseudonym, erase, report, scan. The key is RECLOOP_PRIVACY_KEY of the environment.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@app.command("pseudonym")
def pseudonym(user: User, json: Json = False) -> None:
    """The id under which the store knows a person: what a shop's front end sends to the service.

    Example:

        recloop privacy pseudonym 4711
    """
    from recloop.privacy.pseudonyms import pseudonym as made
    from recloop_pipelines import privacy

    found = made(user, privacy.needed())
    if json:
        emit({"pseudonym": found})
    else:
        typer.echo(found)


@app.command("erase")
def erase(user: User, scenario: Scenario = RETAIL, json: Json = False) -> None:
    """Put a person on the erasure list: from the next ingest on their events are left out.

    Example:

        recloop privacy erase 4711 configs/my-shop.yaml
    """
    from recloop_pipelines import privacy

    config = configuration(scenario)
    made = privacy.erase(config, user)
    if json:
        emit({"pseudonym": made, "listed": len(privacy.erased(config))})
        return
    people().print(
        f"{made} is on the erasure list of {config.scenario} ({len(privacy.erased(config))} in all). Take in the data again "
        f"and train: recloop run {scenario}. Then see what older artefacts still hold: recloop privacy scan ID",
        soft_wrap=True,
    )


@app.command("report")
def report(scenario: Scenario = RETAIL, json: Json = False) -> None:
    """The report of data minimisation of the newest ingest: what entered, and what was left at the door.

    Example:

        recloop privacy report configs/my-shop.yaml --json
    """
    from recloop_pipelines import privacy

    found = privacy.report(configuration(scenario))
    if json:
        emit(found)
    elif found is None:
        people().print("Nothing is asked for in the section privacy: events are stored as they were read.")
    else:
        table = Table("what", "found", box=None, header_style="bold", pad_edge=False)
        for name, value in found.items():
            table.add_row(name, escape(str(value)))
        people().print(table)


@app.command("scan")
def scan(
    user: User,
    folder: Annotated[Path | None, typer.Option(help="Look here; the default is RECLOOP_HOME and the store.")] = None,
    json: Json = False,
) -> None:
    """Look for an id in the clear in every artefact, log, run and report; exit code 3 where there is one.

    Example:

        recloop privacy scan 4711
    """
    from recloop_pipelines import privacy

    found = privacy.scan(user, folder)
    places = [f"{root}: {place}" for root, one in found.items() for place in one.found]
    if json:
        emit({root: asdict(one) for root, one in found.items()})
    else:
        for place in places:
            people().print(place, markup=False, soft_wrap=True)
        files, size = sum(f.files for f in found.values()), sum(f.bytes for f in found.values())
        people().print(f"{len(places):,} places hold the id, of {files:,} files ({size / 1e6:,.1f} MB).")
    if places:
        raise typer.Exit(FOUND)
