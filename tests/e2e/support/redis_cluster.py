"""A Redis Cluster on loopback: primaries with a replica each."""
import pathlib
import shutil
import tempfile

from .processes import free_port
from .sentinel_set import RedisNode, wait_for

SLOTS = 16384


class RedisCluster:
    def __init__(self, primaries=3):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="partywall-cluster-"))
        self.servers = [self._server(number) for number in range(2 * primaries)]
        self.port = self.servers[0].port
        self._primaries = primaries

    def _server(self, number):
        node = RedisNode(self.folder, f"node-{number}", [
            'save ""', "appendonly no", "aclfile users.acl", "repl-diskless-sync-delay 0", "cluster-enabled yes",
            f"cluster-port {free_port()}", "cluster-node-timeout 1500", "cluster-replica-validity-factor 0",
            "cluster-require-full-coverage no"])
        (node.folder / "users.acl").touch()
        return node

    def start(self):
        for node in self.servers:
            node.start()
        first = self.servers[0].client()
        for node in self.servers[1:]:
            bus = int(node.client().config_get("cluster-port")["cluster-port"])
            first.execute_command("CLUSTER", "MEET", "127.0.0.1", node.port, bus)
        ids = [node.client().execute_command("CLUSTER", "MYID") for node in self.servers]
        for number in range(self._primaries):
            begin, end = SLOTS * number // self._primaries, SLOTS * (number + 1) // self._primaries - 1
            self.servers[number].client().execute_command("CLUSTER", "ADDSLOTSRANGE", begin, end)
        for number in range(self._primaries, len(self.servers)):
            node = self.servers[number]
            wait_for(lambda: node.client().execute_command("CLUSTER", "REPLICATE", ids[number - self._primaries]) in (True, "OK"),
                     "the primary to be known")
        wait_for(lambda: all(self._complete(node) for node in self.servers), "the cluster", 60)

    def _complete(self, node):
        info = node.client().execute_command("CLUSTER", "INFO")
        info = info if isinstance(info, dict) else dict(line.split(":") for line in info.split())
        nodes = node.client().execute_command("CLUSTER", "NODES")
        return (info["cluster_state"] == "ok" and int(info["cluster_slots_ok"]) == SLOTS
                and int(info["cluster_known_nodes"]) == len(self.servers) and len(nodes) and "handshake" not in str(nodes))

    def node_of(self, client):
        """The server that `client(node)` is asked at, by slot: a function."""
        def find(slot):
            for node in self.servers:
                try:
                    shards = client(node).execute_command("CLUSTER", "SLOTS")
                except Exception:  # it is down
                    continue
                for begin, end, owner, *_ in _ranges(shards):
                    if begin <= slot <= end:
                        return next(each for each in self.servers if each.port == owner)
            raise AssertionError(f"nobody has slot {slot}")
        return find

    def stop(self):
        for node in self.servers:
            node.stop()

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def _ranges(reply):
    """redis-py parses CLUSTER SLOTS into a dictionary."""
    if isinstance(reply, dict):
        return [(begin, end, value["primary"][1]) for (begin, end), value in reply.items()]
    return [(entry[0], entry[1], entry[2][1]) for entry in reply]
