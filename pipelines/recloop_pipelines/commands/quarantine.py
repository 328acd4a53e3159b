"""`recloop quarantine`: look at what checks set aside, repair it, let it in again."""

import getpass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from recloop_pipelines.commands.options import Json, Scenario
from recloop_pipelines.console import emit, people
from recloop_pipelines.places import configuration

RETAIL = "configs/retail.yaml"
SHOWN = 20
Name = Annotated[str, typer.Option("--case", help="Name of a case of `list`; the default is the newest good check.")]

app = typer.Typer(
    name="quarantine",
    help="Rows that checks set aside: list, show, readmit.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@app.command("list")
def list_(scenario: Scenario = RETAIL, json: Json = False) -> None:
    """Every failed check and the newest good one: rows refused by reason, and findings.

    Example:

        recloop quarantine list configs/my-shop.yaml
    """
    from recloop_pipelines import quarantine

    found = [_facts(case) for case in quarantine.cases(configuration(scenario))]
    if json:
        emit(found)
        return
    table = Table("case", "set aside", "rows", "what to do", box=None, header_style="bold", pad_edge=False)
    for case in found:
        for reason, rows in case["refused"].items():
            table.add_row(case["case"], reason, f"{rows:,}", "")
        for finding in case["findings"]:
            table.add_row(
                case["case"], f"{finding['check']} {finding['day']}", f"{finding['rows']:,}", escape(finding["remedy"])
            )
    people().print(table)


@app.command("show")
def show(
    scenario: Scenario = RETAIL,
    case: Name = "checked",
    reason: Annotated[
        str, typer.Option(help="A reason, or a finding such as 'rows 2024-05-01'; the default is all.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Write the rows to this CSV or Parquet file, for repair.")] = None,
    json: Json = False,
) -> None:
    """The rows of one case.

    Examples:

        recloop quarantine show configs/my-shop.yaml --reason orphan_item

        recloop quarantine show configs/my-shop.yaml --case 20260101T020000 --out rows.csv
    """
    import polars as pl

    from recloop_pipelines import quarantine

    found = quarantine.case(configuration(scenario), case)
    named = found.concerned.with_columns(reason="finding") if found.concerned.width else found.concerned
    rows = pl.concat([found.refused, named.drop("finding", strict=False)], how="diagonal")
    if reason:
        rows = rows.filter(pl.col("reason") == reason)
    if out is not None:
        (rows.write_parquet if out.suffix == ".parquet" else rows.write_csv)(out)
    if json:
        emit({"case": case, "rows": rows.height, "first": rows.head(SHOWN).to_dicts()})
        return
    table = Table(*rows.columns, box=None, header_style="bold", pad_edge=False)
    for row in rows.head(SHOWN).rows():
        table.add_row(*("" if value is None else escape(str(value)) for value in row))
    people().print(table)
    people().print(f"{min(SHOWN, rows.height):,} of {rows.height:,} rows{f'; all are in {out}' if out else ''}")


@app.command("readmit")
def readmit(
    scenario: Scenario = RETAIL,
    finding: Annotated[list[str] | None, typer.Option(help="Let a finding pass, such as 'rows 2024-05-01'.")] = None,
    case: Annotated[str, typer.Option(help="Let every finding of a case pass.")] = "",
    rows: Annotated[Path | None, typer.Option(help="Repaired rows, which replace those of their event ids.")] = None,
    json: Json = False,
) -> None:
    """Let findings pass, or give repaired rows; both count from the next `recloop ingest` on.

    Examples:

        recloop quarantine readmit configs/my-shop.yaml --finding 'rows 2024-05-01'

        recloop quarantine readmit configs/my-shop.yaml --rows repaired.csv
    """
    from recloop_pipelines import quarantine

    config = configuration(scenario)
    if not (finding or case or rows):
        raise typer.BadParameter("Say what: --finding, --case or --rows.")
    keys = [*(finding or ()), *(_keys(quarantine.case(config, case)) if case else ())]
    done: dict[str, Any] = {"rows": quarantine.repair(config, rows) if rows else 0}
    done["allowed"] = (
        quarantine.allow(config, keys, by=getpass.getuser()) if keys else sorted(quarantine.allowed(config))
    )
    if json:
        emit(done)
        return
    people().print(
        f"{done['rows']:,} repaired rows and {len(keys):,} findings are let in at the next check: recloop ingest {scenario}"
    )


def _keys(case: Any) -> list[str]:
    return [f"{f['check']} {f['day']}" for f in case.findings]


def _facts(case: Any) -> dict[str, Any]:
    refused = dict(sorted(case.refused["reason"].value_counts().rows()))
    return {"case": case.name, "refused": refused, "findings": case.findings}
