import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd

from recloop.quality.reports import run


def found(frame, *expectations, docs):
    suite = gx.ExpectationSuite(name="s", expectations=list(expectations))
    return run({"s": (suite, pd.DataFrame(frame))}, docs=docs)


def test_an_empty_suite_fails(tmp_path):
    (result,) = found({"a": [1]}, docs=tmp_path)
    assert not result.ok


def test_a_failed_expectation_quotes_what_it_found(tmp_path):
    (result,) = found({"a": [1, 2]}, gxe.ExpectColumnValuesToBeBetween(column="a", max_value=1), docs=tmp_path)
    assert (result.ok, result.unexpected, result.examples, result.limits) == (False, 1, ("2",), {"max_value": 1.0})


def test_an_expectation_that_cannot_be_asked_fails_with_its_error(tmp_path):
    (result,) = found({"a": [1]}, gxe.ExpectColumnValuesToNotBeNull(column="b"), docs=tmp_path)
    assert not result.ok
    assert '"b"' in result.examples[0]


def test_runs_leave_nothing_behind_for_the_next(tmp_path):
    passing = gxe.ExpectColumnValuesToNotBeNull(column="a")
    assert found({"a": [1]}, passing, docs=tmp_path / "one")[0].ok
    assert not found({"a": [None]}, gxe.ExpectColumnValuesToNotBeNull(column="a"), docs=tmp_path / "two")[0].ok
