import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from conversion import FILES, RULES, TENANTS, Target, copy_rows, load  # noqa: E402
from zoo import ZOO, ZOO_ROWS, ZOO_RULES  # noqa: E402


class Pair:
    """`source`: the name of a database of one tenant; `target`: its conversion, with its rows for three tenants."""

    def __init__(self, source, target, rules):
        self.source, self.target, self.rules = source, target, rules


def converted(postgres, binary, name):
    """A generator of one Pair, which is removed afterwards. "zoo": one of each thing that a schema can hold."""
    if name == "zoo":
        source, rules = postgres.create_database(), ZOO_RULES
        postgres.execute(ZOO, source)
        postgres.execute(ZOO_ROWS, source)
    else:
        source, rules = load(postgres, name), RULES.get(name)
    target = Target(postgres, binary, postgres.create_database())
    target.convert(source, rules=rules)
    for tenant in TENANTS:
        copy_rows(postgres, source, target.name, tenant)
    yield Pair(source, target, rules)
    target.remove()
    postgres.drop_database(source)


@pytest.fixture(scope="module", params=[*FILES, "zoo"])
def pair(request, postgres, binary):
    yield from converted(postgres, binary, request.param)


@pytest.fixture(scope="module")
def zoo(postgres, binary):
    yield from converted(postgres, binary, "zoo")


@pytest.fixture
def empty(postgres, binary):
    """A target that nothing was converted into, and a source to fill."""
    source = postgres.create_database()
    target = Target(postgres, binary, postgres.create_database(), slots=3)
    yield Pair(source, target, None)
    target.remove()
    postgres.drop_database(source)
