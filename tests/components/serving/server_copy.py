"""Run as a program: a server of one bundle on one journal. Arguments: bundle, journal, port."""

import sys
import time
from pathlib import Path

import uvicorn

from recloop.serving.app import create_app
from recloop.serving.bundle import Bundle
from recloop.serving.engine import Engine
from recloop.serving.journal import Journal
from recloop.serving.state import State


def main(folder, journal, port):
    log = Journal(Path(journal))
    engine = Engine(State(log.replay()), k=10, max_k=20)
    engine.swap(Bundle.load(Path(folder)), digest="copy", generation=1)
    app = create_app(engine, log, clock=time.time, keys=None)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
