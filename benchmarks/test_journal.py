"""The journal against the bound: the same bytes appended by hand with one fdatasync a batch."""

import os
import time

from recloop.serving.journal import Journal
from recloop.serving.segment import encode

BATCHES, SIZE = 200, 256


def records(batch):
    return [
        {"kind": "event", "event_id": f"{batch}-{n}", "user_id": "u", "item_id": "i", "event": "purchase", "time": 1.0}
        for n in range(SIZE)
    ]


def test_events_a_second_beside_a_bare_append(tmp_path, capsys):
    batches = [records(n) for n in range(BATCHES)]
    start = time.perf_counter()
    with (tmp_path / "bare").open("ab", buffering=0) as stream:
        for batch in batches:
            stream.write(b"".join(map(encode, batch)))
            os.fdatasync(stream.fileno())
    bare = time.perf_counter() - start
    journal = Journal(tmp_path / "journal")
    start = time.perf_counter()
    for batch in batches:
        journal.append(batch).result()
    own = time.perf_counter() - start
    journal.close()
    with capsys.disabled():
        rate = BATCHES * SIZE / own
        print(f"\njournal: {rate:,.0f} events/s in batches of {SIZE}; {bare / own:.2f} of a bare append with fdatasync")  # noqa: T201
