"""One question -> one answer, also where a release that is only tried breaks on it: then the champion answers."""

import time
from typing import Any

from recloop.errors import BadRequest, Unavailable
from recloop.serving.admission import Admission
from recloop.serving.engine import Engine
from recloop.serving.explore import honest
from recloop.serving.interleaved import interleaved
from recloop.serving.schemas import Ask
from recloop.serving.stages import Serving


async def answer_safely(engine: Engine, admission: Admission, ask: Ask, *, now: float) -> dict[str, Any]:
    """The answer, whole and of one release; `failed` names the release that should have given it and broke.

    Raises what the champion raises.
    """
    start = time.perf_counter()
    found = await _safe(engine, admission, ask, now)
    found["milliseconds"]["total"] = round(1000 * (time.perf_counter() - start), 3)
    return found


async def _safe(engine: Engine, admission: Admission, ask: Ask, now: float) -> dict[str, Any]:
    partner = engine.partner(ask)
    if partner is not None:
        return await _drafted(engine, admission, ask, now, partner)
    own = None if engine.serving is None else engine.choose(ask, engine.serving)
    if own is None or own is engine.serving:
        return await _asked(engine, admission, ask, now, own)
    try:
        return await _asked(engine, admission, ask, now, own)
    except Unavailable:
        raise
    except BadRequest:
        # an item that only the champion knows
        return await _asked(engine, admission, ask, now, engine.serving)
    except Exception:
        # the release is judged by how often this happens; the shopper gets an answer all the same
        found = await _asked(engine, admission, ask, now, engine.serving)
        return found | {"failed": own.digest}


async def _drafted(engine: Engine, admission: Admission, ask: Ask, now: float, partner: Serving) -> dict[str, Any]:
    """Both releases are asked; where the partner breaks, what serves answers alone."""
    own = await _asked(engine, admission, ask, now, engine.serving)
    try:
        return interleaved(own, await _asked(engine, admission, ask, now, partner))
    except Exception:
        return own | {"failed": partner.digest}


async def _asked(engine: Engine, admission: Admission, ask: Ask, now: float, own: Serving | None) -> dict[str, Any]:
    wanted, spent = engine.wanted(ask, now=now, serving=own)
    slate, more = await admission.ask(wanted)
    return honest(engine.answered(wanted, slate, spent | more))
