from dataclasses import replace

import numpy as np
import pytest

from recloop.config import RulesConfig
from recloop.serving.newcomers import Impressions
from recloop.serving.receipts import record_of
from recloop.serving.rules.compiled import Compiled, permitted_at
from recloop.serving.schemas import Ask

A, CHEAP = {"a": {"items": ["a"]}}, {"cheap": {"max_price": 6.5}}


def ids(answer):
    return [item["item_id"] for item in answer["items"]]


def by_name(answer):
    return {item["item_id"]: item.get("rules") for item in answer["items"]}


def test_without_rules_an_answer_is_what_it_was(ruled, engine, now):
    ours, plain = (e.recommend(Ask(user_id="u0"), now=now) for e in (ruled(), engine))
    assert ours["items"] == plain["items"]
    assert "rules" not in ours


def test_masks_alone_take_the_best_of_what_is_left(ruled, engine, now):
    rest = engine.recommend(Ask(user_id="u0", k=5, exclude=["a"]), now=now)
    answer = ruled({"tags": A, "hidden": [{"name": "no_a", "where": "a"}]}).recommend(Ask(user_id="u0"), now=now)
    assert ids(answer) == ids(rest)
    assert answer["rules"] == {"filtered": {"no_a": 1}}


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        ({"out_of_stock": ["a", "b", "unknown"]}, "cdefghijkl"),
        ({"min_price": 3.0, "max_price": 6.0}, "cdef"),
        ({"tags": {"food": {"categories": ["FOOD"]}}, "hidden": [{"name": "x", "where": "food"}]}, "ghijkl"),
        ({"tags": {"x": {"words": ["ITEM"]}}, "hidden": [{"name": "x", "where": "x and not x"}]}, "abcdefghijkl"),
        ({"tags": {"x": {"words": ["A", "b"]}}, "hidden": [{"name": "x", "where": "not x"}]}, "ab"),
        ({"exclude_seen": True}, ""),
    ],
)
def test_what_is_forbidden_is_not_shown(shown, bundle, rules, allowed):
    found = shown(rules, k=12)
    seen = {bundle.catalogue.ids[code] for code in bundle.past.part(0, 1).items}
    expected = set(allowed) if allowed else set("abcdefghijkl") - seen
    assert set(found) == expected


def test_what_was_taken_lately_is_left_out(ruled, bundle, now):
    past = bundle.past.part(0, 1)
    lately = {bundle.catalogue.ids[code] for code in past.items[past.times >= int(now) - 3 * 86_400]}
    answer = ruled({"seen_within_days": 3.0}).recommend(Ask(user_id="u0", k=12), now=now)
    assert lately
    assert not lately & set(ids(answer))
    assert answer["rules"]["filtered"] == {"seen": len(lately)}


def test_a_rule_holds_only_when_it_is_about_the_request(shown):
    rules = {"tags": A, "hidden": [{"name": "x", "where": "a", "when": {"pages": ["start"]}}]}
    assert "a" not in shown(rules, context={"page": "start"})
    assert "a" in shown(rules, context={"page": "product"})
    assert "a" in shown(rules)


def test_a_legal_block_holds_where_the_request_does_not_say(shown):
    rules = {"tags": A, "legal": [{"name": "x", "where": "a", "when": {"places": ["Utah"]}}]}
    assert "a" not in shown(rules)
    assert "a" in shown(rules, context={"place": "Ohio"})


def test_a_pin_stands_at_its_place_and_says_so(ruled, now):
    answer = ruled({"pins": [{"name": "hero", "item": "l", "place": 2}]}).recommend(Ask(user_id="u0"), now=now)
    assert ids(answer)[1] == "l"
    assert ids(answer).count("l") == 1
    assert by_name(answer)["l"] == ["pinned:hero"]


def test_a_pin_that_the_request_excludes_is_left_out(shown):
    rules = {"pins": [{"name": "hero", "item": "l", "place": 1}]}
    assert "l" not in shown(rules, k=3, exclude=["l"])
    assert "l" not in shown(rules, k=3, filters={"category": "FOOD"})


def test_promotions_get_their_share_of_the_slots(ruled, now):
    rules = {"promotions": [{"name": "week", "items": ["unknown", "k", "l", "j"], "share": 0.4}]}
    answer = ruled(rules).recommend(Ask(user_id="u0"), now=now)
    promoted = [item["rank"] for item in answer["items"] if "promoted:week" in item.get("rules", ())]
    assert promoted == [2, 5]
    assert {ids(answer)[1], ids(answer)[4]} == {"k", "l"}


def test_a_boost_gets_at_most_its_share_of_the_slots(ruled, engine, now):
    plain = ids(engine.recommend(Ask(user_id="u0"), now=now))
    boost = {"name": "x", "where": "x", "strength": 100, "share": 0.2}
    answer = ruled({"tags": {"x": {"items": list("ghijkl")}}, "boosts": [boost]}).recommend(Ask(user_id="u0"), now=now)
    assert len(set(ids(answer)) - set(plain)) == 1
    assert [name for name, rules in by_name(answer).items() if rules] == [ids(answer)[0]]


def test_a_cap_holds_and_counts_what_it_kept_out(ruled, now):
    answer = ruled({"caps": [{"by": "category", "at_most": 2}]}).recommend(Ask(user_id="u0", k=12), now=now)
    paths = [item["category"] for item in answer["items"]]
    assert {path: paths.count(path) for path in paths} == {"FOOD > CHEESE": 2, "FOODSTUFF > TEA": 2}
    assert answer["rules"]["capped"] > 0


