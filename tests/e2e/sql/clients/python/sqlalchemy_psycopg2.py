"""SQLAlchemy over psycopg2: its engine, pool and ORM."""
import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Boolean, Column, DateTime, Integer, LargeBinary, Numeric, Text, create_engine, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, declarative_base

from script import APPLICATION, COLUMNS, LARGE, NULLS, OTHER_TENANT, STORED, TEXT, enter, login, rows, sample, say, sums

Base = declarative_base()


class Sample(Base):
    __tablename__ = "samples"
    id, i, t, n = Column(Integer, primary_key=True), Column(Integer), Column(Text), Column(Numeric)
    at, raw, u, doc = Column(DateTime(timezone=True)), Column(LargeBinary), Column(UUID(as_uuid=True)), Column(JSONB)
    tags, numbers, yes = Column(ARRAY(Text)), Column(ARRAY(Integer)), Column(Boolean)


class Note(Base):
    __tablename__ = "notes"
    id, tenant_id, body = Column(Integer, primary_key=True), Column(UUID(as_uuid=True)), Column(Text)


def engine(tenant, size=1):
    """An engine whose sessions are of one tenant."""
    made = create_engine("postgresql+psycopg2://", connect_args={"user": login(tenant)}, pool_size=size, max_overflow=0,
                         use_native_hstore=False, future=True)
    if APPLICATION:  # it asks for the version and more when it connects first, and has no tenant then
        made.dialect.initialize = lambda connection: None
    return made


def entered(session, tenant="acme"):
    for statement in enter(tenant):
        session.execute(text(statement))
    return session


def sqlstate(attempt):
    try:
        attempt()
    except DBAPIError as error:
        return error.orig.pgcode
    return "no error"


def notes(made, tenant="acme"):
    with Session(made) as session, session.begin():
        return [note.body for note in entered(session, tenant).query(Note).all()]


def basics(a, second, b):
    with Session(a) as session, session.begin():
        entered(session)
        say("simple", list(session.execute(text("SELECT 1, 'ä'")).one()) + [[note.body for note in session.query(Note)]])
        say("parameters", list(session.execute(text("SELECT CAST(:i AS int), CAST(:t AS text)"), {"i": 41, "t": TEXT}).one()))
    seen, pids, held = [], set(), None
    for number in range(20):
        if number % 4 == 0:
            held = Session(second)
            entered(held).execute(text("SELECT 1"))
        if number % 4 == 3:
            held.commit()
            held.close()
        notes(b, "globex")
        with Session(a) as session, session.begin():
            row = entered(session).execute(text("SELECT CAST(:n AS int) + 1, body, pg_backend_pid() FROM notes"), {"n": number}).one()
        seen.append(list(row[:2]))
        pids.add(row[2])
    say("prepared", seen)
    say("backends", len(pids))


def types(a):
    for values in (sample(lambda value: value), NULLS):
        with Session(a) as session, session.begin():
            entered(session).add(Sample(**{name: value for name, value in zip(COLUMNS, values) if name == "id" or value is not None}))
    with Session(a) as session, session.begin():
        say("stored", [row[0] for row in entered(session).execute(text(STORED))])
        say("types", rows([getattr(one, name) for name in COLUMNS] for one in session.query(Sample).order_by(Sample.id)))


def failures(a):
    with Session(a) as session:
        entered(session).query(Sample).filter_by(id=1).delete()
        counts = [session.query(Sample).count()]
        session.rollback()
        say("rollback", counts + [entered(session).query(Sample).count()])
    with a.connect() as connection:
        entered(connection)
        errors = [sqlstate(lambda: connection.execute(text("INSERT INTO samples (id) VALUES (1)"))),
                  sqlstate(lambda: connection.execute(text("SELECT 1")))]
    say("error", errors + [notes(a)])
    with Session(a) as session, session.begin():
        entered(session)

        def divide():
            with session.begin_nested():
                session.execute(text("SELECT 1/0"))
        say("savepoint", [sqlstate(divide)] + [row[0] for row in session.execute(text("SELECT body FROM notes"))])


def large(a):
    with a.connect() as connection:
        say("large", sums(row[0] for row in entered(connection).execute(text(LARGE))))
    with a.connect() as connection:
        entered(connection)
        answer = connection.execution_options(stream_results=True, max_row_buffer=1000).execute(text(LARGE))
        say("stream", sums(row[0] for row in answer))


def cancelled(a):
    def sleep():
        with Session(a) as session:
            entered(session)
            threading.Timer(0.2, session.connection().connection.cancel).start()
            session.execute(text("SELECT pg_sleep(30)"))
    state = sqlstate(sleep)
    say("cancelled", [state, notes(a)])


def neighbour(a):
    with Session(a) as session, session.begin():
        entered(session)
        saw = [[note.body for note in session.query(Note).filter(Note.body.like("%globex%"))],
               session.query(Note).filter(Note.body.like("%globex%")).update({"body": "taken"}, synchronize_session=False)]

    def plant():
        with Session(a) as session, session.begin():
            entered(session).add(Note(tenant_id=OTHER_TENANT, body="planted"))
    say("neighbour", saw + [sqlstate(plant)])


def application(a):
    say("switched", [body for number in range(6) for body in notes(a, ("acme", "globex")[number % 2])])

    def read():
        with Session(a) as session:
            session.query(Note).all()
    say("nobody", sqlstate(read))


def pool():
    engines = {"acme": engine("acme", 4)}
    engines["globex"] = engines["acme"] if APPLICATION else engine("globex", 4)
    found = {"acme": set(), "globex": set()}
    with ThreadPoolExecutor(8) as threads:
        for tenant, bodies in threads.map(lambda tenant: (tenant, notes(engines[tenant], tenant)), ["acme", "globex"] * 50):
            found[tenant].update(bodies)
    say("pool", {tenant: sorted(bodies) for tenant, bodies in found.items()})


def main():
    a, second, b = engine("acme"), engine("acme"), engine("globex")
    basics(a, second, b)
    types(a)
    failures(a)
    large(a)
    cancelled(a)
    neighbour(a)
    if APPLICATION:
        application(a)
    pool()


main()
