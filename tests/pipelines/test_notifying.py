import json

import pytest

from listeners import mailbox, webhook
from recloop.config import NotifyConfig, load
from recloop.errors import BadConfig, QualityFailed
from recloop_pipelines import ingest
from recloop_pipelines.notifying import Notice, failed, notify
from recloop_pipelines.places import place
from recloop_pipelines.settings import opened, settings

NOTICE = Notice("shop", "the source is late", ("It is old.",), "orders@shop.example")


def test_a_webhook_gets_text_and_facts():
    with webhook() as (url, got):
        notify(NotifyConfig(webhook=url), NOTICE)
    (body,) = got
    assert body["text"] == "shop: the source is late\nIt is old."
    assert (body["owner"], body["lines"]) == ("orders@shop.example", ["It is old."])


def test_people_get_mail():
    with mailbox() as (server, got):
        notify(NotifyConfig(email=("a@shop.example", "b@shop.example"), smtp=server), NOTICE)
    (letter,) = got
    assert "Subject: [recloop] shop: the source is late" in letter
    assert "To: a@shop.example, b@shop.example" in letter
    assert "It is old." in letter


def test_a_way_that_fails_is_logged_without_its_secret_and_the_others_go_on(caplog):
    with webhook(status=500) as (url, _), mailbox() as (server, got):
        notify(NotifyConfig(webhook=f"{url}/s3cret", email=("a@shop.example",), smtp=server), NOTICE)
    assert len(got) == 1
    assert "was not delivered by notify.webhook: HTTPStatusError" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_secret_comes_from_the_environment(monkeypatch):
    config = NotifyConfig(webhook="${SHOP_WEBHOOK}")
    with pytest.raises(BadConfig, match=r"notify\.webhook names SHOP_WEBHOOK"):
        notify(config, NOTICE)
    with webhook() as (url, got):
        monkeypatch.setenv("SHOP_WEBHOOK", url)
        notify(config, NOTICE)
    assert len(got) == 1


def test_a_mail_server_may_come_from_the_environment_as_a_whole(monkeypatch):
    config = NotifyConfig(email=("a@shop.example",), smtp="${SHOP_SMTP}")
    with mailbox() as (server, got):
        monkeypatch.setenv("SHOP_SMTP", server)
        notify(config, NOTICE)
    assert len(got) == 1
    monkeypatch.setenv("SHOP_SMTP", "mail.shop.example:25")
    with pytest.raises(BadConfig, match=r"notify\.smtp is"):
        notify(config, NOTICE)


def promising(shop, url, act):
    """The made-up shop, whose events are of 2024, promises fresh ones."""
    contract = f"  contract: {{owner: orders, fresh_hours: 24, act: {act}}}\n"
    shop.write_text(
        shop.read_text().replace("  source: table\n", f"  source: table\n{contract}")
        + f"notify: {{webhook: '{url}'}}\n"
    )
    config = load(shop)
    ingest.collect(config=config, out=place(config, "events", "one"))
    return config


def test_a_breach_is_told_and_stands_on_the_page(shop, caplog):
    with webhook() as (url, got):
        config = promising(shop, url, "warn")
        made = ingest.check(config=config, out=place(config, "checked", "one"))
    assert "The newest event is" in got[0]["lines"][0]
    assert got[0]["lines"][0] in caplog.text
    verdict = json.loads((opened(made, kind="checked").path / "verdict.json").read_text())
    assert (verdict["ok"], verdict["contract"]) == (True, ["age_hours"])
    page = (settings().folder / "datadocs/shop/one/index.html").read_text()
    assert "contract" in page


def test_a_breach_stops_where_the_contract_says_so(shop):
    config = promising(shop, "", "stop")
    with pytest.raises(QualityFailed, match=r"The newest event is .* Ask orders\."):
        ingest.check(config=config, out=place(config, "checked", "one"))


def test_a_task_that_failed_is_told(shop):
    with webhook() as (url, got):
        config = load(shop).model_copy(update={"notify": NotifyConfig(webhook=url)})
        failed(config, "fit", ValueError("no memory"))
    assert got[0]["text"] == "shop: fit failed\nno memory"


def test_an_address_that_is_none_keeps_nobody_from_going_on(caplog):
    notify(NotifyConfig(webhook="http://[broken/s3cret"), NOTICE)
    assert "was not delivered by notify.webhook" in caplog.text
    assert "s3cret" not in caplog.text
