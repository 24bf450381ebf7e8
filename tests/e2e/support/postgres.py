"""A private PostgreSQL: its own data folder, port and unix socket, SCRAM for everybody."""
import itertools
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

import psycopg
from psycopg import sql

from .paths import postgres_program
from .processes import Process, free_port

SUPERUSER = "postgres"
PASSWORD = "only-for-tests"

# Fast rather than durable; small, because several of them may run side by side.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "120",
    "shared_buffers": "64MB",
    "password_encryption": "scram-sha-256",
    "logging_collector": "off",
    "log_statement": "none",
    "log_min_messages": "warning",
    "shared_preload_libraries": "pg_stat_statements",
}


class Postgres:
    """Start it with `start()`, end it with `stop()`; or use it as a context manager."""

    def __init__(self, settings=None, folder=None):
        # Not pytest's tmp_path: those folders are closed to the user that PostgreSQL runs as.
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="partywall-postgres-"))
        self.data = self.folder / "data"
        self.settings = SETTINGS | (settings or {})
        self.superuser = SUPERUSER
        self.password = PASSWORD
        self.host = "127.0.0.1"
        self.port = free_port()
        self.socket_folder = self.folder
        self._user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None  # PostgreSQL refuses root
        self._process = None
        self._numbers = itertools.count(1)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self.remove()

    def start(self):
        if self._user:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        if not self.data.exists():
            self._initdb()
        options = {"port": self.port, "listen_addresses": self.host,
                   "unix_socket_directories": self.socket_folder} | self.settings
        command = [postgres_program("postgres"), "-D", self.data]
        command += itertools.chain.from_iterable(("-c", f"{name}={value}") for name, value in options.items())
        # SIGINT is PostgreSQL's "fast" shutdown: it disconnects the clients.
        self._process = Process(command, self.folder / "log", self._user, signal.SIGINT, cwd=self.folder)
        self._process.wait_until(self._accepts, "accepting connections")

    def stop(self):
        if self._process:
            self._process.stop()
            self._process = None

    def restart(self):
        self.stop()
        self.start()

    def crash(self):
        """Ends it as a power cut would; `start()` then recovers."""
        self._process.process.send_signal(signal.SIGQUIT)  # "immediate" shutdown
        self._process.process.wait()
        self._process = None

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self):
        return self._process.pid

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def connect(self, dbname="postgres", user=SUPERUSER, password=PASSWORD, autocommit=True, **parameters):
        """A psycopg 3 connection, in autocommit mode and without prepared statements unless told otherwise."""
        parameters = {"prepare_threshold": None, "connect_timeout": 10} | parameters
        return psycopg.connect(host=self.host, port=self.port, dbname=dbname, user=user, password=password,
                               autocommit=autocommit, **parameters)

    def url(self, dbname="postgres", user=SUPERUSER, password=PASSWORD):
        return f"postgresql://{user}:{password}@{self.host}:{self.port}/{dbname}"

    def execute(self, statement, dbname="postgres"):
        """Runs SQL as the superuser; returns the rows if there are any."""
        with self.connect(dbname) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else None

    def create_database(self, name=None, owner=None, template="template0"):
        """A fresh database, or a copy of one that nobody uses; its name. Drop it with drop_database()."""
        name = name or f"test_{next(self._numbers)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        if owner:
            statement += sql.SQL(" OWNER {}").format(sql.Identifier(owner))
        self.execute(statement)
        return name

    def drop_database(self, name):
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def make_standby(self):
        """A hot standby of this server, not started yet."""
        standby = Postgres(self.settings)
        if self._user:
            os.chown(standby.folder, self._user.pw_uid, self._user.pw_gid)
        command = [str(postgres_program("pg_basebackup")), "-h", self.host, "-p", str(self.port), "-U", SUPERUSER,
                   "-D", str(standby.data), "-R", "-X", "stream", "-c", "fast", "--no-sync"]
        subprocess.run(command, check=True, capture_output=True, timeout=120, cwd=standby.folder,
                       env=os.environ | {"PGPASSWORD": PASSWORD}, **self._identity())
        return standby

    def psql(self, *arguments, dbname="postgres", user=SUPERUSER, password=PASSWORD, text=None, check=True):
        """Runs psql (unaligned, tuples only, no start-up file); `text` goes to its standard input."""
        command = [str(postgres_program("psql")), "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.host,
                   "-p", str(self.port), "-U", user, "-d", dbname, *arguments]
        return subprocess.run(command, input=text, text=True, capture_output=True, check=check, timeout=120,
                              env=os.environ | {"PGPASSWORD": password})

    def _identity(self):
        """Whom PostgreSQL's programs run as, for subprocess."""
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}

    def _initdb(self):
        password_file = self.folder / "password"
        password_file.write_text(PASSWORD)
        command = [postgres_program("initdb"), "-D", self.data, "-U", SUPERUSER, "-A", "scram-sha-256",
                   f"--pwfile={password_file}", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        os.chmod(password_file, 0o644 if self._user else 0o600)
        subprocess.run([str(part) for part in command], check=True, capture_output=True, cwd=self.folder,
                       **self._identity())
        password_file.unlink()

    def _accepts(self):
        try:
            self.connect().close()
            return True
        except psycopg.OperationalError:
            return False
