"""TLS to the limits store: used where it is asked for, and a store that cannot be trusted gets no password."""
import time

import pytest
import yaml

from cluster import Cluster
from support.certificates import make_certificates
from support.redis_server import RedisServer


class TlsStore(RedisServer):
    """Speaks TLS only, and only with those who have a certificate."""

    def __init__(self):
        super().__init__()
        make_certificates(self.folder, "limits.internal", "node")
        files = {"tls-cert-file": "limits.internal.pem", "tls-key-file": "limits.internal.key", "tls-ca-cert-file": "ca.pem"}
        self._command += ["--tls-port", self.port, "--port", "0", "--tls-auth-clients", "yes",
                          *(word for name, file in files.items() for word in (f"--{name}", self.folder / file))]

    def client(self, **arguments):
        return super().client(ssl=True, ssl_ca_certs=str(self.folder / "ca.pem"), ssl_check_hostname=False,
                              ssl_certfile=str(self.folder / "node.pem"), ssl_keyfile=str(self.folder / "node.key"), **arguments)

    def trust(self):
        return {"ca": str(self.folder / "ca.pem"), "server_name": "limits.internal",
                "certificate": str(self.folder / "node.pem"), "private_key": str(self.folder / "node.key")}


@pytest.fixture(scope="module")
def cluster(postgres, binary):
    store = TlsStore()
    with Cluster(postgres, binary, nodes=1, store=store, store_tls=store.trust()) as started:
        yield started


def test_leases_come_over_tls(cluster):
    [node] = cluster.nodes
    assert node.get("/api/now", "acme")[0] == 200
    assert any(key.startswith(b"partywall:limits:") for key in cluster.store.client().keys("*"))


@pytest.mark.parametrize("change", [{"server_name": "other.internal"}, {"ca": None},
                                    {"certificate": None, "private_key": None}], ids=["name", "authority", "no certificate"])
def test_a_store_that_cannot_be_trusted_gets_no_password(cluster, change):
    [node] = cluster.nodes
    node.process.stop()
    platform = yaml.safe_load(node.file.read_text())
    right = platform["cluster"]["limits"]["tls"]
    wrong = {name: value for name, value in (right | change).items() if value}
    platform["cluster"]["limits"]["tls"] = wrong
    node.file.write_text(yaml.safe_dump(platform))
    logins = len(cluster.store.client().acl_log())
    connected = cluster.store.client().info("commandstats").get("cmdstat_auth", {"calls": 0})["calls"]
    try:
        node.start()
        deadline = time.monotonic() + 60
        while "limits store" not in node.process.log():
            assert time.monotonic() < deadline, node.process.log()
            time.sleep(0.05)
        node.wait_for_application()
        assert node.get("/api/now", "acme")[0] == 200  # by its share
        assert node.limits()["source"] == "share"
        after = cluster.store.client().info("commandstats").get("cmdstat_auth", {"calls": 0})["calls"]
        assert (len(cluster.store.client().acl_log()), after) == (logins, connected)
    finally:
        node.process.stop()
        platform["cluster"]["limits"]["tls"] = right
        node.file.write_text(yaml.safe_dump(platform))
        node.start()
        cluster.wait_for("store")
