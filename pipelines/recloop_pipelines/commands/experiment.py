"""Commands of experiments on the users of the running service."""

from math import inf
from pathlib import Path
from typing import Annotated, Any

import typer

from recloop.errors import BadConfig, BadData
from recloop_pipelines.commands.options import Json, share
from recloop_pipelines.console import emit, people
from recloop_pipelines.places import configuration
from recloop_pipelines.yamls import mapping

RETAIL = "configs/retail.yaml"
Name = Annotated[str, typer.Argument(help="Of the experiment.")]
ScenarioOption = Annotated[str, typer.Option("--scenario", help="A scenario's YAML, or the name of one in configs/.")]
app = typer.Typer(name="experiment", help="A/B tests on the users of the running service.", no_args_is_help=True)


@app.command()
def start(
    name: Name,
    policy: Annotated[str, typer.Option(help="The treatment: epsilon_greedy=0.1, softmax=0.5, ...")] = "",
    release: Annotated[str, typer.Option(help="Or: URI of another release.")] = "",
    file: Annotated[Path | None, typer.Option(help="Or: a YAML design with any number of variants.")] = None,
    allocation: Annotated[str, typer.Option(help="Share of the users that take part.")] = "100%",
    metric: Annotated[str, typer.Option(help="hits, clicks, purchases or revenue.")] = "hits",
    effect: Annotated[str, typer.Option(help="The smallest change that matters.")] = "5%",
    layer: Annotated[str, typer.Option(help="Experiments of one layer share no user.")] = "default",
    json: Json = False,
) -> None:
    """Start comparing what serves with one policy, one release, or the variants of a file.

    Examples:

        recloop experiment start greedy --policy epsilon_greedy=0.05 --allocation 20%

        recloop experiment start three-ways --file design.yaml
    """
    from recloop_pipelines.service_api import asked

    if sum(map(bool, (policy, release, file))) != 1:
        raise BadConfig("Give one of --policy, --release and --file: what is compared with what serves.")
    treatment = {"name": "treatment", "policy": policy, "release": release}
    design: dict[str, Any] = {"variants": [{"name": "control"}, treatment], "metric": metric, "layer": layer}
    design |= {"allocation": share(allocation, "--allocation"), "effect": share(effect, "--effect")}
    made = asked(
        "POST", "/v1/experiments", (mapping(file, "with the key variants") if file else design) | {"name": name}
    )
    if json:
        emit(made)
    else:
        low, high = made["part"]
        people().print(f"{name} is running on {high - low:.0%} of the users. See it: recloop experiment report {name}")


@app.command()
def status(json: Json = False) -> None:
    """Every experiment of the running service.

    Example:

        recloop experiment status
    """
    from rich.table import Table

    from recloop_pipelines.service_api import asked

    found = asked("GET", "/v1/experiments")
    if json:
        emit(found)
        return
    table = Table("experiment", "variants", "layer", "users", "decided on", "state")
    for one in found["experiments"]:
        design = one["design"]
        told = [f"{v['name']} {v['share']:g} {v['release'] or v['policy']}".strip() for v in design["variants"]]
        state = "running" if one["until"] is None else "stopped"
        share_of = f"{one['part'][1] - one['part'][0]:.0%}"
        table.add_row(design["name"], "\n".join(told), design["layer"], share_of, design["metric"], state)
    people().print(table)
    for name, reason in found["degraded"].items():
        people().print(f"{name}: {reason}")


@app.command()
def stop(name: Name, json: Json = False) -> None:
    """End an experiment; its users get what everybody gets.

    Example:

        recloop experiment stop greedy
    """
    from recloop_pipelines.service_api import asked

    ended = asked("POST", f"/v1/experiments/{name}/stop")
    if json:
        emit(ended)
    else:
        people().print(f"{name} is stopped. What it showed: recloop experiment report {name}")


