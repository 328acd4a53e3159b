"""Commands about models as such: compare kinds, choose settings, describe what was released."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from recloop_pipelines.commands.options import Json
from recloop_pipelines.console import emit, people, steps

if TYPE_CHECKING:
    from recloop.evaluation.comparison import Comparison

Data = Annotated[
    str, typer.Option(help="A scenario (YAML or its name), or a file: sequences (.txt) or a table of events.")
]
Format = Annotated[str, typer.Option(help="sequences or interactions; by default by the file's ending.")]
Overlay = Annotated[
    Path | None, typer.Option(help="YAML with any of the sections data, split, model, trainer, evaluation.")
]
Sets = Annotated[
    list[str] | None, typer.Option("--set", help="One setting, such as model.sasrec.epochs=3; many times.")
]
Repeats = Annotated[
    bool, typer.Option("--repeats", help="Items that a user already took may be shown and are answers.")
]
LEAK = "leak"


def compare(
    data: Data,
    models: Annotated[str, typer.Option(help="Kinds of model, by commas; name=kind gives one a name of its own.")],
    format_: Annotated[
        str, typer.Option("--format", help="sequences or interactions; by default by the file's ending.")
    ] = "",
    protocol: Annotated[
        str, typer.Option(help="temporal, leave_last_out or rolling; by default as the data is split.")
    ] = "",
    config: Overlay = None,
    set_: Sets = None,
    seeds: Annotated[int, typer.Option(min=1, help="Fits of each model, with seeds from `seed` on.")] = 3,
    folds: Annotated[int, typer.Option(min=2, help="Windows of time where the protocol is rolling.")] = 3,
    k: Annotated[int, typer.Option(min=1, help="Length of a list.")] = 10,
    repeats: Repeats = False,
    metric: Annotated[str, typer.Option(help="What rows are ordered and gaps are tested by.")] = "ndcg",
    baseline: Annotated[
        str, typer.Option(help="What all are measured against; by default the best that needs no training.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Folder of results; what is there is not done again.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Do every round again.")] = False,
    canary: Annotated[
        bool, typer.Option("--canary", help="Fit each model once more on another future: nothing may change.")
    ] = False,
    mlflow: Annotated[bool, typer.Option(help="Log the table and every fit.")] = True,
    plain: Annotated[bool, typer.Option("--plain", help="The table on standard output, by tabs.")] = False,
    json: Json = False,
) -> None:
    """Fit several kinds of model on one protocol and put them into one table, with intervals, seeds and costs.

    Each fit runs in a process of its own, so that peak memory is its own. A run that was stopped goes on where it was.

    Examples:

        recloop compare --data retail --models popularity,frequency,item_knn,two_stage --protocol rolling --repeats

        recloop compare --data Beauty.txt --models popularity,item_to_item,sasrec --set model.sasrec.epochs=30

        recloop compare --data clicks.csv --set data.columns.user_id=visitor --models ease,als --seeds 1 --json

        recloop compare --data retail --models ease,loose=ease --set loose:model.ease.l2=20 --canary
    """
    from recloop_pipelines.comparing import Asked
    from recloop_pipelines.comparing import compare as compared

    asked = Asked(
        data=data,
        models=tuple(word.strip() for word in models.split(",") if word.strip()),
        format=format_,
        protocol=protocol,
        config=config,
        sets=tuple(set_ or ()),
        seeds=seeds,
        k=k,
        folds=folds,
        repeats=repeats,
        baseline=baseline,
        metric=metric,
        out=out,
        fresh=fresh,
        canary=canary,
        mlflow=mlflow,
    )
    with steps() as progress:
        found, folder = compared(asked, progress)
    _show(found, folder, json=json, plain=plain)


def _show(found: "Comparison", folder: Path, *, json: bool, plain: bool) -> None:
    from recloop.evaluation.comparison_table import head, note, rows

    if json:
        import orjson

        emit(orjson.loads(found.dumps()) | {"folder": str(folder)})
        return
    if plain:
        for row in rows(found):
            typer.echo("\t".join(row))
        return
    first, *rest = rows(found)
    table = Table(*first, title=head(found), title_justify="left", box=None, row_styles=["", "dim"])
    for row in rest:
        table.add_row(*row)
    _wide(len(first)).print(table)
    people().print(note(found))
    for finding in found.findings:
        if finding.level != "ok":
            colour = "red" if finding.level == LEAK else "yellow"
            people().print(f"[{colour}]{finding.level}[/] {finding.name}: {finding.text}")
    people().print(f"Everything is in {folder}: comparison.json, comparison.md, comparison.png, rounds/")


def _wide(columns: int) -> Console:
    """Not narrower than the table needs where nobody looks at it in a terminal."""
    console = people()
    if not console.is_terminal:
        console.width = max(console.width, 30 + 40 * (columns - 1))
    return console


def tune(
    data: Annotated[str, typer.Argument(help="A scenario (YAML or its name), or a file of sequences or events.")],
    model: Annotated[str, typer.Option(help="The kind whose settings are looked for.")],
    trials: Annotated[
        int, typer.Option(min=1, help="Trials that the study has in the end, those of earlier runs included.")
    ] = 20,
    format_: Annotated[
        str, typer.Option("--format", help="sequences or interactions; by default by the file's ending.")
    ] = "",
    protocol: Annotated[str, typer.Option(help="temporal or leave_last_out; by default as the data is split.")] = "",
    config: Overlay = None,
    set_: Sets = None,
    workers: Annotated[int, typer.Option(min=1, help="Trials at once; other processes may work on the study too.")] = 1,
    metric: Annotated[str, typer.Option(help="What is made great.")] = "ndcg",
    k: Annotated[int, typer.Option(min=1, help="Length of a list.")] = 10,
    repeats: Repeats = False,
    seconds: Annotated[float | None, typer.Option(help="No trial begins after this long.")] = None,
    prune: Annotated[bool, typer.Option(help="Give up what is bad on a quarter of the users.")] = True,
    out: Annotated[Path | None, typer.Option(help="Folder of best.yaml and trials.json.")] = None,
    mlflow: Annotated[bool, typer.Option(help="Log the study and every trial.")] = True,
    json: Json = False,
) -> None:
    """Look for the settings of one kind on the window before the test; the test is never looked at.

    The study lies in the data base of the settings (RECLOOP_DATABASE), else in a file of the home: the same command goes on
    with it, and the same command on another machine helps.

    Examples:

        recloop tune retail --model two_stage --trials 20

        recloop tune Beauty.txt --model sasrec --trials 40 --workers 2 --set model.sasrec.epochs=10
    """
    from dataclasses import asdict

    from recloop_pipelines.tuning import Asked
    from recloop_pipelines.tuning import tune as tuned

    asked = Asked(
        data=data,
        model=model,
        trials=trials,
        format=format_,
        protocol=protocol,
        config=config,
        sets=tuple(set_ or ()),
        workers=workers,
        metric=metric,
        k=k,
        repeats=repeats,
        seconds=seconds,
        prune=prune,
        out=out,
        mlflow=mlflow,
    )
    with steps() as progress:
        found = tuned(asked, progress)
    if json:
        emit(asdict(found))
        return
    table = Table("setting", "best", title=f"{found.model}, study {found.study}", title_justify="left", box=None)
    for name, value in found.settings.items():
        table.add_row(name, f"{value:.4g}" if isinstance(value, float) else str(value))
    people().print(table)
    before = "" if found.first is None else f", {found.first:.4f} as configured"
    states = [t["state"] for t in found.trials]
    counts = ", ".join(f"{states.count(s)} {s}" for s in ("complete", "pruned", "fail") if s in states)
    people().print(f"{found.metric} {found.value:.4f}{before}, on the window before the test; trials: {counts}.")
    people().print(f"Use them: recloop compare --data {data} --models {model} --config {found.folder}/best.yaml")


def card(
    model: Annotated[
        str, typer.Argument(help="URI of a release or a model; or a scenario, whose serving release is meant.")
    ],
    scorecard: Annotated[str, typer.Option(help="URI of a scorecard, for a model that was not released.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder of card.md and card.html.")] = None,
    json: Json = False,
) -> None:
    """Write the model card of a release: data, protocol, figures with intervals, slices, limits, training, hashes.

    Examples:

        recloop card retail

        recloop card file:///shared/store/retail/release/20240415T120000 --out cards/
    """
    from recloop_pipelines.carding import default_out, describe

    paths = describe(model, out or default_out(model), scorecard=scorecard)
    if json:
        emit({"files": [str(path) for path in paths]})
        return
    for path in paths:
        people().print(str(path), soft_wrap=True)


COMMANDS: tuple[Callable[..., None], ...] = (compare, tune, card)
