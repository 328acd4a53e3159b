"""What other processes do in the tests of the ledger; a child process can import this file by its name."""

import signal

from recloop import ledger
from recloop.errors import Busy


def rival(url, number, gate, won):
    """Wait for the start, then try to take the lease; the winner tells its number."""
    gate.wait()
    try:
        ledger.acquire(ledger.connect(url), "retail", f"run-{number}", now=1000.0, ttl=60)
    except Busy:
        return
    won.put(number)


def hold(url, ready):
    """Hold the lease until killed."""
    with ledger.held(ledger.connect(url), "retail", "run-1", ttl=60, clock=lambda: 1000.0):
        ready.send(True)
        signal.pause()
