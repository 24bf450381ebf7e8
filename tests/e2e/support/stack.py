"""Clients of all doors of a stack, and more nodes (`partywall serve`) on the engines that `partywall up` runs."""
import pathlib
import subprocess

import psycopg
import redis
import yaml
from psycopg import sql

from .paths import partywall_binary
from .processes import Process, can_connect, free_port
from .raw_http import RawHttp, bearer
from .raw_postgres import RawPostgres
from .raw_resp import RawResp


class Doors:
    """Clients of a node's doors. `ports` by door; `run` is what run.json says of the stack behind them."""

    def __init__(self, run, ports, platform_file, database):
        self.run, self.ports, self.platform_file, self.database = run, ports, platform_file, database

    def tenant_id(self, tenant):
        return self.run["tenants"][tenant]["id"]

    # --- the sql door
    def sql_login(self, login):
        """(user, password) of a tenant's own login, or of "application" or "migration"."""
        if login in self.run["tenants"]:
            return login, self.run["tenants"][login]["sql_password"]
        return self.run[login]["user"], self.run[login]["password"]

    def sql(self, login, autocommit=True, **parameters):
        """psycopg 3, in autocommit mode unless told otherwise."""
        user, password = self.sql_login(login)
        return psycopg.connect(host="127.0.0.1", port=self.ports["sql"], dbname=self.database, user=user,
                               password=password, autocommit=autocommit, connect_timeout=15, **parameters)

    def raw_sql(self, login, **parameters):
        user, password = self.sql_login(login)
        return RawPostgres(self.ports["sql"], user, password, self.database, **parameters)

    def superuser(self, database=None):
        """Straight at PostgreSQL, past the door."""
        place = self.run["postgresql"]
        return psycopg.connect(host="127.0.0.1", port=place["port"], dbname=database or self.database,
                               user=place["user"], password=place["password"], autocommit=True, connect_timeout=15)

    # --- the cache door
    def cache_login(self, tenant):
        return tenant, self.run["tenants"][tenant]["cache_secret"]

    def cache(self, tenant, **arguments):
        user, secret = self.cache_login(tenant)
        return redis.Redis(port=self.ports["cache"], username=user, password=secret, socket_timeout=15, **arguments)

    def raw_cache(self, tenant=None):
        """Logged in as the tenant; not at all without one."""
        connection = RawResp(self.ports["cache"])
        if tenant:
            assert connection.command("AUTH", *self.cache_login(tenant)) == b"OK"
        return connection

    def redis_administrator(self, tenant=None):
        """Straight at Redis, past the door; in the tenant's database."""
        place = self.run["redis"]
        return redis.Redis(port=place["port"], username=place["user"], password=place["password"],
                           db=self.run["tenants"][tenant]["cache_database"] if tenant else 0, socket_timeout=15)

    # --- the http door
    def raw_http(self):
        return RawHttp(self.ports["http"])

    def token(self, tenant):
        return self.run["tenants"][tenant]["token"]

    # --- contexts
    def context(self, tenant, audience="any", ttl="10m"):
        return self.partywall("token", "create", "-f", self.platform_file, "--tenant", tenant,
                              "--audience", audience, "--ttl", ttl).stdout.strip()

    @staticmethod
    def partywall(*arguments, check=True):
        return subprocess.run([str(partywall_binary()), *map(str, arguments)], text=True, capture_output=True,
                              check=check, timeout=60)


def doors_of(up):
    """Those of a running support.up.Up."""
    ports = {door: up.run[door]["port"] for door in ("http", "sql", "cache", "admin")}
    return Doors(up.run, ports, pathlib.Path(up.run["platform_file"]), up.run["database"])


class Node(Doors):
    """`partywall serve` beside a stack: its engines, tenants and keys, but a database and slot roles of its own.

    `change(platform)` may alter the platform file (as read by yaml) before it is written."""

    def __init__(self, stack, name, schema, *, workers=1, slots=4, allow_temp=False, instances=(), change=None):
        self.name = name
        self._process = None
        database = f"partywall_{name}"
        ports = {door: free_port() for door in ("http", "sql", "cache", "admin")}
        platform = yaml.safe_load(stack.platform_file.read_text())
        platform["node"] |= {"workers": workers, "access_log": "none", "drain_timeout": "1s"}
        platform["listen"] = {door: {"address": "127.0.0.1", "port": port} for door, port in ports.items()}
        (cell,) = platform["cells"].values()
        (self.cell_name,) = platform["cells"]
        cell["sql"] |= {"database": database, "allow_temp": allow_temp}
        cell["sql"]["slot_roles"] |= {"prefix": f"{name}_slot_", "count": slots}
        (pool,) = cell["pools"].values()
        pool["instances"] = [{"id": f"echo-{n}", "address": "127.0.0.1", "port": port} for n, port in enumerate(instances)]
        for login in platform["logins"]["sql"]:
            login.pop("database", None)
        if change:
            change(platform)
        self.platform = platform
        path = stack.platform_file.with_name(f"{name}.yaml")  # beside the secrets that it names
        path.write_text(yaml.safe_dump(platform))
        path.chmod(0o600)
        super().__init__(stack.run, ports, path, database)
        self._make_database(schema, cell["sql"]["owner"]["role"])
        self.start()

    def _make_database(self, schema, owner):
        with self.superuser("postgres") as server:
            server.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(
                sql.Identifier(self.database), sql.Identifier(owner)))
        with self.superuser() as server:
            server.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(owner)))
            server.execute(schema)
        self.protect()

    def protect(self):
        place = self.run["postgresql"]
        address = (f"host=127.0.0.1 port={place['port']} user={place['user']} password={place['password']} "
                   f"dbname={self.database}")
        return self.partywall("schema", "protect", address, "-f", self.platform_file, "--cell", self.cell_name)

    def start(self):
        self._process = Process([partywall_binary(), "serve", "-f", self.platform_file],
                                self.platform_file.with_suffix(".log"))
        self._process.wait_until(lambda: all(map(can_connect, self.ports.values())), "the doors")
        self._process.wait_until(self._has_instance, "a healthy instance")

    def _has_instance(self):
        with self.raw_http() as connection:
            return connection.request("GET", "/healthz", [bearer(self.token("globex"))]).status != 503

    def log(self):
        return self._process.log()

    def stop(self):
        return self._process.stop()
