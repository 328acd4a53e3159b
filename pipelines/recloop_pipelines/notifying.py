"""Who is told of what went wrong: a webhook, people by e-mail. Nobody, where the section notify names none."""

import logging
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import httpx

from recloop.config import Config, NotifyConfig
from recloop.config.edge import LOOPBACK
from recloop.errors import BadConfig
from recloop_pipelines.source import replaced

LOG = logging.getLogger(__name__)
SECONDS = 10.0
"""that a server has to answer"""
PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True)
class Notice:
    """scenario: of which. title: one line. lines: a sentence each. owner: whom to ask, '' where it is not known."""

    scenario: str
    title: str
    lines: tuple[str, ...]
    owner: str = ""

    @property
    def text(self) -> str:
        """All of it, for people."""
        return "\n".join([f"{self.scenario}: {self.title}", *self.lines])


def breached(config: Config, sentences: tuple[str, ...]) -> None:
    """Tell of promises that a source has not kept, in the log as well; of none, nothing."""
    if sentences:
        LOG.warning("%s: the contract of its source is not kept:\n  %s", config.scenario, "\n  ".join(sentences))
        told = "1 promise" if len(sentences) == 1 else f"{len(sentences)} promises"
        title = f"the source has not kept {told} of its contract"
        try:
            notify(config.notify, Notice(config.scenario, title, sentences, config.data.contract.owner))
        except BadConfig as error:
            # what was checked is published; the loop goes on without a word
            LOG.error("Nobody was told: %s", error)


def failed(config: Config, task: str, error: BaseException | str) -> None:
    """Tell of a task that failed for good."""
    notify(config.notify, Notice(config.scenario, f"{task} failed", (str(error),), config.data.contract.owner))


def notify(config: NotifyConfig, notice: Notice) -> None:
    """Send a notice by every way that is configured.

    A way that does not work is logged as an error and keeps neither the others nor the run from going on: what is told of
    stands in the check's report too. Raises BadConfig where the environment lacks a secret.
    """
    for name, send in list(_ways(config)):
        try:
            send(notice)
        except BadConfig:
            raise
        except (httpx.HTTPError, httpx.InvalidURL, smtplib.SMTPException, OSError, ValueError) as error:
            LOG.error("The notice %r was not delivered by %s: %s", notice.title, name, type(error).__name__)


def _ways(config: NotifyConfig) -> Iterator[tuple[str, Callable[[Notice], None]]]:
    if config.webhook:
        url = replaced(config.webhook, "notify.webhook")
        yield "notify.webhook", lambda notice: _post(url, notice)
    if config.email:
        server = replaced(config.smtp, "notify.smtp")
        yield "notify.smtp", lambda notice: _mail(server, config, notice)


def _post(url: str, notice: Notice) -> None:
    body = {"scenario": notice.scenario, "title": notice.title, "lines": notice.lines, "owner": notice.owner}
    httpx.post(url, json={"text": notice.text, **body}, timeout=SECONDS).raise_for_status()


def _mail(server: str, config: NotifyConfig, notice: Notice) -> None:
    message = EmailMessage()
    message["Subject"] = f"[recloop] {notice.scenario}: {notice.title}"
    message["From"], message["To"] = config.sender, ", ".join(config.email)
    message.set_content(notice.text + "\n")
    with _connected(server) as client:
        client.send_message(message)


@contextmanager
def _connected(server: str) -> Iterator[smtplib.SMTP]:
    """A mail server that has let us in: by TLS where it can, whose certificate is checked, and never by a password in clear."""
    at = urlsplit(server)
    if at.scheme not in PORTS:
        raise BadConfig("notify.smtp is, with the environment's value, no smtp://host:port or smtps://host:port.")
    host, port, trusted = at.hostname or "localhost", at.port or PORTS[at.scheme], ssl.create_default_context()
    made: smtplib.SMTP
    if at.scheme == "smtps":
        made = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=trusted)
    else:
        made = smtplib.SMTP(host, port, timeout=SECONDS)
    with made as client:
        client.ehlo()
        plain = at.scheme == "smtp" and not client.has_extn("starttls")
        if at.scheme == "smtp" and not plain:
            client.starttls(context=trusted)
        if at.username and plain and host not in LOOPBACK:
            raise smtplib.SMTPNotSupportedError("it has no TLS for a login")
        if at.username:
            client.login(unquote(at.username), unquote(at.password or ""))
        yield client
