import pytest
from support.postgres import Postgres
from support.stack import Node

from control_stack import NODE_ROLE, Store, StoreNode

SCHEMA = "CREATE TABLE things (id int, name text);"


class Blueprint(Node):
    """The platform file and the database of a node that does not run itself."""

    def start(self):
        pass


@pytest.fixture(scope="session")
def store(stack, tmp_path_factory):
    """A store with what a node of the stack would have in its platform file, on a PostgreSQL of its own."""
    blueprint = Blueprint(stack, "followed", SCHEMA, instances=[1])
    # What was committed must survive its crash: nodes do not follow a store that went back.
    with Postgres({"synchronous_commit": "on"}) as server:
        store = Store(server, tmp_path_factory.mktemp("control"))
        assert "applied migration 1" in store.command("init", "--node-role", NODE_ROLE).stdout
        store.command("import", blueprint.platform_file)
        store.doors = blueprint
        yield store


@pytest.fixture
def nodes(store):
    """Two nodes; the second has no sql door, because slot roles are one node's."""
    both = [StoreNode(store, "node-a"), StoreNode(store, "node-b", doors=("http", "cache"))]
    for node in both:
        node.start()
    yield both
    for node in both:
        node.stop()
