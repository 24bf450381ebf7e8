"""What attacks are measured by: every byte that acme receives, and what globex has before and after."""
import contextlib
import time

from support.raw_postgres import RawPostgres, message, query
from support.raw_resp import RawResp, command

# What only globex has. It must never be in anything that acme receives.
SECRET = "GLOBEX-SECRET"


class CacheWalls:
    """Attacks through the cache door of a node. globex has `secret` and some more in its database."""

    def __init__(self, lab):
        self.lab = lab

    def set_up(self):
        for tenant in ("acme", "globex"):
            self.lab.redis_administrator(tenant).flushdb()
        fill(self.lab.redis_administrator("globex"))

    def attack(self, commands, login="acme"):
        """Sends the commands one after the other; then nothing may have leaked, nothing changed."""
        self._attack(login, lambda connection: converse(connection, commands))

    def attack_raw(self, data, login="acme"):
        self._attack(login, lambda connection: speak(connection, data))

    def _attack(self, login, act):
        before = everything(self.lab.redis_administrator(), 2)
        with self.lab.raw_cache(login) as connection:
            received = act(connection)
        assert SECRET.encode() not in received, f"acme received {received!r}"
        assert everything(self.lab.redis_administrator(), 2) == before, "globex's keys were changed"
        self._check_door()

    def _check_door(self):
        """Both tenants are served as before, each from its own database."""
        for tenant in ("acme", "globex"):
            with self.lab.raw_cache(tenant) as connection:
                assert connection.command("SET", "probe", tenant) == b"OK"
                assert self.lab.redis_administrator(tenant).get("probe") == tenant.encode()
                assert connection.command("DEL", "probe") == 1


class PlainRedis:
    """A Redis without a door, for the controls: everybody selects a database by its number."""

    def __init__(self, server):
        self._server = server

    def harm_of(self, commands, patience=0):
        """{"reads"}, {"changes"} or nothing; a change may come up to `patience` seconds later."""
        commands = [[str(self._server.port) if word == "{redis}" else word for word in words] for words in commands]
        return self._harm(lambda connection: converse(connection, commands), patience)

    def harm_of_raw(self, data):
        return self._harm(lambda connection: speak(connection, data))

    def _harm(self, act, patience=0):
        administrator = self._server.client()
        administrator.flushall()
        fill(self._server.client(db=2))
        before = everything(administrator, 2)
        with RawResp(self._server.port) as connection:
            connection.command("SELECT", 1)
            received = act(connection)
        if SECRET.encode() in received:
            return {"reads"}
        # What MIGRATE has sent to the server itself is carried out after its own answer.
        deadline = time.monotonic() + patience
        while everything(administrator, 2) == before:
            if time.monotonic() >= deadline:
                return set()
            time.sleep(0.02)
        return {"changes"}


def fill(client):
    client.set("secret", SECRET)
    client.hset("hash", mapping={"field": SECRET})
    client.rpush("queue", SECRET, SECRET)


def everything(client, database):
    """The serialised value of each key of a database, by its name."""
    with contextlib.closing(client.client()) as one:
        one.execute_command("SELECT", database)
        return {key: one.execute_command("DUMP", key) for key in sorted(one.execute_command("KEYS", "*"))}


def converse(connection, commands):
    """Each command and its reply in turn; ends when the peer closes. All bytes that came."""
    received = b""
    with contextlib.suppress(EOFError, ConnectionError):
        for words in commands:
            connection.send(command(*words))
            received += _one_reply(connection)
    return received


def speak(connection, data):
    """Sends the bytes and a PING behind them; everything that comes until its answer, the end, or silence."""
    received = b""
    with contextlib.suppress(EOFError, ConnectionError, TimeoutError):
        connection.send(data + command("ECHO", "end-of-attack"))
        connection.socket.settimeout(0.3)
        while b"end-of-attack" not in received:
            connection.fill()
            received += connection.read(len(connection.buffer))
    return received


def _one_reply(connection):
    taken = _Tape(connection)
    RawResp.read_reply(taken)
    return taken.data


class _Tape:
    """Reads through a connection and keeps what was read."""

    def __init__(self, connection):
        self._connection = connection
        self.data = b""

    def read(self, count):
        data = self._connection.read(count)
        self.data += data
        return data

    def read_until(self, end):
        data = self._connection.read_until(end)
        self.data += data
        return data

    read_line = RawResp.read_line
    read_reply = RawResp.read_reply
    _blob = RawResp._blob
    _list = RawResp._list


