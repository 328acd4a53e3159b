"""The embedded PostgreSQL: its cluster and its three data bases."""

import os
import shutil
import subprocess
from pathlib import Path

from recloop.errors import Stopped
from recloop_pipelines.local.installation import NOBODY, Installation, as_nobody, pg_bin, private

DATABASES = ("airflow", "mlflow", "recloop")


def prepare(made: Installation) -> None:
    """Make the cluster where there is none; every login needs the generated password."""
    folder = made.home / "postgres"
    if folder.exists():
        return
    # made beside and renamed: an initdb that was killed leaves a folder that looks like a cluster
    fresh = made.home / "postgres.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(fresh, int(NOBODY), int(NOBODY))
    _initdb(made, fresh)
    fresh.rename(folder)


def _initdb(made: Installation, folder: Path) -> None:
    password = made.home / "postgres.password"
    private(password, made.secrets["database"])
    options = ["-U", "recloop", "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "--locale=C"]
    run = subprocess.run(
        [*as_nobody(), str(pg_bin() / "initdb"), "-D", str(folder), *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    password.unlink()
    if run.returncode:
        raise Stopped(f"PostgreSQL's initdb failed in {folder}: {run.stderr[-800:]}")


def create_databases(made: Installation) -> None:
    """One data base each for Airflow, MLflow and Recloop."""
    import psycopg2

    address = {"host": "127.0.0.1", "port": made.ports["postgres"], "user": "recloop"}
    connection = psycopg2.connect(**address, password=made.secrets["database"], dbname="postgres", connect_timeout=5)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("select datname from pg_database")
        known = {row[0] for row in cursor.fetchall()}
        for name in DATABASES:
            if name not in known:
                cursor.execute(f'create database "{name}"')
    connection.close()