@app.command()
def report(
    name: Name,
    scenario: ScenarioOption = RETAIL,
    out: Annotated[Path | None, typer.Option(help="Folder; the default is <home>/experiments/NAME.")] = None,
    json: Json = False,
) -> None:
    """What an experiment shows by now, as a page for whoever decides. Looking early or often costs nothing.

    Example:

        recloop experiment report greedy
    """
    from recloop_pipelines import experiments
    from recloop_pipelines.settings import settings

    config = configuration(scenario)
    running = experiments.one(config, name)
    found = experiments.measured(config, running)
    told = experiments.write(config, running, found, out or settings().folder / "experiments" / name)
    if json:
        emit(told)
    else:
        _show(told)


@app.command()
def log(
    out: Annotated[Path, typer.Argument(help="Parquet file to write.")],
    scenario: ScenarioOption = RETAIL,
    json: Json = False,
) -> None:
    """Write what exploring answers showed, might have shown and earned, for `recloop bandit evaluate`.

    Examples:

        recloop experiment log answers.parquet

        recloop bandit evaluate answers.parquet --policy softmax=0.5
    """
    from recloop.feedback.explored import explored
    from recloop_pipelines import experiments

    config = configuration(scenario)
    found = explored(experiments.records(config), hours=config.feedback.attribution_hours)
    if found.is_empty():
        raise BadData(
            "No answer of the journal explored. Start an experiment with a policy: `recloop experiment start --help`."
        )
    found.write_parquet(out)
    told = {"file": str(out), "answers": found["receipt_id"].n_unique(), "candidates": found.height}
    if json:
        emit(told)
    else:
        people().print(f"{told['answers']:,} answers with {told['candidates']:,} candidates are in {out}.")


@app.command()
def power(
    mean: Annotated[float, typer.Option(help="Of the metric, a user.")],
    deviation: Annotated[float, typer.Option(help="Standard deviation of the metric over users.")],
    effect: Annotated[str, typer.Option(help="The change to be found.")] = "5%",
    daily: Annotated[float, typer.Option(help="New users a day.", min=0)] = 0.0,
    allocation: Annotated[str, typer.Option(help="Share of the users that take part.")] = "100%",
    treated: Annotated[str, typer.Option(help="Share of those that get the treatment.")] = "50%",
    chance: Annotated[float, typer.Option("--power", help="Chance to find the change.", min=0.01, max=0.999)] = 0.8,
    alpha: Annotated[float, typer.Option(min=0.0001, max=0.5)] = 0.05,
    explained: Annotated[float, typer.Option(help="Share of the variance that CUPED removes.", min=0, max=0.99)] = 0.0,
    json: Json = False,
) -> None:
    """How many users, and days, an experiment needs: looked at once at the end, and looked at all the time.

    Example:

        recloop experiment power --mean 0.12 --deviation 0.35 --effect 5% --daily 4000 --allocation 50%
    """
    from recloop.evaluation.experiments.power import Plan, always_valid, days, fixed

    plan = Plan(mean, deviation, share(effect, "--effect"), share(treated, "--treated"), alpha, chance, explained)
    users = {"one_look": fixed(plan), "every_look": always_valid(plan)}
    part = share(allocation, "--allocation")
    needed = {name: days(n, daily=daily, allocation=part) for name, n in users.items()} if daily else {}
    if json:
        emit({"users": users, "days": needed, "power": chance, "alpha": alpha})
        return
    for name, text in {"one_look": "one look, at the end", "every_look": "a look whenever one likes"}.items():
        time = f", {needed[name]:,.1f} days" if needed else ""
        people().print(f"{text}: {users[name]:,} users in all variants{time}")


def _show(told: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("metric", "variant", "control", "its own", "change", "low", "high", "p", "verdict")
    for one in told["results"]["comparisons"]:
        numbers = [f"{one[key]:.4g}" for key in ("control", "value")]
        known = one["low"] > -inf
        bounds = [f"{one[key]:+.1%}" if known else "-" for key in ("lift", "low", "high")]
        table.add_row(one["metric"], one["variant"], *numbers, *bounds, f"{one['p_value']:.2g}", one["verdict"])
    people().print(table)
    for text in told["headline"]:
        people().print(text, soft_wrap=True)
    people().print(f"The page: {told['report']}")
