"""Django's ORM and its transactions, with a database alias for each tenant's login and persistent connections."""
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import django
from django.conf import settings

from script import APPLICATION, COLUMNS, LARGE, NULLS, OTHER_TENANT, STORED, TEXT, enter, login, rows, sample, say, sums


def database(tenant):
    address = {"HOST": "PGHOST", "PORT": "PGPORT", "NAME": "PGDATABASE", "PASSWORD": "PGPASSWORD"}
    return {"ENGINE": "django.db.backends.postgresql", "USER": login(tenant), "CONN_MAX_AGE": None,
            # Else it sends SET TIME ZONE when it connects, where an application has no tenant yet.
            "OPTIONS": {"options": "-c TimeZone=UTC"}} | {
        name: os.environ[variable] for name, variable in address.items()}


# Not django.contrib.postgres among the INSTALLED_APPS: it asks for hstore when it connects. Its fields work without.
settings.configure(DATABASES={"default": database("acme"), "second": database("acme"), "globex": database("globex")}, USE_TZ=True, TIME_ZONE="UTC",
                   DEFAULT_AUTO_FIELD="django.db.models.AutoField")
django.setup()

from django.contrib.postgres.fields import ArrayField  # noqa: E402
from django.db import connections, models, transaction, utils  # noqa: E402


class Note(models.Model):
    id = models.AutoField(primary_key=True)
    body = models.TextField()

    class Meta:
        app_label, db_table = "matrix", "notes"


class Sample(models.Model):
    id, i, t = models.IntegerField(primary_key=True), models.IntegerField(null=True), models.TextField(null=True)
    n, at = models.DecimalField(max_digits=40, decimal_places=16, null=True), models.DateTimeField(null=True)
    raw, u, doc = models.BinaryField(null=True), models.UUIDField(null=True), models.JSONField(null=True)
    tags = ArrayField(models.TextField(null=True), null=True)
    numbers, yes = ArrayField(models.IntegerField(), null=True), models.BooleanField(null=True)

    class Meta:
        app_label, db_table = "matrix", "samples"


class Undo(Exception):
    pass


class Transaction:
    def __init__(self, tenant="acme", alias="default"):
        self.tenant, self.alias, self.inner = tenant, alias, transaction.atomic(using=alias)

    def __enter__(self):
        self.inner.__enter__()
        cursor = connections[self.alias].cursor()
        for statement in enter(self.tenant):
            cursor.execute(statement)
        return cursor

    def __exit__(self, kind, *error):
        self.inner.__exit__(kind, *error)
        return kind is Undo


def column(cursor, statement, parameters=None):
    cursor.execute(statement, parameters)
    return [row[0] for row in cursor.fetchall()]


def sqlstate(attempt):
    try:
        attempt()
    except utils.Error as error:
        return error.__cause__.pgcode
    return "no error"


def notes(tenant="acme", alias="default"):
    with Transaction(tenant, alias):
        return [note.body for note in Note.objects.using(alias).all()]


def basics():
    with Transaction() as cursor:
        cursor.execute("SELECT 1, 'ä'")
        say("simple", list(cursor.fetchone()) + [[note.body for note in Note.objects.all()]])
        cursor.execute("SELECT %s::int, %s::text", [41, TEXT])
        say("parameters", list(cursor.fetchone()))
    seen, pids, held = [], set(), None
    for number in range(20):
        if number % 4 == 0:
            held = Transaction(alias="second")
            held.__enter__().execute("SELECT 1")
        if number % 4 == 3:
            held.__exit__(None, None, None)
        notes("globex", "globex")
        with Transaction() as cursor:
            cursor.execute("SELECT %s::int + 1, body, pg_backend_pid() FROM notes", [number])
            row = cursor.fetchone()
        seen.append(list(row[:2]))
        pids.add(row[2])
    say("prepared", seen)
    say("backends", len(pids))


def types():
    for values in (sample(lambda value: value), NULLS):
        with Transaction():
            Sample.objects.create(**dict(zip(COLUMNS, values)))
    with Transaction() as cursor:
        say("stored", column(cursor, STORED))
        say("types", rows(Sample.objects.order_by("id").values_list(*COLUMNS)))


def failures():
    counts = []
    with Transaction():
        Sample.objects.filter(id=1).delete()
        counts.append(Sample.objects.count())
        raise Undo
    with Transaction():
        say("rollback", counts + [Sample.objects.count()])
    errors = []
    with Transaction() as cursor:
        errors += [sqlstate(lambda: cursor.execute("INSERT INTO samples (id) VALUES (1)")), sqlstate(lambda: cursor.execute("SELECT 1"))]
        raise Undo
    say("error", errors + [notes()])

    def divide():
        with transaction.atomic():
            connections["default"].cursor().execute("SELECT 1/%s", [0])
    with Transaction():
        say("savepoint", [sqlstate(divide)] + [note.body for note in Note.objects.all()])


def large():
    with Transaction() as cursor:
        say("large", sums(column(cursor, LARGE)))
    with Transaction():
        connection = connections["default"]
        with connection.chunked_cursor() as cursor:  # what QuerySet.iterator() uses
            cursor.execute(LARGE)
            say("stream", sums(row[0] for row in cursor))


def cancelled():
    def sleep():
        with Transaction() as cursor:
            threading.Timer(0.2, connections["default"].connection.cancel).start()
            cursor.execute("SELECT pg_sleep(30)")
    state = sqlstate(sleep)
    say("cancelled", [state, notes()])


def neighbour():
    with Transaction():
        seen = [note.body for note in Note.objects.filter(body__contains="globex")]
        changed = Note.objects.filter(body__contains="globex").update(body="taken")

    def plant():
        with Transaction() as cursor:
            cursor.execute("INSERT INTO notes (tenant_id, body) VALUES (%s, 'planted')", [OTHER_TENANT])
    say("neighbour", [seen, changed, sqlstate(plant)])


def application():
    say("switched", [body for number in range(6) for body in notes(("acme", "globex")[number % 2])])
    say("nobody", sqlstate(lambda: list(Note.objects.all())))


def pool():
    """Each thread has connections of its own, which it keeps."""
    def read(tenant):
        return tenant, notes(tenant, "default" if tenant == "acme" else "globex")

    found = {"acme": set(), "globex": set()}
    with ThreadPoolExecutor(4) as threads:
        for tenant, bodies in threads.map(read, ["acme", "globex"] * 50):
            found[tenant].update(bodies)
    say("pool", {tenant: sorted(bodies) for tenant, bodies in found.items()})


basics()
types()
failures()
large()
cancelled()
neighbour()
if APPLICATION:
    application()
pool()
