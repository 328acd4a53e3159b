"""A journal in a process of its own: python journal_copy.py FOLDER FIRST LAST; it says what was acknowledged.

Two events a number, and a seal behind every second. What was refused is sent again, three times at most.
"""

import os
import sys
from pathlib import Path

from recloop.errors import Unavailable
from recloop.serving.journal import Journal


def main(folder, first, last):
    journal = Journal(Path(folder))
    for n in range(int(first), int(last)):
        if not any(taken(journal, n) for _ in range(4)):
            sys.exit(f"{n} was refused to the end")
        os.writev(1, [f"acknowledged {n}\n".encode()])
        if n % 2:
            sealed(journal)
    journal.close()


def taken(journal, n):
    """Whether the journal took the events in; the body of one is larger than a sector."""
    try:
        journal.append(
            [{"kind": "event", "event_id": f"{n}-{part}", "body": "x" * 700 * part} for part in (0, 1)]
        ).result()
    except Unavailable:
        return False
    return True


def sealed(journal):
    try:
        journal.seal()
    except Unavailable as error:
        sys.stderr.write(f"{error}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
