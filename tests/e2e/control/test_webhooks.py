"""Events reach a receiver in their order, signed, whatever fails in between."""
import base64
import hashlib
import hmac
import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.control import Control

PATIENCE = 30


class Receiver:
    """Takes requests into `seen`; answers with the statuses of `answers`, then 204."""

    def __init__(self):
        self.seen, self.answers = queue.Queue(), queue.Queue()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.seen.put((dict(self.headers), body))
                self.send_response(204 if receiver.answers.empty() else receiver.answers.get())
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    def next(self):
        """(headers, event) of the next request."""
        headers, body = self.seen.get(timeout=PATIENCE)
        return headers, json.loads(body), body

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def leading(postgres, tmp_path_factory):
    """A control plane that leads."""
    database = postgres.create_database()
    made = Control(postgres, database, tmp_path_factory.mktemp("webhooks"), operations="{run: true, lease: 1s}")
    try:
        assert made.owner.put("/v1/tiers/free", {"limits": {}}).status == 201
        yield made
    finally:
        made.stop()
        postgres.drop_database(database)


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.stop()


def tier_changed(control, name):
    """Leaves an event tier.… with this subject."""
    assert control.owner.put(f"/v1/tiers/{name}", {"limits": {}}).status == 201


def webhook(control, receiver, name, **members):
    made = control.owner.post("/v1/webhooks", {"name": name, "url": receiver.url} | members)
    assert made.status == 201, made
    return made.json


def signature(secret, headers, body):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def test_events_come_in_their_order_signed_and_only_those_asked_for(leading, receiver):
    tier_changed(leading, "before")
    made = webhook(leading, receiver, "tiers", types=["tier"])
    try:
        webhook(leading, receiver, "nothing", types=["no_such_thing"])
        for number in range(3):
            tier_changed(leading, f"tier{number}")
        for number in range(3):
            headers, event, body = receiver.next()
            assert event["subject"] == f"tier{number}" and event["type"].startswith("partywall.tier.")
            assert event["id"] == headers["webhook-id"]
            assert headers["webhook-signature"] == signature(made["secret"], headers, body)
            assert headers["Content-Type"].startswith("application/cloudevents+json")
        assert receiver.seen.empty()
    finally:
        for name in ("tiers", "nothing"):
            assert leading.owner.delete(f"/v1/webhooks/{name}").status == 204


def test_what_was_not_taken_comes_again_before_what_happened_later(leading, receiver):
    made = webhook(leading, receiver, "stubborn", types=["tier"])
    try:
        receiver.answers.put(500)
        tier_changed(leading, "refused-once")
        first = receiver.next()
        leading.process.wait_until(lambda: leading.owner.get("/v1/webhooks/stubborn").json["attempts"] == 1, "that it is noted")
        shown = leading.owner.get("/v1/webhooks/stubborn").json
        assert "500" in shown["message"] and shown["failing_since"] and "secret" not in shown
        tier_changed(leading, "later")
        rotated = leading.owner.post("/v1/webhooks/stubborn/secret").json
        assert rotated["secret"] != made["secret"]
        # Not after the pause, but at once.
        assert leading.owner.post("/v1/webhooks/stubborn/resume").status == 200
        headers, event, body = receiver.next()
        assert event == first[1]
        assert headers["webhook-signature"].split() == [signature(rotated["secret"], headers, body),
                                                         signature(made["secret"], headers, body)]
        assert receiver.next()[1]["subject"] == "later"
    finally:
        leading.owner.delete("/v1/webhooks/stubborn")


def test_a_receiver_that_is_gone_is_paused_and_goes_on_where_it_stood(leading, receiver):
    webhook(leading, receiver, "gone", types=["tier"])
    try:
        receiver.answers.put(410)
        tier_changed(leading, "to-nobody")
        receiver.next()
        leading.process.wait_until(lambda: leading.owner.get("/v1/webhooks/gone").json["paused"], "the pause")
        tier_changed(leading, "meanwhile")
        paused = [event for event in leading.owner.get("/v1/events?type=webhook.paused&limit=1000").json["items"]
                  if event["subject"] == "gone"]
        assert len(paused) == 1 and "410" in paused[0]["data"]["why"]
        assert leading.owner.post("/v1/webhooks/gone/resume").status == 200
        assert [receiver.next()[1]["subject"] for _ in range(2)] == ["to-nobody", "meanwhile"]
    finally:
        leading.owner.delete("/v1/webhooks/gone")


