import pytest

from recloop.config.merchandising import When
from recloop.serving.rules.occasion import Occasion, applies

MONDAY_NOON = 1_767_614_400
"""2026-01-05T12:00:00Z"""
SHOWN = Occasion("for_you", MONDAY_NOON, page="start", device="phone", place="Utah")


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({}, True),
        ({"kinds": ["for_you"], "pages": ["start"], "devices": ["phone"], "places": ["Ohio", "Utah"]}, True),
        ({"kinds": ["similar"]}, False),
        ({"pages": ["start"], "places": ["Ohio"]}, False),
        ({"hours": (12, 13)}, True),
        ({"hours": (13, 24)}, False),
        ({"hours": (22, 13)}, True),
        ({"hours": (22, 6)}, False),
        ({"weekdays": [0]}, True),
        ({"weekdays": [5, 6]}, False),
        ({"since": "2026-01-05T12:00:00Z"}, True),
        ({"until": "2026-01-05T12:00:00Z"}, False),
    ],
)
def test_every_part_that_is_given_must_hold(when, expected):
    assert applies(When.model_validate(when), SHOWN, untold=False) is expected


@pytest.mark.parametrize("untold", [True, False])
def test_what_the_caller_did_not_tell_counts_as_asked(untold):
    assert applies(When(places=("Utah",)), Occasion("for_you", MONDAY_NOON), untold=untold) is untold
