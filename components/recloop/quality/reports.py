"""Great Expectations runs here: frames and suites in, results and static HTML out; nothing kept between calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

OBSERVED = 5
"""unexpected values that a result quotes"""


@dataclass(frozen=True)
class Result:
    """One expectation and what was found. Carries no time and no run id."""

    suite: str
    expectation: str
    column: str | None
    limits: dict[str, Any]
    """the expectation's arguments"""
    ok: bool
    unexpected: int
    examples: tuple[str, ...]


def run(suites: Mapping[str, tuple[gx.ExpectationSuite, pd.DataFrame]], *, docs: Path) -> tuple[Result, ...]:
    """Suites with their frames -> results by suite and column; writes Data Docs (docs/index.html) in any case.

    An empty suite gives one failed result, so that nothing passes unjudged. The documents carry the time of the run:
    they are for people and belong to no artefact.
    """
    docs.mkdir(parents=True, exist_ok=True)
    context = gx.get_context(mode="ephemeral", project_config=_project(docs))
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    results = [r for name, (suite, frame) in suites.items() for r in _validated(context, name, suite, frame)]
    context.build_data_docs()
    return tuple(results)


def _project(docs: Path) -> DataContextConfig:
    site = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs.resolve())},
    }
    return DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        data_docs_sites={"docs": site},
        analytics_enabled=False,
    )


def _validated(context: Any, name: str, suite: gx.ExpectationSuite, frame: pd.DataFrame) -> list[Result]:
    asset = context.data_sources.add_pandas(name).add_dataframe_asset(name)
    definition = gx.ValidationDefinition(
        name=name, data=asset.add_batch_definition_whole_dataframe(name), suite=context.suites.add(suite)
    )
    checkpoint = gx.Checkpoint(
        name=name, validation_definitions=[context.validation_definitions.add(definition)], result_format="BASIC"
    )
    done = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": frame})
    found = [_result(name, r.to_json_dict()) for validation in done.run_results.values() for r in validation.results]
    found.sort(key=lambda r: (r.column or "", r.expectation))
    return found or [Result(name, "the suite has expectations", None, {}, False, 0, ())]


def _result(suite: str, raw: dict[str, Any]) -> Result:
    config, found = raw["expectation_config"], raw["result"]
    limits = {k: v for k, v in config["kwargs"].items() if k not in {"batch_id", "column"}}
    examples = found.get("partial_unexpected_list") or []
    return Result(
        suite=suite,
        expectation=config["type"],
        column=config["kwargs"].get("column"),
        limits=limits,
        ok=bool(raw["success"]),
        unexpected=int(found.get("unexpected_count") or 0),
        examples=_raised(raw["exception_info"]) or tuple(str(e) for e in examples[:OBSERVED]),
    )


def _raised(info: dict[str, Any]) -> tuple[str, ...]:
    """Messages of what an expectation raised: one, or one a metric by its name."""
    each = [info] if "exception_message" in info else list(info.values())
    return tuple(sorted({str(one["exception_message"]) for one in each if one["exception_message"]}))
