"""Users who are new to one catalogue: what their history in another one of the same shop is worth there.

python benchmarks/cross_domain.py --data retail --source GROCERY --target "DRUG GM" --seeds 3
Domains are told by how an item's category begins, so any data set with categories will do; events of other items are left
out. A fifth of the users, drawn anew for each seed, lose what they took of the target domain before the test window: they
know it no more than it knows them. Each model learns from what is left of both domains (one encoder over both, ids or
contents as the bridge) and ranks the target's items for these users; popularity is what can be said without the source.
95 % over users, each the mean of its seeds.
"""

import argparse
from collections.abc import Callable

import numpy as np
from contract import parser, told
from fitting import Values, configs, dataset_by, judged_by_seed, rows_of

from recloop.data.dataset import Dataset
from recloop.data.truth import Truth
from recloop.evaluation.cold_users import ColdUsers, cold_users
from recloop.evaluation.metrics import per_user
from recloop.models.ranked import Recommender
from recloop.models.task import past_of

SHARE, K = 0.2, 10
METRICS = ("ndcg", "recall", "hit_rate")
MODELS = "popularity,item_knn,content,ids=sasrec,fused=sasrec,id_free=sasrec"
SETS = ("fused:model.sasrec.content=true", "id_free:model.sasrec.content=true", "id_free:model.sasrec.ids=false")


def judged(model: Recommender, data: ColdUsers, truth: Truth) -> Values:
    """metric -> value of each user code, nan where the user is not asked. [n_users + 1]"""
    past = past_of(data.dataset, data.dataset.test, truth.users)
    items = model.recommend(past, k=K, exclude_seen=True, allowed=data.target).items
    values = per_user(items, truth.rows, truth.items, truth.spend)
    found = {}
    for name in METRICS:
        found[name] = np.full(len(data.cold), np.nan)
        found[name][truth.users] = values[name]
    return found


def asked_for() -> argparse.Namespace:
    """What the command line says."""
    words = parser(__doc__ or "")
    words.add_argument("--data", default="retail", help="a scenario, a public set or a file, with categories")
    words.add_argument("--source", default="GROCERY", help="how categories of the known domain begin")
    words.add_argument("--target", default="DRUG GM", help="how categories of the new domain begin")
    words.add_argument("--models", default=MODELS)
    words.add_argument("--set", action="append", default=[], metavar="[NAME:]KEY=VALUE")
    words.add_argument("--seeds", type=int, default=3)
    asked = words.parse_args()
    if asked.quick:
        asked.seeds, asked.models = 1, "popularity,item_knn"
    asked.set = [*(SETS if asked.models == MODELS else ()), *asked.set]
    return asked


def main() -> None:
    """Fit every model on every seed's users, and tell."""
    asked = asked_for()
    each = configs(asked.data, asked.models, asked.set)
    dataset = dataset_by(next(iter(each.values())))

    def prepared(seed: int) -> tuple[Dataset, Callable[[Recommender], Values]]:
        data = cold_users(dataset, asked.source, asked.target, share=SHARE, seed=seed)
        truth = data.truth()
        return data.dataset, lambda model: judged(model, data, truth)

    found = judged_by_seed(each, asked.seeds, prepared)
    facts = {"data": asked.data, "source": asked.source, "target": asked.target, "k": K, "models": found}
    told(facts, rows_of(found), ("model", f"metric at {K}", "mean", "95 %", "users"), asked)


if __name__ == "__main__":
    main()
