"""TLS between the door and Redis: who is trusted, and who is not."""
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from cache_stack import ADMINISTRATOR, CacheStack
from resp import Resp
from support.certificates import make_certificates
from support.paths import partywall_binary
from support.sentinel_set import RedisNode


class TlsRedis(RedisNode):
    """Speaks TLS only, and only with those who have a certificate."""

    def __init__(self):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="partywall-tls-"))
        make_certificates(self.base, "redis.internal", "door")
        super().__init__(self.base, "server", [
            "port 0", "tls-port {port}", f"tls-cert-file {self.base}/redis.internal.pem",
            f"tls-key-file {self.base}/redis.internal.key", f"tls-ca-cert-file {self.base}/ca.pem", "tls-auth-clients yes",
            'save ""', "databases 64"])

    def remove(self):
        shutil.rmtree(self.base, ignore_errors=True)


def place(server, **changes):
    tls = {"ca": f"{server.base}/ca.pem", "server_name": "redis.internal", "certificate": f"{server.base}/door.pem",
           "private_key": f"{server.base}/door.key"}
    tls |= changes
    return {"address": "127.0.0.1", "port": server.port, "tls": {key: value for key, value in tls.items() if value}}


@pytest.fixture(scope="module")
def tls_stack():
    running = CacheStack(server=TlsRedis(), place=place).start()
    yield running
    assert running.stop() == 0, "the daemon did not end cleanly"


def test_everything_works_over_tls(tls_stack):
    client = tls_stack.client("acme")
    big = "x" * 3_000_000
    assert client.set("big", big) and client.get("big") == big
    pipeline = client.pipeline(transaction=True)
    for number in range(500):
        pipeline.rpush("list", number)
    assert pipeline.execute()[-1] == 500
    listener = client.pubsub()
    listener.subscribe("news")
    assert listener.get_message(timeout=5)["type"] == "subscribe"
    client.publish("news", "over TLS")
    assert listener.get_message(timeout=5)["data"] == "over TLS"


# Whom it does not believe it gives up; one that ends the connection might take it the next time.
@pytest.mark.parametrize("wrong,status", [({"server_name": "other.internal"}, 1), ({"ca": None}, 1),
                                          ({"certificate": None, "private_key": None}, 6)])
def test_a_server_that_cannot_be_trusted_gets_no_password(tls_stack, wrong, status):
    tls_stack.platform["cells"]["main"]["cache"] |= place(tls_stack.redis, **wrong)
    tls_stack.change_tenant("acme")
    try:
        with Resp(tls_stack.port, "acme", tls_stack.secrets["acme"]) as client:
            assert "the cache" in client.ask("GET", "a")
        done = subprocess.run([partywall_binary(), "cache", "provision", "-f", tls_stack.folder / "platform.yaml", "--administrator",
                               ADMINISTRATOR, "--password-file", tls_stack.folder / "administrator"], capture_output=True, timeout=60)
        assert done.returncode == status
    finally:
        tls_stack.platform["cells"]["main"]["cache"] |= place(tls_stack.redis)
        tls_stack.change_tenant("acme")
    assert tls_stack.client("acme").set("a", 1)
