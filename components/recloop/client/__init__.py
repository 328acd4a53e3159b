"""Client of the recommendation service, for programs.

    from recloop.client import Ask, Client, Event

    with Client("https://recommendations.example", key=secret, outbox=Path("outbox.db")) as client:
        answer = client.recommend(Ask(user_id="1364", k=5))
        client.send([Event(user_id="1364", item_id=answer.items[0].item_id, event="click")])

`AsyncClient` is the same with `async with` and `await`.
"""

from recloop.client.asynchronous import AsyncClient
from recloop.client.calls import Later, Refused
from recloop.client.outbox import Full, Outbox
from recloop.client.patience import Patience
from recloop.client.replies import Answer, Event, History, Past, Recommendation, Result
from recloop.client.synchronous import Client
from recloop.serving.schemas import Ask, Context, Filters

__all__ = [
    "Answer",
    "Ask",
    "AsyncClient",
    "Client",
    "Context",
    "Event",
    "Filters",
    "Full",
    "History",
    "Later",
    "Outbox",
    "Past",
    "Patience",
    "Recommendation",
    "Refused",
    "Result",
]
