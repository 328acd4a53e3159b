import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recloop.config import Kind, RulesConfig
from recloop.config.merchandising import Boost, Cap, NewItems, Pin, Promotion, Rule, Tag
from recloop.serving.schemas import Ask, Context, Filters

ITEMS = st.sampled_from("abcdefghijkl")
SOME = st.lists(ITEMS, min_size=1, max_size=4, unique=True)
KINDS = st.sampled_from(Kind.__args__)


@st.composite
def rules(draw):
    tags = {"banned": Tag(items=tuple(draw(SOME))), "pushed": Tag(items=tuple(draw(SOME)))}
    pins = [Pin(name=f"p{n}", item=draw(ITEMS), place=draw(st.integers(1, 6))) for n in range(draw(st.integers(0, 3)))]
    return RulesConfig(
        tags=tags,
        legal=(Rule(name="law", where=draw(st.sampled_from(["banned", "banned or pushed", "banned and not pushed"]))),),
        out_of_stock=tuple(draw(st.lists(ITEMS, max_size=2))),
        boosts=(Boost(name="push", where="pushed", strength=draw(st.floats(0.1, 50)), share=1.0),),
        promotions=(Promotion(name="show", items=tuple(draw(SOME)), share=draw(st.floats(0, 1))),),
        pins=tuple(pins),
        caps=draw(st.sampled_from([(), (Cap(by="category", at_most=3),)])),
        diversity=draw(st.sampled_from([0.0, 0.5])),
        new_items=NewItems(share=draw(st.sampled_from([0.0, 0.4])), days=500, impressions=9, within_hours=1),
    )


@st.composite
def asks(draw):
    return Ask(
        kind=draw(KINDS),
        user_id=draw(st.sampled_from(["u0", "u3", "stranger"])),
        items=draw(SOME),
        session=draw(SOME),
        k=draw(st.integers(1, 12)),
        context=Context(basket=draw(SOME), page=draw(st.sampled_from([None, "start"]))),
        filters=draw(st.sampled_from([Filters(), Filters(category="FOOD")])),
    )


@pytest.fixture(scope="module")
def engine(bundle):
    from recloop.serving.asked import Asked
    from recloop.serving.engine import Engine
    from recloop.serving.newcomers import Impressions
    from recloop.serving.rules.stage import Merchandising
    from recloop.serving.state import State

    engine = Engine(State(), k=5, max_k=20, stages=(Asked(), Merchandising(RulesConfig(), Impressions())))
    engine.swap(bundle, digest="first", generation=1)
    return engine


@settings(max_examples=150, deadline=None)
@given(rules(), asks())
def test_no_kind_pin_promotion_boost_or_quota_shows_what_a_legal_block_forbids(engine, bundle, held, ask):
    engine.stages[1].replace(held, bundle)
    banned, pushed = set(held.tags["banned"].items), set(held.tags["pushed"].items)
    law = {"banned": banned, "banned or pushed": banned | pushed, "banned and not pushed": banned - pushed}
    found = [item["item_id"] for item in engine.recommend(ask, now=bundle.end + 100.0)["items"]]
    assert not set(found) & (law[held.legal[0].where] | set(held.out_of_stock) | set(ask.context.basket))
    assert len(found) == len(set(found)) <= ask.k


@settings(max_examples=50, deadline=None)
@given(rules(), asks())
def test_a_neighbour_list_keeps_to_the_law_too(engine, bundle, held, ask):
    engine.stages[1].replace(held, bundle)
    legal = engine.stages[1].compiled(bundle).legal[0].mask
    for item in engine.similar(ask.items[0], k=ask.k, now=bundle.end + 100.0)["items"]:
        assert not legal[bundle.items.codes[item["item_id"]]]
