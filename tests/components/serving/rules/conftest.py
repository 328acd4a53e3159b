import pytest

from recloop.config import RulesConfig
from recloop.serving.asked import Asked
from recloop.serving.engine import Engine
from recloop.serving.newcomers import Impressions
from recloop.serving.rules.stage import Merchandising
from recloop.serving.schemas import Ask
from recloop.serving.state import State


@pytest.fixture
def now(bundle):
    return bundle.end + 100.0


@pytest.fixture
def ruled(bundle):
    """Function: rules (a dictionary), fixed ones -> an engine that keeps to them; shown: impressions so far."""

    def make(rules=None, *, fixed=None, shown=None):
        stage = Merchandising(RulesConfig.model_validate(fixed or rules or {}), shown or Impressions())
        if fixed is not None:
            stage.replace(RulesConfig.model_validate(rules or {}), None)
        engine = Engine(State(), k=5, max_k=20, stages=(Asked(), stage))
        engine.preparations.append(stage.prepare)
        engine.swap(bundle, digest="first", generation=1)
        engine.stage = stage
        return engine

    return make


@pytest.fixture
def shown(ruled, now):
    """Function: rules, fields of the request -> the ids of the answer."""

    def ask(rules, **fields):
        return names(ruled(rules).recommend(Ask.model_validate({"user_id": "u0"} | fields), now=now))

    return ask


def names(answer):
    return [item["item_id"] for item in answer["items"]]
