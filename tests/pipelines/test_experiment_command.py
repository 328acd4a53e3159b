import json

import httpx
import pytest
from typer.testing import CliRunner

from recloop.errors import BadConfig, BadData, BadRequest, Unavailable
from recloop.evaluation.experiments.design import Design, Running, Variant
from recloop.serving.experiment import LIST
from recloop.serving.journal import Journal
from recloop_pipelines import service_api, trying
from recloop_pipelines.__main__ import app
from recloop_pipelines.serve import ship
from recloop_pipelines.settings import settings

DESIGN = Design(name="x", variants=(Variant(name="old"), Variant(name="new", policy="uniform")), effect=0.2)
RUNNING = Running(design=DESIGN, part=(0.0, 1.0), since=1.0)


def recloop(*words):
    found = CliRunner().invoke(app, [str(word) for word in words])
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


def told(*words):
    return json.loads(recloop(*words, "--json").stdout)


@pytest.fixture
def service(monkeypatch):
    """What is asked of a service that answers as it is told; without an answer it is down."""
    seen = []

    def handle(request):
        seen.append((request.method, request.url.path, json.loads(request.content or b"null")))
        if not seen_answers:
            raise httpx.ConnectError("refused", request=request)
        return seen_answers.pop(0)

    seen_answers = []
    real = httpx.Client
    monkeypatch.setattr(service_api.httpx, "Client", lambda **more: real(transport=httpx.MockTransport(handle), **more))
    handle.seen, handle.answers = seen, seen_answers
    return handle


@pytest.fixture
def journal(shop, service):
    """A service that is stopped: three hundred users, of whom those of the new variant buy what they are shown."""
    from recloop.config import load

    config = load(shop)
    path = trying.place(config, "experiments")
    path.parent.mkdir(parents=True)
    path.write_bytes(LIST.dump_json((RUNNING,)))
    own = Journal(settings().folder / "journal" / "shop")
    for n in range(300):
        variant = DESIGN.variants[n % 2].name
        answer = {
            "kind": "answer",
            "user_id": f"u{n}",
            "time": 100.0 + n,
            "items": ["a"],
            "experiments": {"x": variant},
        }
        event = {"kind": "event", "event_id": f"e{n}", "user_id": f"u{n}", "item_id": "a", "event": "purchase"}
        bought = [event | {"time": 200.0 + n, "price": 1.0}] if n % (2 if variant == "new" else 6) in (0, 1) else []
        own.append([answer, *bought])
        if n == 150:
            own.seal()
    own.close()


def test_an_experiment_is_started_as_the_words_say(service):
    service.answers.append(httpx.Response(201, json=RUNNING.model_dump(mode="json")))
    told(
        "experiment",
        "start",
        "x",
        "--policy",
        "uniform",
        "--allocation",
        "20%",
        "--effect",
        "3%",
        "--metric",
        "revenue",
    )
    ((method, path, body),) = service.seen
    assert (method, path) == ("POST", "/v1/experiments")
    assert (body["allocation"], body["effect"], body["metric"]) == (0.2, 0.03, "revenue")
    assert [v["name"] for v in body["variants"]] == ["control", "treatment"]


def test_a_design_of_many_variants_is_read_from_a_file(service, tmp_path):
    service.answers.append(httpx.Response(201, json=RUNNING.model_dump(mode="json")))
    path = tmp_path / "design.yaml"
    path.write_text("variants: [{name: a}, {name: b, policy: uniform}, {name: c, policy: softmax=2}]\nlayer: policy\n")
    told("experiment", "start", "three", "--file", path)
    assert (len(service.seen[0][2]["variants"]), service.seen[0][2]["name"]) == (3, "three")


def test_what_is_compared_must_be_said_once(service):
    with pytest.raises(BadConfig, match="one of --policy, --release and --file"):
        recloop("experiment", "start", "x")


def test_the_services_refusal_is_told_in_its_words(service):
    service.answers.append(httpx.Response(422, json={"detail": "There is no policy 'magic'"}))
    with pytest.raises(BadRequest, match="no policy 'magic'"):
        recloop("experiment", "start", "x", "--policy", "magic")
    service.answers.append(httpx.Response(403, json={"detail": "This key may not admin."}))
    with pytest.raises(BadRequest, match="RECLOOP_SERVICE_KEY"):
        recloop("experiment", "stop", "x")
    with pytest.raises(Unavailable, match="recloop serve"):
        recloop("experiment", "status")


def test_the_report_reads_what_the_journal_of_a_stopped_service_holds(shop, journal):
    found = told("experiment", "report", "x", "--scenario", shop)
    hits = next(one for one in found["results"]["comparisons"] if one["metric"] == "hits")
    assert (hits["users"], hits["control_users"]) == (150, 150)
    assert (hits["value"], hits["control"]) == (pytest.approx(1.0), pytest.approx(1 / 3))
    assert hits["verdict"] == "better"
    assert "new is better than old in hits: +200.0%" in found["headline"][0]
    page = (settings().folder / "experiments" / "x" / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 2
    assert "Release it." in page


def test_the_report_counts_what_users_did_at_other_replicas(shop, journal, tmp_path):
    from recloop.config import load

    before = told("experiment", "report", "x", "--scenario", shop)
    config, other = load(shop), Journal(tmp_path / "other")
    # of nobody's answers there; their segment's name comes before those of this machine
    event = {"kind": "event", "user_id": "u1", "item_id": "a", "event": "purchase", "price": 50.0}
    other.append([event | {"event_id": f"other-{n}", "time": 900.0} for n in range(3)])
    ship(config, other.seal())
    other.close()
    after = told("experiment", "report", "x", "--scenario", shop)
    spent = [
        one["value"] * one["users"]
        for report in (before, after)
        for one in report["results"]["comparisons"]
        if one["metric"] == "revenue"
    ]
    assert spent[1] - spent[0] == pytest.approx(150.0)


def test_a_report_of_nothing_names_what_there_is(shop, journal):
    with pytest.raises(BadData, match="there are: x"):
        recloop("experiment", "report", "y", "--scenario", shop)


def test_users_and_days_of_a_plan():
    words = ("--mean", 0.1, "--deviation", 0.3, "--effect", "5%", "--daily", 1000, "--allocation", "50%")
    found = told("experiment", "power", *words)
    assert found["users"]["one_look"] < found["users"]["every_look"]
    assert found["days"]["one_look"] == pytest.approx(found["users"]["one_look"] / 500)