class SqlWalls:
    """Attacks through the sql door of a node. Each tenant has three notes with a comment each."""

    def __init__(self, node):
        self.node = node
        self.names = {"acme": node.tenant_id("acme"), "globex": node.tenant_id("globex")}

    def set_up(self):
        with self.node.superuser() as server:
            fill_tables(server, self.names)

    def attack(self, script, login="acme"):
        """Plays the script; then nothing may have leaked, nothing changed, and both tenants see their own rows."""
        before = self.rows_of("globex")
        received = b""
        connection = self.node.raw_sql(login)
        with contextlib.closing(connection):
            received = play(connection, fill_in(script, self.names))
        assert SECRET.encode() not in received, f"acme received {readable(received)}"
        assert self.rows_of("globex") == before, "globex's rows were changed"
        self.check_doors()
        return received

    def rows_of(self, tenant):
        with self.node.superuser() as server:
            return rows_of(server, self.names[tenant])

    def check_doors(self):
        """Both tenants are served, each with its own rows and no others."""
        for tenant, identity in self.names.items():
            with self.node.sql(tenant) as connection:
                rows = connection.execute("SELECT tenant_id::text, title FROM notes").fetchall()
                assert {row[0] for row in rows} <= {identity}, f"{tenant} sees rows of others"
                assert connection.execute("SELECT partywall.tenant_id()::text").fetchone() == (identity,)
                if tenant == "globex":
                    assert len(rows) == 3


class NaiveDatabase:
    """The same tables with what is usually done: a policy on a setting. For the controls."""

    NAME, ROLE, PASSWORD = "partywall_naive", "partywall_naive_app", "naive"

    def __init__(self, stack, schema):
        self._stack = stack
        self.names = {"acme": stack.tenant_id("acme"), "globex": stack.tenant_id("globex")}
        with stack.superuser("postgres") as server:
            server.execute(f"CREATE DATABASE {self.NAME}")
            server.execute(f"CREATE ROLE {self.ROLE} LOGIN PASSWORD '{self.PASSWORD}'")
        with stack.superuser(self.NAME) as server:
            server.execute(schema)
            server.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC; GRANT CREATE ON SCHEMA public TO PUBLIC")
            for table in ("notes", "comments"):
                server.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; CREATE POLICY tenant ON {table} "
                               "USING (tenant_id = current_setting('app.current_tenant', true)::uuid)")

    def connect(self, kind):
        """`naive`: as a pooled application connection whose tenant was set to acme. `open`: without any policy."""
        place = self._stack.run["postgresql"]
        if kind == "open":
            return RawPostgres(place["port"], place["user"], place["password"], self.NAME)
        connection = RawPostgres(place["port"], self.ROLE, self.PASSWORD, self.NAME)
        connection.query(f"SET app.current_tenant = '{self.names['acme']}'")
        return connection

    def harm_of(self, kind, script):
        with self._stack.superuser(self.NAME) as server:
            fill_tables(server, self.names)
            server.execute("ANALYZE notes")
            before = rows_of(server, self.names["globex"])
            with self.connect(kind) as connection:
                received = play(connection, fill_in(script, self.names))
            if SECRET.encode() in received:
                return "reads"
            return "changes" if rows_of(server, self.names["globex"]) != before else None


def fill_tables(server, names):
    server.execute("DELETE FROM comments; DELETE FROM notes")
    for tenant, identity in names.items():
        for number in (1, 2, 3):
            title = f"{SECRET if tenant == 'globex' else tenant}-{number}"
            server.execute("INSERT INTO notes (tenant_id, id, title, amount) VALUES (%s, %s, %s, 10)", (identity, number, title))
            server.execute("INSERT INTO comments (tenant_id, id, note_id, body) VALUES (%s, %s, %s, %s)",
                           (identity, number, number, f"of {title}"))


def rows_of(server, identity):
    return [server.execute(f"SELECT * FROM {table} WHERE tenant_id = %s ORDER BY id", (identity,)).fetchall()
            for table in ("notes", "comments")]


def fill_in(script, names):
    """{acme} and {globex} become the tenants' ids."""
    def one(step):
        if not isinstance(step, str):
            return step
        for name, identity in names.items():
            step = step.replace("{" + name + "}", identity)
        return step
    return [one(step) for step in script]


def play(connection, script):
    """Each step is SQL (a simple query), bytes that end in a Query or Sync, or a function of the connection.

    Returns every byte that came; ends when the peer closes."""
    received = b""
    with contextlib.suppress(EOFError, ConnectionError):
        for step in script:
            if callable(step):
                received += step(connection) or b""
                continue
            connection.send(query(step) if isinstance(step, str) else step)
            while (one := connection.read_message()).kind != "Z":
                received += one.kind.encode() + one.body
                if one.kind == "G":  # CopyIn: nothing to copy
                    connection.send(message("c"))
    return received


def readable(data):
    return data.replace(b"\0", b" ").decode("latin-1")
