"""Who may change a scenario now (leases) and who moved its pointer when (moves); SQLite and PostgreSQL alike."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, ProgrammingError

from recloop.errors import BadConfig, Busy, Unavailable

CONNECT_SECONDS = 4
"""at most two addresses of a name are tried, so a dead data base is named within 10 s"""

_LIMITS: dict[str, dict[str, object]] = {
    "sqlite": {"timeout": 2 * CONNECT_SECONDS},
    "postgresql": {
        "connect_timeout": CONNECT_SECONDS,
        "tcp_user_timeout": 1000 * CONNECT_SECONDS,
        "options": f"-c statement_timeout={2000 * CONNECT_SECONDS}",
    },
}
"""how each driver bounds its waiting, in its own units; a URL's own query wins"""

_metadata = sa.MetaData()
_leases = sa.Table(
    "leases",
    _metadata,
    sa.Column("scenario", sa.String(64), primary_key=True),
    sa.Column("holder", sa.String(256), nullable=False),
    sa.Column("token", sa.BigInteger, nullable=False),
    sa.Column("since", sa.Double, nullable=False),
    sa.Column("expires", sa.Double, nullable=False),
)
_moves = sa.Table(
    "moves",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("scenario", sa.String(64), nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("release", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("who", sa.String(256), nullable=False),
    sa.Column("moved", sa.Double, nullable=False),
    sa.UniqueConstraint("scenario", "generation", "digest"),
)


@dataclass(frozen=True)
class Lease:
    """A holder's right to change one scenario; times in seconds since the epoch."""

    scenario: str
    holder: str
    token: int
    """grows with every change of holder; a writer with an older token has lost its right"""
    since: float
    expires: float


@dataclass(frozen=True)
class Move:
    """One move of a scenario's pointer; `moved` in seconds since the epoch."""

    scenario: str
    generation: int
    release: str
    digest: str
    reason: str
    who: str
    moved: float


@dataclass
class Held:
    """A lease that a thread keeps alive; `check` before every step that changes something."""

    token: int
    lost: list[Exception] = field(default_factory=list)

    def check(self) -> None:
        """Raises Busy or Unavailable once the lease could not be renewed."""
        if self.lost:
            raise self.lost[0]


def connect(url: str) -> sa.Engine:
    """SQLAlchemy URL -> engine whose tables exist. Raises Unavailable within 10 s where the data base is down.

    Raises BadConfig for what is no URL of SQLite or PostgreSQL. Connections are not pooled: calls are rare, and an
    engine may be used from forked processes and many threads.
    """
    parsed = _parsed(url)
    limits = _LIMITS[parsed.get_backend_name()]
    arguments = {name: value for name, value in limits.items() if name not in parsed.query}
    engine = sa.create_engine(parsed, poolclass=sa.NullPool, connect_args=arguments)
    for table in _metadata.sorted_tables:
        _create(engine, table)
    return engine


def _parsed(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() not in _LIMITS:
        raise BadConfig(
            f"The data base {url.partition(':')[0]}:... is none of {', '.join(_LIMITS)}. Set RECLOOP_DATABASE to one."
        )
    return parsed


def acquire(engine: sa.Engine, scenario: str, holder: str, *, now: float, ttl: float) -> int:
    """Take the scenario's lease until now + ttl -> its token; the same holder gets the same token again.

    Raises Busy naming the holder, Unavailable.
    """
    same = (_leases.c.holder == holder) & (_leases.c.expires > now)
    take = (
        sa.update(_leases)
        .where(_leases.c.scenario == scenario, same | (_leases.c.expires <= now))
        .values(
            holder=holder,
            token=sa.case((same, _leases.c.token), else_=_leases.c.token + 1),
            since=sa.case((same, _leases.c.since), else_=now),
            expires=now + ttl,
        )
        .returning(_leases.c.token)
    )
    first = sa.insert(_leases).values(scenario=scenario, holder=holder, token=1, since=now, expires=now + ttl)
    for _ in range(2):
        with _working(engine) as connection:
            token = connection.execute(take).scalar()
        if token is not None:
            return int(token)
        if lease(engine, scenario) is not None:
            break
        if _inserted(engine, first):
            return 1
    raise _busy(engine, scenario)


def renew(engine: sa.Engine, scenario: str, *, token: int, now: float, ttl: float) -> None:
    """Extend the lease until now + ttl. Raises Busy where another holder has it, Unavailable."""
    statement = _own(scenario, token).values(expires=now + ttl)
    with _working(engine) as connection:
        renewed = connection.execute(statement).rowcount
    if not renewed:
        raise _busy(engine, scenario)


def release(engine: sa.Engine, scenario: str, *, token: int) -> None:
    """Give the lease back; nothing happens where it was lost before. Raises Unavailable."""
    with _working(engine) as connection:
        connection.execute(_own(scenario, token).values(holder="", expires=0.0))


def lease(engine: sa.Engine, scenario: str) -> Lease | None:
    """The scenario's last lease (holder "" once given back), or None where there never was one."""
    with _working(engine) as connection:
        row = connection.execute(sa.select(_leases).where(_leases.c.scenario == scenario)).one_or_none()
    return None if row is None else Lease(**row._mapping)


@contextmanager
def held(engine: sa.Engine, scenario: str, holder: str, *, ttl: float, clock: Callable[[], float]) -> Iterator[Held]:
    """Hold the scenario's lease while the block runs; a thread renews it every third of `ttl` seconds.

    Raises Busy at the start where another holder has it, and Busy or Unavailable at the end where it was lost
    meanwhile. Given back at the end of the block: two blocks of one holder do not nest.
    """
    state = Held(acquire(engine, scenario, holder, now=clock(), ttl=ttl))
    stop = threading.Event()
    beat = threading.Thread(
        target=_beat, args=(engine, scenario, state), kwargs={"ttl": ttl, "clock": clock, "stop": stop}, daemon=True
    )
    beat.start()
    try:
        yield state
        state.check()
    finally:
        stop.set()
        beat.join()
        release(engine, scenario, token=state.token)


def record(engine: sa.Engine, move: Move) -> None:
    """Write one move down; the same move again changes nothing. Raises Unavailable."""
    _inserted(engine, sa.insert(_moves).values(**move.__dict__))


def moves(engine: sa.Engine, scenario: str) -> tuple[Move, ...]:
    """Every move of the scenario's pointer, oldest first. Raises Unavailable."""
    columns = [c for c in _moves.c if c.name != "id"]
    statement = sa.select(*columns).where(_moves.c.scenario == scenario).order_by(_moves.c.id)
    with _working(engine) as connection:
        return tuple(Move(**row._mapping) for row in connection.execute(statement))


def _beat(
    engine: sa.Engine, scenario: str, state: Held, *, ttl: float, clock: Callable[[], float], stop: threading.Event
) -> None:
    """Renew until stopped; an outage is survived as long as the lease has not run out."""
    expires = clock() + ttl
    while not stop.wait(ttl / 3):
        now = clock()
        try:
            renew(engine, scenario, token=state.token, now=now, ttl=ttl)
            expires = now + ttl
        except Busy as error:
            state.lost.append(error)
            return
        except Unavailable as error:
            if clock() >= expires:
                state.lost.append(error)
                return


def _own(scenario: str, token: int) -> sa.Update:
    return sa.update(_leases).where(_leases.c.scenario == scenario, _leases.c.token == token, _leases.c.holder != "")


def _busy(engine: sa.Engine, scenario: str) -> Busy:
    found = lease(engine, scenario)
    if found is None or not found.holder:
        return Busy(f"The lease of {scenario} was lost and nobody holds it now. Run again.")
    since, expires = (
        datetime.fromtimestamp(t, UTC).isoformat(timespec="seconds") for t in (found.since, found.expires)
    )
    return Busy(
        f"{scenario} is held by {found.holder} since {since} (token {found.token}); its lease runs out at {expires} "
        "if it is not renewed. Wait for it, or end that run."
    )


def _inserted(engine: sa.Engine, statement: sa.Insert) -> bool:
    """Insert one row; False where its key exists."""
    try:
        with _working(engine) as connection:
            connection.execute(statement)
    except IntegrityError:
        return False
    return True


def _create(engine: sa.Engine, table: sa.Table) -> None:
    """Create the table where it does not exist, also when another process does so at the same moment."""
    statement = sa.schema.CreateTable(table, if_not_exists=True)
    try:
        with _working(engine) as connection:
            connection.execute(statement)
    except (IntegrityError, ProgrammingError):
        # PostgreSQL's IF NOT EXISTS loses such a race with an error; by then the rival has committed
        with _working(engine) as connection:
            connection.execute(statement)


@contextmanager
def _working(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction; the data base's failures become Unavailable, broken constraints stay."""
    try:
        with engine.begin() as connection:
            yield connection
    except (IntegrityError, ProgrammingError):
        raise
    except DBAPIError as error:
        where, why = engine.url.render_as_string(hide_password=True), " ".join(str(error.orig).split())
        raise Unavailable(
            f"The data base {where} did not answer: {why}. Start it (`recloop up`) or set RECLOOP_DATABASE."
        ) from error
