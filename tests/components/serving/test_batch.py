import polars as pl

from recloop.config import RulesConfig
from recloop.serving.batch import blocks
from recloop.serving.engine import Engine
from recloop.serving.schemas import Ask
from recloop.serving.state import State


def top_k(folder, **how):
    return pl.concat(list(blocks(folder, threads=1, **how)))


def test_everyone_gets_their_best_items_by_user_and_rank(bundle_folder, bundle):
    table = top_k(bundle_folder, k=3, rules=RulesConfig())
    assert table["user_id"].to_list() == [user for user in bundle.users.ids for _ in range(3)]
    assert table["rank"].to_list() == [1, 2, 3] * len(bundle.users)


def test_the_table_agrees_with_the_service_at_the_end_of_the_data(bundle_folder, bundle):
    engine = Engine(State(), k=3, max_k=20)
    engine.swap(bundle, digest="first", generation=1)
    answer = engine.recommend(Ask(user_id="u0", context={"time": bundle.end}), now=bundle.end)
    table = top_k(bundle_folder, k=3, rules=RulesConfig())
    assert table.filter(table["user_id"] == "u0")["item_id"].to_list() == [i["item_id"] for i in answer["items"]]


def test_what_the_scenario_forbids_is_in_nobodys_list(bundle_folder):
    rules = RulesConfig(tags={"x": {"items": ["a", "b"]}}, legal=[{"name": "law", "where": "x"}], out_of_stock=("c",))
    table = top_k(bundle_folder, k=12, rules=rules)
    assert set(table["item_id"]) == set("defghijkl")


def test_blocks_of_users_are_the_whole(bundle_folder):
    made = list(blocks(bundle_folder, k=3, threads=1, rules=RulesConfig(), size=4))
    assert [block["user_id"].n_unique() for block in made] == [4, 2]
    assert pl.concat(made).equals(top_k(bundle_folder, k=3, rules=RulesConfig()))