def test_a_leader_that_is_killed_leaves_no_event_out(leading, receiver):
    webhook(leading, receiver, "survivor", types=["tier"])
    try:
        tier_changed(leading, "first")
        assert receiver.next()[1]["subject"] == "first"
        leading.process.process.kill()
        leading.process.process.wait()
        leading.start()
        tier_changed(leading, "second")
        subject = receiver.next()[1]["subject"]
        # Sent again, if it was killed before it had noted the answer.
        if subject == "first":
            subject = receiver.next()[1]["subject"]
        assert subject == "second"
    finally:
        leading.owner.delete("/v1/webhooks/survivor")


@pytest.mark.parametrize("body, named", [
    ({"name": "x", "url": "http://example.com/"}, "https"), ({"name": "x", "url": "https://u:p@example.com/"}, "password"),
    ({"name": "x"}, "url"), ({"name": "a/b", "url": "https://example.com/"}, "name"),
    ({"name": "x", "url": "https://example.com/", "types": ["Tenant!"]}, "types"),
    ({"name": "x", "url": "https://example.com/", "tenant": "nobody"}, "nobody")])
def test_what_makes_no_sense_is_refused(leading, body, named):
    refused = leading.owner.post("/v1/webhooks", body)
    assert refused.status in (400, 422) and named in refused.json["detail"], refused


def test_secrets_are_neither_in_the_store_nor_in_events(leading, postgres, receiver):
    secret = webhook(leading, receiver, "secret")["secret"]
    try:
        dumped = postgres.execute("SELECT (SELECT string_agg(w::text, '') FROM partywall.webhooks w) || "
                                  "(SELECT string_agg(e::text, '') FROM partywall.events e) || "
                                  "(SELECT coalesce(string_agg(i::text, ''), '') FROM partywall.idempotency_keys i)",
                                  leading.database)[0][0]
        assert secret not in dumped and secret.removeprefix("whsec_") not in dumped and secret not in leading.log()
    finally:
        leading.owner.delete("/v1/webhooks/secret")


def test_an_hour_of_usage_is_told_once_and_can_be_fetched(leading, postgres, receiver):
    tenant = "00000000-0000-4000-8000-00000000000a"
    webhook(leading, receiver, "billing", types=["usage"])
    try:
        postgres.execute(f"INSERT INTO partywall.usage_hours (tenant, hour, http_requests) VALUES ('{tenant}', "
                         "date_trunc('hour', now(), 'UTC') - interval '3 hours', 5); UPDATE partywall.usage_told SET until = "
                         "date_trunc('hour', now(), 'UTC') - interval '4 hours'", leading.database)
        _, event, _ = receiver.next()
        assert event["type"] == "partywall.usage.hour" and event["data"]["details"]["tenants"] == 1
        start = event["data"]["details"]["start"]
        page = leading.owner.get(f"/v1/usage?start={start}").json
        assert [(item["tenant"], item["http_requests"]) for item in page["items"]] == [(tenant, 5)]
        assert leading.owner.get(f"/v1/usage?start={start[:11]}00:00:00Z&by=day").json["items"][0]["http_requests"] == 5
        first = leading.owner.get(f"/v1/usage?start={start}&limit=1").json
        assert leading.owner.get(f"/v1/usage?start={start}&limit=1&cursor={first['next']}").json == {"items": [], "next": None}
        assert leading.owner.get("/v1/usage?start=2026-11-01T10:30:00Z").status == 400
        assert receiver.seen.empty()
    finally:
        leading.owner.delete("/v1/webhooks/billing")
