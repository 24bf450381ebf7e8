"""`partywall migrate`: a tenant's rows from a database of its own into a converted one."""
import json
import subprocess

import yaml
from conversion import Target

SLUGS = ("acme", "globex", "initech")


class Tool:
    """`partywall migrate` for one source and one target; the target's platform file knows the tenants."""

    def __init__(self, target, source_url, tenants, rules=None):
        self.target, self.source, self.rules = target, source_url, rules
        target.platform |= {"tenants": [{"slug": slug, "id": str(tenant), "name": slug, "tier": "pro", "cell": "main"}
                                        for slug, tenant in tenants.items()]}
        target._write_platform()

    def command(self, verb, slug, *arguments, source=None):
        to = self.target
        own = ["--to", to.name, "--tenant", slug, "-f", to.platform_file, *arguments]
        if verb not in ("status", "discard"):
            own = [source or self.source, *own]
            if self.rules:
                own += ["--rules", to.write_secret("rules.yaml", yaml.safe_dump(self.rules))]
        return [str(part) for part in (to.binary, "migrate", verb, *own)]

    def call(self, verb, slug, *arguments, source=None):
        """The finished process."""
        return subprocess.run(self.command(verb, slug, *arguments, source=source), env=self.target.environment(),
                              capture_output=True, text=True, timeout=300)

    def start(self, verb, slug, *arguments):
        return subprocess.Popen(self.command(verb, slug, *arguments), env=self.target.environment(),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, slug, *arguments):
        done = self.call("run", slug, *arguments)
        assert done.returncode == 0, f"migrate run ended with {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done

    def events(self, verb, slug, *arguments):
        """The exit status and the events of `-o json`."""
        done = self.call(verb, slug, "-o", "json", *arguments)
        assert done.stdout, done.stderr
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    def status(self, slug):
        done = self.call("status", slug, "-o", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def prepared(postgres, binary, source, tenants, rules=None):
    """A target with the schema of `source`, and the tool for both."""
    target = Target(postgres, binary, postgres.create_database())
    target.convert(source, rules=rules)
    return Tool(target, postgres.url(source), tenants, rules)


# Rows of every table that holds some, partitions through their parents; generated columns too.
HOLDERS = """
SELECT format('%I.%I', n.nspname, c.relname), array_agg(quote_ident(a.attname) ORDER BY a.attname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'tenant_id'
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^(pg_|information_schema|partywall)'
GROUP BY c.oid, n.nspname, c.relname ORDER BY 1
"""


def digests(connection, tables, tenant=None):
    """md5 of each table's rows as text in order, and their number: by PostgreSQL itself."""
    connection.execute("SET search_path = pg_catalog")
    where = f" WHERE tenant_id = '{tenant}'" if tenant else ""
    return {table: connection.execute(
        f"SELECT count(*), md5(string_agg(r, E'\\n' ORDER BY r COLLATE \"C\")) "
        f"FROM (SELECT ROW({', '.join(columns)})::text AS r FROM {table}{where}) AS rows").fetchone()
        for table, columns in tables.items()}


def tenant_tables(source, target):
    """{table: columns} of the source's tables whose rows belong to tenants in the target."""
    source.execute("SET search_path = pg_catalog")
    mine = {row[0] for row in target.execute(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'").fetchall()}
    return {table: columns for table, columns in source.execute(HOLDERS).fetchall() if table in mine}


def assert_equal(postgres, source, tool, tenant):
    """Every table of the tenant is what the source has."""
    with postgres.connect(source) as before, postgres.connect(tool.target.name) as after:
        tables = tenant_tables(before, after)
        assert tables
        assert digests(after, tables, tenant) == digests(before, tables)
