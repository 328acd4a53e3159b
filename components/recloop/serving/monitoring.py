"""Figures of the service for Prometheus, in a registry of their own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from recloop.serving.engine import Engine
from recloop.serving.shipping import Shipper

BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class Monitoring:
    """Figures of one app."""

    def __init__(self) -> None:
        own = CollectorRegistry()
        self.registry = own
        self.seconds = Histogram("recloop_answer_seconds", "Time to answer", ["kind"], buckets=BUCKETS, registry=own)
        self.events = Counter("recloop_events", "Events by what became of them", ["status"], registry=own)
        self.lost = Counter("recloop_answers_lost", "Answers that the journal could not keep", registry=own)
        self.responses = Counter("recloop_responses", "Responses by HTTP status", ["status"], registry=own)
        self.refused = Counter("recloop_requests_refused", "Requests refused, by reason", ["reason"], registry=own)
        self.flagged = Counter("recloop_events_flagged", "Accepted events that do not count", ["flag"], registry=own)
        self.swaps = Gauge("recloop_swaps", "Releases taken up since the start", registry=own)
        self.release = Info("recloop_release", "The release that serves", registry=own)
        self.segments = Gauge("recloop_journal_segments_waiting", "Sealed segments not in the store yet", registry=own)

    def text(self, engine: Engine, shipper: Shipper | None) -> bytes:
        """Prometheus text format."""
        serving = engine.serving
        self.swaps.set(engine.swaps)
        self.segments.set(shipper.waiting() if shipper else 0)
        if serving:
            self.release.info({"digest": serving.digest, "generation": str(serving.generation)})
        return generate_latest(self.registry)
