"""Items with 0 to 5 events: how often each model finds them, in the full ranking and among themselves.

recloop bench cold, or: python benchmarks/cold.py --data ml-100k --models popularity,bare=sasrec \
    --set bare:model.sasrec.content=true --set bare:model.sasrec.ids=false --seeds 3
A tenth of the items keeps none to five of its events before the test window, drawn anew for each seed; what is held out
stays whole. recall: of the items of a group that a user took in the window, the share in that user's list; seen items are
left out. 95 % over users, each the mean of its seeds.
"""

import argparse
from collections.abc import Callable

import numpy as np
from contract import parser, told
from fitting import Values, configs, dataset_by, judged_by_seed, rows_of

from recloop.data.dataset import Dataset
from recloop.data.truth import Truth
from recloop.evaluation.cold_items import GROUPS, ColdItems, cold_items, recall_of
from recloop.models.ranked import Recommender
from recloop.models.task import past_of

SHARE = 0.1
LISTS = {"full": 50, "cold": 10}
"""ranked among all items, or among the thinned ones; length of a list"""
MODELS = "popularity,content_knn=content,content,ids=sasrec,fused=sasrec,id_free=sasrec"
SETS = (
    "content_knn:model.content.learnt=false",
    "fused:model.sasrec.content=true",
    "id_free:model.sasrec.content=true",
    "id_free:model.sasrec.ids=false",
)
QUICK = tuple(f"model.sasrec.{word}" for word in ("epochs=1", "dim=32", "blocks=1", "length=50"))


def recalls(model: Recommender, data: ColdItems, truth: Truth) -> Values:
    """list and group -> recall of each user code, nan where the user took nothing of the group. [n_users + 1]"""
    past, n_users = past_of(data.dataset, data.dataset.test, truth.users), len(data.dataset.users)
    found = {}
    for name, k in LISTS.items():
        allowed = data.cold if name == "cold" else None
        items = model.recommend(past, k=k, exclude_seen=True, allowed=allowed).items
        for group in GROUPS:
            every = np.full(n_users + 1, np.nan)
            every[truth.users] = recall_of(items, truth, data.group(group))
            found[f"{name} {group}"] = every
    return found


def asked_for() -> argparse.Namespace:
    """What the command line says."""
    words = parser(__doc__ or "")
    words.add_argument("--data", default="ml-100k", help="a scenario, a public set or a file")
    words.add_argument("--protocol", default="leave_last_out", choices=("leave_last_out", "temporal"))
    words.add_argument("--models", default=MODELS)
    words.add_argument("--set", action="append", default=[], metavar="[NAME:]KEY=VALUE")
    words.add_argument("--seeds", type=int, default=3)
    asked = words.parse_args()
    own = [word for word in SETS if asked.models == MODELS and (not asked.quick or word in SETS[:2])]
    asked.set = [f"split.kind={asked.protocol}", *own, *asked.set]
    if asked.quick:
        asked.seeds, asked.set = 1, [*asked.set, *QUICK]
        asked.models = "popularity,content_knn=content,fused=sasrec" if asked.models == MODELS else asked.models
    return asked


def main() -> None:
    """Fit every model on every seed's thinned data, and tell."""
    asked = asked_for()
    each = configs(asked.data, asked.models, asked.set)
    first = next(iter(each.values()))
    dataset = dataset_by(first)

    def prepared(seed: int) -> tuple[Dataset, Callable[[Recommender], Values]]:
        data = cold_items(dataset, share=SHARE, seed=seed)
        truth = data.dataset.truth(data.dataset.test).fresh()
        return data.dataset, lambda model: recalls(model, data, truth)

    found = judged_by_seed(each, asked.seeds, prepared)
    facts = {
        "data": asked.data,
        "items": dataset.catalogue.height,
        "share": SHARE,
        "lists": LISTS,
        "protocol": asked.protocol,
        "models": found,
    }
    told(facts, rows_of(found), ("model", "list and events", "recall", "95 %", "users"), asked)


if __name__ == "__main__":
    main()
