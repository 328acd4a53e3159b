"""Commands for the service's API keys; a running service takes a change up with its next request."""

import getpass
import json
import time
from typing import Annotated

import typer
from rich.table import Table

from recloop_pipelines.commands.options import Json
from recloop_pipelines.console import emit, people
from recloop_pipelines.settings import settings

app = typer.Typer(name="keys", help="API keys of the service.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name of the key.")]
Scopes = Annotated[str, typer.Option(help="What it may, with commas: read, write, admin.")]
PerMinute = Annotated[int, typer.Option(min=1, help="Requests a minute; the default is in the scenario's edge.")]
Public = Annotated[bool, typer.Option("--public", help="It stands in a web page: limited by the visitor's address.")]


@app.command()
def add(
    name: Name,
    scopes: Scopes = "read,write",
    per_minute: PerMinute | None = None,
    public: Public = False,
    json: Json = False,
) -> None:
    """Make a key, and show its secret this once.

    Examples:

        recloop keys add shop --scopes read,write

        recloop keys add shop-page --scopes write --public
    """
    from recloop.serving import keyring

    wanted = tuple(scope.strip() for scope in scopes.split(",") if scope.strip())
    first = not settings().keys_file.exists()
    secret = keyring.add(settings().keys_file, name, wanted, per_minute=per_minute, public=public)
    _note("key added", {"name": name, "scopes": list(wanted), "per_minute": per_minute, "public": public})
    if json:
        emit({"name": name, "secret": secret, "scopes": list(wanted), "file": str(settings().keys_file)})
        return
    people().print(f"Key {name} ({', '.join(wanted)}) is in {settings().keys_file}. Its secret, shown this once:")
    typer.echo(secret)
    if first:
        people().print("It is the first: a service that runs without keys asks for them once it is started again.")


@app.command("list")
def list_(json: Json = False) -> None:
    """Show every key, without its secret.

    Example:

        recloop keys list
    """
    from recloop.serving.keys import Keys

    held = Keys.load(settings().keys_file).keys if settings().keys_file.exists() else ()
    if json:
        emit([{"name": k.name, "scopes": k.scopes, "per_minute": k.per_minute, "public": k.public} for k in held])
        return
    table = Table("key", "scopes", "a minute", "", box=None)
    for key in held:
        table.add_row(key.name, ", ".join(key.scopes), str(key.per_minute or ""), "public" if key.public else "")
    people().print(table)


@app.command()
def revoke(name: Name, json: Json = False) -> None:
    """Take a key away. To replace one without a gap, add its successor first.

    Example:

        recloop keys revoke shop
    """
    from recloop.serving import keyring

    keyring.revoke(settings().keys_file, name)
    _note("key revoked", {"name": name})
    if json:
        emit({"revoked": name})
    else:
        people().print(f"Key {name} is revoked.")


@app.command()
def log(json: Json = False) -> None:
    """Show the audit log, after checking that no line of it was changed.

    Example:

        recloop keys log --json
    """
    from recloop_pipelines.listening import audit

    lines = audit().lines()
    if json:
        emit(lines)
        return
    table = Table("time", "who", "what", "detail", box=None)
    for line in lines:
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(line["time"]))
        table.add_row(moment, line["who"], line["what"], _brief(line["detail"]))
    people().print(table)


def _note(what: str, detail: dict[str, object]) -> None:
    from recloop_pipelines.listening import audit

    audit().note(who=getpass.getuser(), what=what, detail=detail, now=time.time())


def _brief(detail: dict[str, object]) -> str:
    return json.dumps(detail)
