import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recloop.errors import BadData
from recloop.evaluation.comparison import Result, compared
from recloop.evaluation.protocol import Benchmark

ROOT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("report", ROOT / "benchmarks" / "report.py")
report = importlib.util.module_from_spec(spec)
spec.loader.exec_module(report)

PROTOCOL = Benchmark(kind="temporal", start=0, end=9, k=10, min_item_events=1, data="d", learnt="past", repeats=False)


def comparison(title, protocol=PROTOCOL):
    users = [f"u{n}" for n in range(20)]
    values = {
        name: pl.DataFrame({"ndcg": np.linspace(0, top, 20), "user": users}) for name, top in (("a", 1), ("b", 0.5))
    }
    costs = {"fit_cpu_seconds": 1.0, "cpu_seconds_a_million": 2.0}
    results = [Result(n, "ease", 1, 0, protocol.hash, frame, {"gini": 0.5}, costs) for n, frame in values.items()]
    return compared(results, protocol, title=title, bootstrap=100)


def test_the_page_has_a_section_a_run_with_its_protocol():
    other = replace(PROTOCOL, data="e")
    page = report.page({"second": comparison("Two", other), "first": comparison("One")})
    assert page.index("## first") < page.index("## second")
    assert page.count("| ndcg@10 |") == 2
    assert PROTOCOL.hash in page
    assert other.hash in page
    assert "- [One](#first): best is a" in page


def test_one_table_twice_is_refused():
    with pytest.raises(BadData, match="are the same models on protocol"):
        report.page({"first": comparison("One"), "second": comparison("One again")})


def test_the_page_in_docs_is_that_of_the_logged_runs():
    runs = {path.stem: report.load(path) for path in sorted(report.RUNS.glob("*.json"))}
    assert report.PAGE.read_text() == report.page(runs)
