"""Random INSERTs, UPDATEs and DELETEs on whatever tables there are."""
import random

import psycopg

COLUMNS = """
SELECT c.oid::regclass::text, quote_ident(a.attname), format_type(a.atttypid, NULL),
  coalesce((SELECT a.attnum = ANY (i.indkey::int2[]) FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary), false)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^(pg_|information_schema|partywall)'
ORDER BY c.oid, a.attnum
"""


class RandomChanges:
    """Works on a connection in autocommit mode; `done` counts the statements that succeeded, by kind."""

    def __init__(self, connection, seed):
        self.connection = connection
        self.random = random.Random(seed)
        connection.execute("SET search_path = public")
        self.tables = {}
        for table, column, kind, is_key in connection.execute(COLUMNS).fetchall():
            self.tables.setdefault(table, []).append((column, kind, is_key))
        self.done = {"insert": 0, "update": 0, "key": 0, "delete": 0}
        self.touched = set()

    def transactions(self, count):
        for _ in range(count):
            rolls_back = self.random.random() < 0.1
            try:
                with self.connection.transaction(force_rollback=rolls_back):
                    for _ in range(self.random.randint(1, 12)):
                        self.change()
            except psycopg.errors.IntegrityError:  # a deferred constraint
                pass

    def change(self):
        table, columns = self.random.choice(list(self.tables.items()))
        kind = self.random.choices(list(self.done), weights=(5, 6, 1, 1))[0]
        try:
            with self.connection.transaction():
                count = getattr(self, kind)(table, columns)
        except (psycopg.errors.IntegrityError, psycopg.errors.DataError, psycopg.errors.RaiseException):
            return
        if count:
            self.done[kind] += 1
            self.touched.add(table)

    def insert(self, table, columns):
        """A copy of some row under another key."""
        values = ", ".join(self.another(column, kind) if is_key else column for column, kind, is_key in columns)
        names = ", ".join(column for column, _, _ in columns)
        return self.connection.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} ORDER BY random() LIMIT 1").rowcount

    def update(self, table, columns):
        """Some columns get the values of another row."""
        plain = [column for column, _, is_key in columns if not is_key]
        if not plain:
            return 0
        chosen = self.random.sample(plain, self.random.randint(1, min(3, len(plain))))
        names, values = ", ".join(chosen), ", ".join(f"other.{column}" for column in chosen)
        return self.connection.execute(
            f"UPDATE {table} AS t SET ({names}) = ROW({values}) FROM (SELECT * FROM {table} ORDER BY random() LIMIT 1) AS other "
            f"WHERE {self.some_row(table)}").rowcount

    def key(self, table, columns):
        keys = [(column, kind) for column, kind, is_key in columns if is_key]
        if not keys:
            return 0
        column, kind = self.random.choice(keys)
        return self.connection.execute(
            f"UPDATE {table} AS t SET {column} = {self.another(column, kind)} WHERE {self.some_row(table)}").rowcount

    def delete(self, table, _columns):
        return self.connection.execute(f"DELETE FROM {table} AS t WHERE {self.some_row(table)}").rowcount

    @staticmethod
    def some_row(table):
        return (f"(t.tableoid, t.ctid) = (SELECT tableoid, ctid FROM {table} ORDER BY random() LIMIT 1)")

    def another(self, column, kind):
        if kind in ("integer", "bigint"):
            return str(self.random.randint(1_000_000, 2_000_000_000))
        if kind == "smallint":
            return str(self.random.randint(1_000, 32_000))
        if kind.startswith("character") or kind == "text":
            return f"'{self.random.randbytes(2).hex()}'"
        return column
