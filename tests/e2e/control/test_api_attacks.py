"""Who may do what at the admin API, and what people try who may not."""
import json
import re
import socket

import pytest
from support.control import segment

ROLES = ["viewer", "operator", "owner"]


@pytest.fixture(scope="module")
def two_tenants(control):
    tenants = {slug: control.tenant(slug) for slug in ("alpha", "beta")}
    control.owner.post("/v1/tenants/beta/logins", {"door": "sql", "user": "beta.report"})
    return tenants


@pytest.fixture(scope="module")
def clients(control, two_tenants):
    made = {role: control.with_role(role) for role in ROLES}
    made["tenant-admin"] = control.with_role("tenant-admin", "alpha")
    made["nobody"] = control.client(None)
    return made


def operations(control):
    document = control.owner.get("/v1/openapi.json").json
    return [(method.upper(), pattern, operation) for pattern, methods in document["paths"].items()
            for method, operation in methods.items()]


def concrete(pattern, tenant):
    values = {"{tenant}": tenant, "{limit}": "weight", "{door}": "sql", "{user}": tenant, "{tier}": "none",
              "{cell}": "none", "{path_prefix}": segment("/none"),
              "{operation}": "00000000-0000-4000-8000-000000000001", "{token}": "00000000-0000-4000-8000-000000000002"}
    return "/".join(values.get(part, part) for part in pattern.split("/"))


def test_every_role_at_every_endpoint(control, clients):
    """The document says which role an operation needs; this is what the server does."""
    for method, pattern, operation in operations(control):
        needed = re.match(r"Role: ([a-z]+)", operation["description"])[1]
        for role, client in clients.items():
            answer = client.call(method, concrete(pattern, "scratch"), None if method in ("GET", "DELETE") else {})
            where = (role, method, pattern, answer)
            if role == "nobody":
                assert answer.status == 401, where
            elif role == "tenant-admin":
                if "own tenant" in operation["description"]:
                    assert answer.status == 404, where
                elif "sees what is its" in operation["description"]:
                    assert answer.status in (200, 404), where
                else:
                    assert answer.status == 403, where
            elif ROLES.index(role) < ROLES.index(needed):
                assert answer.status == 403, where
            else:
                assert answer.status not in (401, 403), where


def test_another_tenant_does_not_exist_for_a_tenant_admin(control, clients, two_tenants):
    admin = clients["tenant-admin"]
    assert admin.get("/v1/tenants/alpha").status == 200
    for method, pattern, operation in operations(control):
        if "{tenant}" not in pattern:
            continue
        for name in ("beta", two_tenants["beta"]["id"], two_tenants["beta"]["id"].upper()):
            answer = admin.call(method, concrete(pattern, name), None if method in ("GET", "DELETE") else {"door": "sql"})
            assert answer.status in (403, 404), (method, pattern, answer)
            unknown = admin.call(method, concrete(pattern, "zeta"), None if method in ("GET", "DELETE") else {"door": "sql"})
            assert answer.status == unknown.status
            assert answer.text.replace(name, "zeta") == unknown.text, "its existence shows"
    events = admin.get("/v1/events?limit=1000&tenant=beta").json["items"]
    assert {event["tenant"] for event in events} == {two_tenants["alpha"]["id"]}
    assert [tenant["slug"] for tenant in admin.get("/v1/tenants").json["items"]] == ["alpha"]
    assert {one["subject"] for one in admin.get("/v1/operations?tenant=beta").json["items"]} == {"alpha"}
    operation = control.owner.get("/v1/operations?tenant=beta").json["items"][0]["id"]
    assert admin.get(f"/v1/operations/{operation}").status == 404


@pytest.mark.parametrize("path", ["/v1/tenants/alpha%2F..%2Fbeta", "/v1/tenants/alpha/../beta", "/v1/tenants/./beta",
                                  "/v1/tenants/alpha%2Flogins", "/v1/tenants/%2e%2e/beta", "/v1/tenants//beta",
                                  "/v1/tenants/beta%00", "/v1/tenants/beta%20", "/v1/tenants/BETA", "/v1/tenants/beta;x",
                                  "/v1/tenants/beta'--", "/v1/tenants/alpha%5c..%5cbeta", "//v1/tenants/beta",
                                  "/v1/tenants/*", "/v1/tenants/alpha?tenant=beta", "/v1/tenants/alpha/logins?tenant=beta"])
def test_no_spelling_of_a_path_reaches_another_tenant(clients, path):
    answer = clients["tenant-admin"].get(path)
    assert answer.status in (400, 404), answer
    assert "beta.report" not in answer.text


def test_what_the_owner_got_does_not_open_anything_for_a_tenant_admin(control, clients):
    admin = clients["tenant-admin"]
    cursor = control.owner.get("/v1/tenants?limit=1").json["next"]
    page = admin.get(f"/v1/tenants?limit=1000&cursor={cursor}").json
    assert [tenant["slug"] for tenant in page["items"]] == ["alpha"]
    key = {"Idempotency_Key": "shared-key"}
    control.owner.post("/v1/tenants/beta/logins", {"door": "cache"}, **key)
    assert admin.post("/v1/tenants/beta/logins", {"door": "cache"}, **key).status == 404
    etag = control.owner.get("/v1/tenants/beta").headers["ETag"]
    assert admin.call("PATCH", "/v1/tenants/beta", {"name": "mine"}, If_Match=etag).status == 403
    # A login with the name of another tenant's.
    for user in ("beta", "beta.x", "alphabet", "alpha.", "postgres", "alpha\u0000"):
        answer = admin.post("/v1/tenants/alpha/logins", {"door": "sql", "user": user})
        assert answer.status in (400, 409, 422), (user, answer)
    assert admin.post("/v1/tenants/alpha/logins", {"door": "sql", "user": "alpha.x", "tenant": "beta"}).status == 400
    assert admin.post("/v1/tokens", {"name": "me", "role": "owner"}).status == 403


