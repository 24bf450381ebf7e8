"""The stacks that are attacked. acme (free tier) is the attacker, globex (enterprise) the neighbour."""
import json
import pathlib

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from oracle import CacheWalls, NaiveDatabase, PlainRedis, SqlWalls
from support.raw_http import EchoApplication
from support.stack import Node
from support.web_tokens import rsa_key_set

SCHEMA = (pathlib.Path(__file__).parent / "schema.sql").read_text()


@pytest.fixture(scope="session")
def application():
    """What stands behind the http door of `lab`: it keeps every byte that it gets."""
    server = EchoApplication()
    yield server
    server.stop()


def generous(platform):
    """Tests are in a hurry: acme's rate is not what they are about, nor what they use of an hour's database time."""
    for tenant in platform["tenants"]:
        tenant["overrides"] = {"api_rate_limit": {"per_second": 1000, "burst": 1000}, "max_cpu_seconds": 1_000_000}


def with_asserting_login(platform):
    """A login that may name tenants, but only from an address that the tests do not have."""
    generous(platform)
    application_login = next(one for one in platform["logins"]["sql"] if one["class"] == "application")
    platform["logins"]["sql"].append(application_login | {
        "user": "trusted", "class": "asserting", "addresses": ["127.0.0.9"]})


@pytest.fixture(scope="session")
def rsa_issuer(stack):
    """A second issuer, with an RSA key: name and private key. Its key set is a file beside the platform file."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = stack.platform_file.with_name("rsa-jwks.json")
    path.write_text(json.dumps(rsa_key_set(key, "rsa")))
    return {"issuer": "https://rsa.example", "key": key, "key_set": path.name}


@pytest.fixture(scope="session")
def lab(stack, application, rsa_issuer):
    """A node with the echoing application behind it and several server connections; no TEMP."""
    def change(platform):
        with_asserting_login(platform)
        dev = platform["identity"]["issuers"][0]
        platform["identity"]["issuers"].append(dev | {"issuer": rsa_issuer["issuer"], "key_set": rsa_issuer["key_set"]})

    node = Node(stack, "lab", SCHEMA, slots=8, instances=[application.port], change=change)
    yield node
    assert node.stop() == 0


@pytest.fixture(scope="session")
def narrow(stack, application):
    """A node with one server connection, which all tenants share one after the other; TEMP is allowed."""
    node = Node(stack, "narrow", SCHEMA, slots=1, allow_temp=True, instances=[application.port], change=generous)
    yield node
    assert node.stop() == 0


@pytest.fixture
def walls(lab):
    """Attacks on globex's keys through the cache door."""
    cache_walls = CacheWalls(lab)
    cache_walls.set_up()
    return cache_walls


@pytest.fixture(scope="session")
def plain_redis(redis_server):
    """A Redis without a door, where those attacks succeed."""
    return PlainRedis(redis_server)


@pytest.fixture
def sql_walls(lab):
    """Attacks on globex's rows through the sql door."""
    walls = SqlWalls(lab)
    walls.set_up()
    return walls


@pytest.fixture(scope="session")
def naive(stack):
    """The same tables with a policy on a setting, or none, where those attacks succeed."""
    return NaiveDatabase(stack, SCHEMA)
