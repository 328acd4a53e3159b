import pytest
from pydantic import ValidationError

from recloop.evaluation.experiments.design import Design, Variant
from recloop.serving.interleaved import interleaved


def answer(release, items, receipt="0f"):
    return {
        "receipt_id": receipt,
        "release": release,
        "items": [{"rank": n, "item_id": i} for n, i in enumerate(items, 1)],
    }


def test_one_list_is_drafted_by_both_and_says_who_put_what():
    own, other = answer("old", "abcd"), answer("new", "bxyz")
    found = interleaved(own, other)
    assert (found["release"], found["policy"], found["interleaved"]["with"]) == ("old", "team_draft", "new")
    assert [item["rank"] for item in found["items"]] == [1, 2, 3, 4]
    for item, team in zip(found["items"], found["interleaved"]["teams"], strict=True):
        assert item["item_id"] in ("abcd", "bxyz")[team]
    assert interleaved(own, other) == found


def test_over_receipts_both_come_first_equally_often():
    first = [interleaved(answer("old", "ab", f"{n:x}"), answer("new", "xy"))["items"][0]["item_id"] for n in range(400)]
    assert 150 < first.count("a") < 250


@pytest.mark.parametrize("more", [{}, {"release": "uri", "policy": "uniform"}])
def test_interleaving_needs_another_release_alone(more):
    with pytest.raises(ValidationError, match="names the other release"):
        Variant(name="b", interleave=True, **more)


def test_preference_is_decided_on_only_where_something_is_interleaved():
    with pytest.raises(ValidationError, match="there is none"):
        Design(name="x", variants=(Variant(name="a"), Variant(name="b")), metric="preference")