def test_promotions_keep_to_a_cap_and_pins_do_not(shown):
    cap = {"caps": [{"by": "category", "at_most": 1}]}
    promoted = cap | {"promotions": [{"name": "w", "items": ["a", "b", "l"], "share": 1.0}]}
    assert set(shown(promoted, k=4)) == {"a", "l"}
    pinned = cap | {"pins": [{"name": f"p{n}", "item": item, "place": n} for n, item in enumerate("abc", start=1)]}
    assert shown(pinned, k=3) == ["a", "b", "c"]


def test_diversity_mixes_the_shelves(shown):
    plain, mixed = (shown({"diversity": weight, "min_price": 0.0}, k=6) for weight in (0.0, 0.9))
    assert sum(item in "ghijkl" for item in mixed) > sum(item in "ghijkl" for item in plain)
    assert mixed[0] == plain[0]


def test_new_items_get_slots_until_they_were_shown_enough(ruled, bundle, now):
    youngest = int(np.argmin(np.where(np.arange(13) > 0, bundle.model.statistics.age, np.inf)))
    days = float(bundle.model.statistics.age[youngest]) + 100
    rules = {"new_items": {"share": 0.2, "days": days, "impressions": 3, "within_hours": 1.0}}
    shown = Impressions()
    engine = ruled(rules, shown=shown)
    engine.observers.append(shown.observe)
    given = [engine.recommend(Ask(user_id="u0"), now=now) for _ in range(40)]
    assert "new_item" in [rule for item in given[0]["items"] for rule in item.get("rules", ())]
    assert min(shown.shown[item] for item in "abcdefghijkl") >= 3
    assert "new_item" not in [rule for item in given[-1]["items"] for rule in item.get("rules", ())]


def test_a_closed_list_gets_nothing_that_was_not_in_it(ruled, now):
    engine = ruled({"pins": [{"name": "p", "item": "l", "place": 1}]})
    assert set(ids(engine.recommend(Ask(kind="rerank", user_id="u0", items=["c", "d"]), now=now))) == {"c", "d"}
    assert ids(engine.recommend(Ask(kind="rerank", items=["c", "l"]), now=now))[0] == "l"


def test_rules_are_replaced_from_the_next_request_on(ruled, bundle, now):
    engine = ruled({"out_of_stock": ["a"]})
    before = ids(engine.recommend(Ask(user_id="u0"), now=now))
    engine.stage.replace(engine.stage.rules.model_copy(update={"out_of_stock": ("b",)}), bundle)
    after = ids(engine.recommend(Ask(user_id="u0"), now=now))
    assert ("a" in before, "b" in before, "a" in after, "b" in after) == (False, True, True, False)


def test_legal_blocks_of_the_scenario_outlive_other_rules(ruled, now):
    engine = ruled({}, fixed={"tags": A, "legal": [{"name": "law", "where": "a"}]})
    answer = engine.recommend(Ask(user_id="u0"), now=now)
    assert "a" not in ids(answer)
    assert answer["rules"]["filtered"] == {"scenario.law": 1}


def test_the_same_wish_gets_the_same_mask(ruled, now):
    engine = ruled({"tags": CHEAP, "hidden": [{"name": "x", "where": "cheap"}]})
    first, second = (engine.wanted(Ask(user_id=user), now=now)[0].allowed for user in ("u0", "u1"))
    assert first is second


def test_the_record_of_an_answer_says_which_item_owes_its_place_to_a_rule(ruled, now):
    ask = Ask(user_id="u0", k=3)
    answer = ruled({"pins": [{"name": "hero", "item": "l", "place": 2}]}).recommend(ask, now=now)
    assert record_of(ask, answer)["rules"] == ["", "pinned:hero", ""]
    assert "rules" not in record_of(ask, ruled().recommend(ask, now=now))


def test_an_item_that_nothing_scored_has_no_score(ruled, now):
    rules = {"pins": [{"name": "hero", "item": "l", "place": 1}], "min_price": 11.5}
    answer = ruled(rules).recommend(Ask(kind="bought_together", items=["a"]), now=now)
    first = answer["items"][0]
    assert (first["item_id"], first["score"]) == ("l", None)


@pytest.mark.parametrize("kind", ["similar", "bought_together"])
@pytest.mark.parametrize("rules", [{"pins": [{"name": "p", "item": "a", "place": 1}]},
                                   {"promotions": [{"name": "p", "items": ["a"], "share": 0.5}]}])  # fmt: skip
def test_no_rule_puts_an_item_into_its_own_list(shown, kind, rules):
    assert "a" not in shown(rules, kind=kind, items=["a"])


@pytest.mark.parametrize("words", [["c++"], ["(r)"], ["50%"]])
def test_a_word_may_end_in_a_sign(bundle, words):
    titles = ("", f"x {words[0].upper()}, y", f"a{words[0]}b", *bundle.catalogue.titles[3:])
    named = replace(bundle, catalogue=replace(bundle.catalogue, titles=titles))
    rules = RulesConfig.model_validate({"tags": {"odd": {"words": words}}})
    assert Compiled(rules, rules, named).matches()["tags.odd"] == 1


@pytest.mark.parametrize(
    ("when", "allowed"),
    [
        ({"hours": [22, 6]}, False),
        ({"weekdays": [5, 6]}, False),
        ({"since": "2090-01-01T00:00:00Z"}, False),
        ({"until": "1990-01-01T00:00:00Z"}, True),
    ],
)
def test_a_table_that_is_read_later_holds_nothing_that_the_law_forbids_at_some_hour(bundle, when, allowed):
    law = {"tags": A, "legal": [{"name": "law", "where": "a", "when": when}]}
    noon = bundle.end // 86_400 * 86_400 + 43_200
    left = permitted_at(RulesConfig.model_validate(law), bundle, noon)
    assert left[bundle.items.codes["a"]] == allowed
