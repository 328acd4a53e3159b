import json

import pytest

from recloop.config import RulesConfig
from recloop.errors import BadConfig, Unavailable
from recloop.serving.newcomers import Impressions
from recloop.serving.rules.book import Rulebook, version
from recloop.serving.rules.stage import Merchandising

SCENARIO = RulesConfig(out_of_stock=("a",))
OTHER = RulesConfig(out_of_stock=("b",))


@pytest.fixture
def opened_book(tmp_path):
    def make():
        return Rulebook(Merchandising(SCENARIO, Impressions()), tmp_path / "rules")

    return make


def test_a_new_book_holds_the_scenarios_rules(opened_book):
    book = opened_book()
    assert (book.stage.rules, book.origin) == (SCENARIO, "scenario")


def test_what_was_put_holds_after_a_restart(opened_book):
    opened_book().put(OTHER, None, who="boss", now=10.0)
    again = opened_book()
    assert (again.stage.rules, again.origin) == (OTHER, "run time")


def test_a_reset_is_for_good(opened_book):
    book = opened_book()
    book.put(OTHER, None, who="boss", now=10.0)
    book.reset(None, who="boss", now=11.0)
    assert book.stage.rules == opened_book().stage.rules == SCENARIO


def test_each_change_is_in_the_audit_log_with_before_and_after(opened_book):
    book = opened_book()
    book.put(OTHER, None, who="boss", now=10.0)
    book.reset(None, who="clerk", now=11.0)
    told = [(line["who"], line["time"], line["detail"]) for line in book.audit.lines()]
    a, b = {"out_of_stock": ["a"]}, {"out_of_stock": ["b"]}
    assert told == [("boss", 10.0, {"before": a, "after": b}), ("clerk", 11.0, {"before": b, "after": a})]


def test_rules_that_cannot_be_read_stop_the_start(opened_book, tmp_path):
    opened_book().put(OTHER, None, who="boss", now=10.0)
    (tmp_path / "rules" / "rules.json").write_text(json.dumps({"diversity": 7}))
    with pytest.raises(BadConfig, match=r"rules\.json holds no rules that can be kept"):
        opened_book()


def test_a_disk_that_takes_no_audit_line_keeps_the_old_rules(opened_book, tmp_path):
    book = opened_book()
    (tmp_path / "rules").write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="The old rules hold"):
        book.put(OTHER, None, who="boss", now=10.0)
    assert book.stage.rules == SCENARIO


def test_a_version_names_exactly_these_rules():
    assert version(SCENARIO) == version(RulesConfig(out_of_stock=("a",))) != version(OTHER)
