import pytest

from recloop.config import Kind
from recloop.errors import BadRequest
from recloop.serving.needs import NEEDS, UnknownItem, check
from recloop.serving.schemas import Ask, Context


@pytest.mark.parametrize("kind", [kind for kind in Kind.__args__ if kind != "trending"])
def test_a_kind_names_the_field_that_it_lacks(bundle, kind):
    with pytest.raises(BadRequest, match=f"of the kind {kind} lacks") as caught:
        check(Ask(kind=kind), bundle)
    assert caught.value.field == NEEDS[kind][0]


def test_a_question_that_has_what_it_needs_passes(bundle):
    full = {"user_id": "u0", "items": ["a"], "session": ["b"], "context": Context(basket=["c"])}
    for kind in Kind.__args__:
        check(Ask(kind=kind, **full), bundle)
    check(Ask(kind="trending"), bundle)


@pytest.mark.parametrize(("items", "named"), [(["zz"], "'zz'"), (["y", "z"], "any of the 2 items")])
def test_items_of_which_the_release_knows_none_are_unknown(bundle, items, named):
    with pytest.raises(UnknownItem, match=named):
        check(Ask(kind="similar", items=items), bundle)