def test_a_tenant_admin_hears_of_its_own_tenant_only(control, clients):
    stream = clients["tenant-admin"].watch("/v1/events?tenant=beta")
    control.owner.put("/v1/tenants/beta/limits/weight", {"value": 5})
    control.owner.put("/v1/tenants/alpha/limits/weight", {"value": 6})
    assert next(iter(stream))["subject"] == "alpha"
    stream.close()


def test_a_revoked_token_is_nobodys(control):
    made = control.owner.post("/v1/tokens", {"name": "short", "role": "viewer"}).json
    client = control.client(made["token"])
    assert client.get("/v1/whoami").json["role"] == "viewer"
    assert control.owner.delete(f"/v1/tokens/{made['id']}").status == 204
    assert client.get("/v1/whoami").status == 401
    assert control.owner.post("/v1/tokens", {"name": "x", "role": "tenant-admin"}).status == 422
    assert control.owner.post("/v1/tokens", {"name": "x", "role": "owner", "tenant": "alpha"}).status == 422


def test_pages_of_other_origins_get_nothing(control):
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        assert control.owner.get("/v1/tenants", Origin=origin).status == 403
    assert control.owner.get("/v1/tenants?limit=1", Origin=f"http://127.0.0.1:{control.port}").status == 200
    # What a form can send without being asked is no JSON.
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert control.owner.post("/v1/tenants", {"slug": "form"}, Content_Type=kind).status == 415


def test_bodies_are_read_strictly_and_only_so_long(control):
    for body in (b'{"slug":"a","slug":"b"}', b'{"slug":"a"', b'[]', b'{"slug":"a"} {}', b"\xff", b"[" * 100):
        assert control.owner.post("/v1/tenants", body).status == 400, body
    assert control.owner.post("/v1/tenants", b'{"slug":"' + b"a" * (1 << 20) + b'"}').status == 413
    assert control.owner.post("/v1/tenants", {"slug": "a", "is_admin": True}).status == 400
    assert control.owner.post("/v1/tenants", {"slug": "Robert'); DROP TABLE partywall.tenants;--"}).status == 422
    assert control.owner.post("/v1/tenants", {"slug": "x"}, X_Audit_Reason="a" * 501).status == 400


def test_slow_senders_keep_nobody_waiting(control):
    slow = [socket.create_connection(("127.0.0.1", control.port)) for _ in range(20)]
    for one in slow:
        one.sendall(b"POST /v1/apply HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 30000000\r\n\r\n{")
    assert control.owner.get("/v1/tenants?limit=1").status == 200
    # Whoever may not apply does not even get to send a document, and takes nobody's place.
    assert slow[0].recv(100).startswith((b"HTTP/1.1 401 ", b"HTTP/1.1 429 "))
    assert control.owner.post("/v1/apply?dry_run=true", {}).status == 200
    for one in slow:
        one.close()


def test_the_trail_says_who_and_why_and_holds_no_secret(control, postgres):
    secret = control.owner.post("/v1/tenants/alpha/logins", {"door": "sql"}, X_Audit_Reason="ticket 4711").json["secret"]
    lines = [json.loads(line) for line in control.log().splitlines() if "admin call" in line]
    call = next(line for line in reversed(lines) if line.get("reason") == "ticket 4711")
    assert (call["actor"], call["method"], call["path"], call["status"]) == \
        ("token bootstrap", "POST", "/v1/tenants/alpha/logins", 201)
    assert {line["status"] for line in lines} >= {401, 403}  # refused calls too
    assert secret not in control.log() and control.owner.token not in control.log()
    assert "SCRAM-SHA-256$" not in control.owner.get("/v1/tenants/alpha").text
    with postgres.connect(control.database) as connection:
        trail = connection.execute("SELECT e.type, e.actor, o.reason FROM partywall.audit_outbox o "
                                   "JOIN partywall.events e ON e.id = o.event ORDER BY e.id DESC LIMIT 1").fetchone()
        assert trail[1:] == ("token bootstrap", "ticket 4711")
        for table in ("events", "audit_outbox", "idempotency_keys", "sql_logins", "admin_tokens"):
            rows = str(connection.execute(f"SELECT * FROM partywall.{table}").fetchall())
            assert secret not in rows and control.owner.token not in rows, table


def test_guessing_tokens_is_slowed_down_and_locks_nobody_out(control):
    """The last test of the file: until its address may guess again, a token that is new waits too."""
    statuses = [control.client(f"pwa_{n:040}").get("/v1/whoami").status for n in range(40)]
    assert statuses[0] == 401 and statuses[-1] == 429
    assert control.owner.get("/v1/whoami").status == 200
    for bad in ("", "x", "pwa_", "pwa_' OR 1=1 --", "eyJhbGciOiJub25lIn0.e30."):
        assert control.client(bad).get("/v1/whoami").status in (401, 429)
    for header in ("Basic b3duZXI6", "bearer", "Bearer"):
        assert control.client(None).get("/v1/whoami", Authorization=header).status in (401, 429)
