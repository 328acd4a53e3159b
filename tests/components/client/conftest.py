import json

import httpx
import pytest


class Service:
    """A service in memory that fails as often as it is told to."""

    def __init__(self):
        self.failures = []
        self.seen = []
        self.counted = {}

    def __call__(self, request):
        self.seen.append(request)
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return failure
        events = json.loads(request.content)["events"]
        results = []
        for event in events:
            known = event["event_id"] in self.counted
            bad = event["item_id"] == "bad"
            results.append({"event_id": None, "status": "rejected", "reason": "bad item"} if bad else
                           {"event_id": event["event_id"], "status": "duplicate" if known else "accepted"})  # fmt: skip
            if not bad:
                self.counted[event["event_id"]] = event
        return httpx.Response(202, json={"results": results})


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def answer():
    """The body of an answer with one item."""
    item = {
        "rank": 1,
        "item_id": "a",
        "title": "Tea",
        "category": "FOOD",
        "price": 1.5,
        "score": 0.5,
        "origins": ["knn"],
    }
    return {"receipt_id": "r", "release": "d", "generation": 2, "time": 7, "policy": "top_k", "propensity": 1.0,
            "items": [item], "milliseconds": {"history": 0.1}}  # fmt: skip
