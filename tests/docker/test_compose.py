import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, ConfigDict

DOCKER = Path(__file__).parents[2] / "docker"
RAW = yaml.safe_load((DOCKER / "compose.yaml").read_text())
LOCAL = yaml.safe_load((DOCKER.parent / "infra" / "local" / "services.yaml").read_text())


class Service(BaseModel):
    """The part of the compose specification that is used here; anything else is a mistake."""

    model_config = ConfigDict(extra="forbid")
    image: str
    build: dict[str, str] | None = None
    restart: str
    environment: dict[str, str] = {}
    volumes: list[str] = []
    secrets: list[str] = []
    ports: list[str] = []
    entrypoint: list[str] = []
    command: list[str] = []
    depends_on: dict[str, dict[str, str]] = {}
    healthcheck: dict


ENDING = ("migrate", "buckets")
"""services that do one thing and end"""
SERVICES = {name: Service.model_validate(facts) for name, facts in RAW["services"].items()}


def test_it_has_the_components_of_the_embedded_platform():
    assert set(LOCAL) - {"docs"} <= set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_has_a_health_check(name):
    health = SERVICES[name].healthcheck
    assert health.get("test") or (name in ENDING and health == {"disable": True})


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_loopback_only(name):
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].ports)


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_come_from_the_environment_without_a_default(name):
    for key, value in SERVICES[name].environment.items():
        if re.search("PASSWORD|SECRET_ACCESS|ACCESS_KEY_ID|FERNET|JWT|SERVICE_KEY$", key) and not value.startswith(
            "/run/secrets"
        ):
            assert re.fullmatch(r"\$\{[A-Z_]+:\?set it\}", value), key


@pytest.mark.parametrize("name", SERVICES)
def test_what_it_depends_on_exists(name):
    assert set(SERVICES[name].depends_on) <= set(SERVICES)
    assert set(SERVICES[name].secrets) <= set(RAW["secrets"])


def test_images_are_pinned_and_not_root():
    lines = (DOCKER / "Dockerfile").read_text().splitlines()
    bases = [line.split()[1] for line in lines if line.startswith("FROM")]
    assert all(re.search(r":\d+\.\d+\.\d+", base) for base in bases)
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    assert users == ["recloop"]
    assert all(":latest" not in s.image and ":" in s.image for s in SERVICES.values())


def test_the_image_installs_from_the_lock_with_hashes():
    text = (DOCKER / "Dockerfile").read_text()
    installs = [
        line for line in re.split(r"\n|&&|\|\|", text.replace("\\\n", " ")) if "pip install" in line and "-r " in line
    ]
    assert installs
    assert all("--require-hashes" in line for line in installs)


def test_who_waits_for_a_service_that_ends_waits_for_its_success():
    for service in SERVICES.values():
        for name, how in service.depends_on.items():
            wanted = "service_completed_successfully" if name in ENDING else "service_healthy"
            assert how == {"condition": wanted}, name


@pytest.mark.parametrize("name", SERVICES)
def test_no_password_is_in_a_command(name):
    words = " ".join([*SERVICES[name].entrypoint, *SERVICES[name].command])
    assert "${" not in words
