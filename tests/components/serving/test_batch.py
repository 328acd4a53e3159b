from recloop.serving.batch import top_k
from recloop.serving.engine import Engine
from recloop.serving.schemas import Ask
from recloop.serving.state import State


def test_everyone_gets_their_best_items_by_user_and_rank(bundle_folder, bundle):
    table = top_k(bundle_folder, k=3, threads=1)
    assert table["user_id"].to_list() == [user for user in bundle.users.ids for _ in range(3)]
    assert table["rank"].to_list() == [1, 2, 3] * len(bundle.users)


def test_the_table_agrees_with_the_service_at_the_end_of_the_data(bundle_folder, bundle):
    engine = Engine(State(), k=3, max_k=20)
    engine.swap(bundle, digest="first", generation=1)
    answer = engine.recommend(Ask(user_id="u0", context={"time": bundle.end}), now=bundle.end)
    table = top_k(bundle_folder, k=3, threads=1)
    assert table.filter(table["user_id"] == "u0")["item_id"].to_list() == [i["item_id"] for i in answer["items"]]
