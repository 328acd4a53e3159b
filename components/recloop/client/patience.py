"""How often and after what wait a request is sent again."""

from dataclasses import dataclass

from tenacity import RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential
from tenacity.retry import retry_base
from tenacity.stop import stop_base

from recloop.client.calls import Later


@dataclass(frozen=True)
class Patience:
    """The service's own Retry-After counts; else the wait is random below a bound that doubles (full jitter)."""

    attempts: int = 4
    first: float = 0.1
    """bound of the first wait, seconds"""
    longest: float = 5.0
    """bound of any wait, seconds; a service that asks for more is not asked again"""

    @property
    def stop(self) -> stop_base:
        """When to give up."""
        return stop_after_attempt(self.attempts)

    @property
    def retry(self) -> retry_base:
        """What is worth another attempt."""
        return retry_if_exception(lambda error: isinstance(error, Later) and (error.seconds or 0) <= self.longest)

    def wait(self, state: RetryCallState) -> float:
        """Seconds until the next attempt."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Later) and error.seconds is not None:
            return error.seconds
        return wait_random_exponential(multiplier=self.first, max=self.longest)(state)


USUAL = Patience()
ONCE = Patience(attempts=1)
