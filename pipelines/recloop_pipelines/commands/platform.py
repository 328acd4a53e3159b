"""Commands that start, stop and look at the platform, and show it at work."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from recloop.errors import Stopped
from recloop_pipelines.commands.options import Json, Scenario
from recloop_pipelines.console import emit, people, steps
from recloop_pipelines.places import configuration
from recloop_pipelines.settings import settings

RETAIL = "configs/retail.yaml"
Config = Annotated[str, typer.Option(help="The scenario that the service serves.")]


def demo(
    scenario: Scenario = RETAIL,
    json: Json = False,
    weeks: Annotated[int, typer.Option(min=1, help="Weeks replayed before the second training.")] = 6,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the services at the end.")] = False,
) -> None:
    """The main job on real data: a model released through Airflow, a bad day refused and mended, and a better release by canary.

    Examples:

        recloop demo

        recloop demo --stop --json
    """
    from recloop_pipelines import demo as module

    result = module.demo(configuration(scenario), config_path=Path(scenario), console=people(), weeks=weeks, stop=stop)
    if json:
        emit(result)


def up(scenario: Config = RETAIL, json: Json = False) -> None:
    """Start the embedded services and wait until each answers.

    Example:

        recloop up
    """
    from recloop_pipelines import local

    with steps() as progress, progress.step("services"):
        found = local.up(settings(), config=Path(scenario))
    _show(found, json)


def down(json: Json = False) -> None:
    """Stop the embedded services; what they hold is kept.

    Example:

        recloop down
    """
    from recloop_pipelines import local

    stopped = local.down(settings())
    if json:
        emit({"stopped": stopped})
    else:
        people().print("Stopped." if stopped else "Nothing was running.")


def status(json: Json = False) -> None:
    """Each component with its pid, address and health; fails where one is not healthy.

    Example:

        recloop status --json
    """
    from recloop_pipelines import local

    found = local.status(settings())
    _show(found, json)
    if not all(component["healthy"] for component in found):
        raise Stopped("A component does not answer. Its log is in .recloop/logs; start all with `recloop up`.")


def serve(
    scenario: Config = RETAIL,
    host: Annotated[str, typer.Option(help="Another address than loopback needs API keys.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8080,
    bundle: Annotated[str, typer.Option(help="Serve this folder instead of the pointer's release.")] = "",
    journal: Annotated[str, typer.Option(help="Folder of the journal; the default is in RECLOOP_HOME.")] = "",
    tls_certificate: Annotated[str, typer.Option(help="PEM file with the certificate chain: serve HTTPS.")] = "",
    tls_key: Annotated[str, typer.Option(help="PEM file with the certificate's private key.")] = "",
) -> None:
    """Serve recommendations over HTTP, or HTTPS.

    Example:

        recloop serve --scenario configs/retail.yaml --port 8080
    """
    from recloop_pipelines import serve as module
    from recloop_pipelines.listening import Tls

    tls = Tls.of(tls_certificate, tls_key)
    module.serve(configuration(scenario), host=host, port=port, bundle=bundle, journal=journal, tls=tls)


def replay(
    since: Annotated[datetime, typer.Argument(help="First moment, UTC.")],
    until: Annotated[datetime, typer.Argument(help="End, UTC, not included.")],
    scenario: Config = RETAIL,
    k: Annotated[int, typer.Option(min=1, max=200)] = 10,
    json: Json = False,
) -> None:
    """Play real later events against the service: ask before each basket, then send what was bought.

    Example:

        recloop replay 2017-10-09 2017-10-16
    """
    from recloop_pipelines import feedback as module

    with steps() as progress, progress.step("replay"):
        result = module.play(configuration(scenario), since=since, until=until, k=k)
    if json:
        emit(result)
        return
    for name, value in result.items():
        people().print(f"{name:<24}{value}")


def salvage(
    segments: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Damaged files of the journal.")],
    json: Json = False,
) -> None:
    """Keep the sound records of a damaged journal file, and lay the rest aside.

    The service must be stopped. Records that fit their checksum stay, in order; other bytes are kept beside the file.

    Example:

        recloop salvage .recloop/journal/retail/active.log
    """
    from recloop.serving.segment import salvage as sound

    found = {str(path): [str(aside) for aside in sound(path)] for path in segments}
    if json:
        emit(found)
        return
    for path, aside in found.items():
        people().print(f"{path}: " + (f"laid aside {', '.join(aside)}" if aside else "every record is sound"))


def doctor(scenario: Scenario = RETAIL, json: Json = False) -> None:
    """Check versions, ports, disk, memory and a configuration, and say what to do.

    Example:

        recloop doctor configs/my-shop.yaml
    """
    from recloop_pipelines.doctor import examine

    found = examine(settings(), Path(scenario))
    if json:
        emit([finding.__dict__ for finding in found])
    else:
        table = Table("check", "", "found", "what to do", box=None)
        for f in found:
            colour = {"ok": "green", "warn": "yellow", "fail": "red"}[f.level]
            table.add_row(f.name, f"[{colour}]{f.level}[/]", f.found, f.advice)
        people().print(table)
    if any(f.level == "fail" for f in found):
        raise typer.Exit(3)


def _show(components: list[dict[str, object]], json: bool) -> None:
    if json:
        emit(components)
        return
    table = Table("component", "state", "pid", "address", box=None)
    for c in components:
        state = "[green]healthy[/]" if c["healthy"] else f"[red]{c['state']}[/]"
        table.add_row(str(c["name"]), state, str(c["pid"] or ""), str(c["url"] or ""))
    people().print(table)


COMMANDS: tuple[Callable[..., None], ...] = (demo, up, down, status, serve, replay, salvage, doctor)
