"""Where it runs: at most a dozen RECLOOP_* variables; credentials come from the standard chains, never from here."""

from functools import cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from recloop.artifacts import Artifact
from recloop.artifacts import open_artifact as _open_artifact


class Settings(BaseSettings):
    """RECLOOP_HOME, RECLOOP_STORE, ...: every default works on one machine with nothing started."""

    model_config = SettingsConfigDict(env_prefix="RECLOOP_", frozen=True)

    home: Path = Field(Path(".recloop"))
    """state of this machine: caches, journals, logs, embedded services"""
    store: str = ""
    """artefacts; a folder or s3://; empty means <home>/store"""
    database: str = ""
    """leases and the ledger of releases (SQLAlchemy URL); empty means SQLite in <home>"""
    mlflow: str = ""
    """MLflow tracking URI; empty means SQLite in <home>"""
    configs: Path = Path("configs")
    """the folder of scenarios"""
    service: str = "http://127.0.0.1:8080"
    """the recommendation service"""
    airflow: str = ""
    """Airflow's API server; empty means that nothing is notified"""

    keys: str = ""
    """JSON file with the service's API keys, hashed; empty: <home>/keys.json. Without that file only loopback is served"""
    service_key: str = ""
    """API key with which commands of this machine write to the service"""
    docs: str = ""
    """address of the server that shows <home>/datadocs; empty means that none runs"""
    rendezvous: str = ""
    """host:port at which the nodes of a training on several machines meet; empty means one machine"""
    data_mirror: str = ""
    """folder or URL that is asked for public data sets before their publishers; empty means none"""

    @property
    def folder(self) -> Path:
        """The absolute home, made where it does not exist."""
        folder = self.home.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def keys_file(self) -> Path:
        """Where the service's API keys are, or would be."""
        return Path(self.keys) if self.keys else self.folder / "keys.json"

    @property
    def sets(self) -> Path:
        """Where public data sets are fetched to, a folder each."""
        return self.folder / "sets"

    @property
    def store_uri(self) -> str:
        """Root of the artefact store."""
        return (self.store or f"file://{self.folder}/store").rstrip("/")

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of Recloop's own data base."""
        return self.database or f"sqlite:///{self.folder}/recloop.db"

    @property
    def mlflow_uri(self) -> str:
        """Tracking URI of MLflow."""
        return self.mlflow or f"sqlite:///{self.folder}/mlflow.db"


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()


def opened(uri: str, *, kind: str) -> Artifact:
    """URI -> verified Artifact through this machine's cache."""
    return _open_artifact(uri, kind=kind, cache=settings().folder / "cache")
