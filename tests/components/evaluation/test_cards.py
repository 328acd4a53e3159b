from dataclasses import replace
from html.parser import HTMLParser

import pytest

from recloop.evaluation.calibration import Bin
from recloop.evaluation.cards import Card, Part, Subject, card
from recloop.evaluation.intervals import Estimate
from recloop.evaluation.protocol import Protocol
from recloop.evaluation.scorecard import Scorecard

GOOD, OPEN, BAD = Estimate(0.2, 0.1, 0.3, 90), Estimate(0.01, -0.1, 0.1, 90), Estimate(-0.2, -0.3, -0.1, 60)
VIEW = {
    "ndcg": Estimate(0.4, 0.3, 0.5, 90),
    "coverage": Estimate(0.25, 0.25, 0.25, 90),
    "gini": Estimate(0.8, 0.8, 0.8, 90),
}
SCORECARD = Scorecard(
    protocol=Protocol(kind="leave_last_out", start=0, end=100, k=10, min_item_events=1),
    users=90,
    models={name: {"all": VIEW, "new": VIEW} for name in ("model", "popularity")},
    differences={"popularity": {"all": GOOD, "new": OPEN}},
    slices={"rare | items": {"model": GOOD, "popularity": BAD}},
    facts={},
    metric="ndcg",
    calibration=(Bin(0.1, 0.2, 30),),
)
SUBJECT = Subject(
    name="monday",
    digest="d" * 64,
    facts={"kind": "ease", "learnt_until": 86_400},
    config={"scenario": "shop", "title": "A <shop>", "seed": 7, "model": {"kind": "ease", "ease": {"l2": 200.0}}},
    data={"users": 1500, "up to": "today"},
    parents={"dataset": "a" * 64, "champion": "b" * 64},
    files={"model/ease.npy": ("c" * 64, 12345)},
    scorecard=SCORECARD,
)


def test_a_card_says_what_how_on_what_and_from_where():
    text = card(SUBJECT).markdown()
    for said in (
        "# A <shop>: ease, monday",
        "before 1970-01-02 00:00 UTC",
        "warm-started",
        "| l2 | 200.0 |",
        "| users | 1,500 |",
        SCORECARD.protocol.hash,
        "| model | 0.4000 [0.3000, 0.5000] |",
        "+0.2000 [+0.1000, +0.3000]",
        "| 0.100 | 0.200 | 30 |",
        "c" * 64,
        "a" * 64,
    ):
        assert said in text


def test_limits_come_from_the_figures():
    limits = card(SUBJECT).markdown().split("## Limits")[1]
    assert "not proved better than popularity on items new to their user" in limits
    assert "popularity on all items taken" not in limits
    assert "On the slice rare | items it is below popularity" in limits
    assert "25.0% of its catalogue" in limits
    assert "last visit was held out" in limits


def test_a_model_without_a_scorecard_says_so():
    from dataclasses import replace

    text = card(replace(SUBJECT, scorecard=None, config={"model": {}}, data={})).markdown()
    assert "No scorecard was given" in text


class Balanced(HTMLParser):
    """Fails where a tag is closed that is not open."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_is_closed_escaped_and_loads_nothing():
    page = card(SUBJECT).html()
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert "A &lt;shop&gt;" in page
    assert "<shop>" not in page
    assert not any(word in page for word in ("<script", "src=", "href="))


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_equal_subjects_have_equal_bytes(form):
    assert getattr(card(SUBJECT), form)() == getattr(card(SUBJECT), form)()


def test_sentences_and_cells_are_escaped_and_back_quotes_are_code():
    page = Card("t", (Part("p", ("a <b> `c`",), (("<i>",), ("`<u>`",))),)).html()
    assert "<p>a &lt;b&gt; <code>c</code></p>" in page
    assert "<th>&lt;i&gt;</th>" in page
    assert "<td><code>&lt;u&gt;</code></td>" in page


def test_a_bar_in_a_cell_does_not_break_the_table():
    made = Card("t", (Part("p", (), (("a|b", "c"), ("d", "e"))),)).markdown()
    assert "| a\\|b | c |" in made


def test_a_card_withholds_slices_of_few_users_and_says_so():
    text = card(replace(SUBJECT, scorecard=SCORECARD.of_groups(91))).markdown()
    assert "Withheld, because too few users are in them: rare" in text
    assert "On the slice" not in text
