import pytest
from hypothesis import HealthCheck, Phase, given, settings

pytestmark = pytest.mark.slow
schemathesis = pytest.importorskip("schemathesis", reason="needs the extra dev")
SOME = settings(
    max_examples=25, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture
def operations(served, engine):
    """Every operation of the OpenAPI document of a running service."""
    with served(engine) as server:
        document = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
        yield [found.ok() for found in document.get_all_operations()]


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_nothing_that_the_document_describes_or_forbids_makes_the_service_fail(operations, mode):
    failed, asked = [], [o for o in operations if mode.is_positive or o.body or list(o.iter_parameters())]
    for operation in asked:

        @SOME
        @given(operation.as_strategy(generation_mode=mode))
        def ask(case):
            response = case.call()
            if response.status_code >= 500:
                failed.append((case.as_curl_command(), response.status_code, response.text))

        ask()
    assert not failed
    assert len(asked) >= 4
