"""The admin API against a real control store: what it does, and what it answers."""
import threading
import time

from support.control import Control, segment


def test_a_tenant_from_creation_to_erasure(control):
    owner = control.owner
    made = owner.post("/v1/tenants", {"slug": "acme", "tier": "free", "limits": {"weight": 3}},
                      X_Audit_Reason="signed up")
    assert made.status == 202, made
    tenant = made.json["tenant"]
    assert tenant["status"] == "requested" and tenant["placement"]["cell"] == "main"
    assert tenant["limits"]["weight"] == 3 and tenant["limits"]["max_db_connections"] == 5
    operation = owner.get(f"/v1/operations/{made.json['operation']}").json
    assert operation["kind"] == "tenant.provision" and operation["subject"] == "acme"
    assert owner.get(f"/v1/tenants/{tenant['id']}").json["slug"] == "acme"

    refused = owner.post("/v1/tenants/acme/suspend")
    assert (refused.status, refused.problem) == (409, "conflict") and "not active yet" in refused.json["detail"]
    offboarded = owner.post("/v1/tenants/acme/offboard")
    assert offboarded.json["status"] == "offboarding" and offboarded.json["grace_ends_at"]
    again = owner.post("/v1/tenants/acme/offboard")
    assert again.json["version"] == offboarded.json["version"]
    refused = owner.post("/v1/tenants/acme/erase")
    assert refused.status == 409 and "grace period" in refused.json["detail"]
    assert owner.post("/v1/tenants/acme/hold").json["legal_hold"] is True
    assert owner.post("/v1/tenants/acme/release").json["legal_hold"] is False
    assert owner.post("/v1/tenants/acme/restore").json["status"] == "suspended"
    for command, status in (("resume", "active"), ("read-only", "read_only"), ("suspend", "suspended")):
        assert owner.post(f"/v1/tenants/acme/{command}").json["status"] == status

    events = [event for event in owner.get("/v1/events?tenant=acme").json["items"]]
    assert [event["type"] for event in events][0] == "tenant.created"
    assert {"tenant.offboarding", "tenant.restored", "tenant.suspended"} <= {event["type"] for event in events}
    assert events[0]["actor"] == "token bootstrap"


def test_pages_are_stable_while_tenants_come_and_go(control):
    for number in range(25):
        control.tenant(f"page-{number:02}")
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        page = control.owner.get(f"/v1/tenants?text=page-&limit=7{'&cursor=' + cursor if cursor else ''}").json
        seen += [tenant["slug"] for tenant in page["items"]]
        if pages == 0:
            control.tenant("page-00a")  # before the cursor: must not shift what follows
        cursor, pages = page["next"], pages + 1
    assert seen == [f"page-{number:02}" for number in range(25)] and pages == 4
    for bad in ("cursor=x!", "limit=0", "limit=1001", "colour=red", "limit=1&limit=2"):
        assert control.owner.get(f"/v1/tenants?{bad}").status == 400


def test_updates_need_the_version_that_was_read(control):
    control.tenant("versions")
    read = control.owner.get("/v1/tenants/versions")
    etag = read.headers["ETag"]
    assert control.owner.call("PATCH", "/v1/tenants/versions", {"name": "A"}).status == 428
    changed = control.owner.call("PATCH", "/v1/tenants/versions", {"name": "A"}, If_Match=etag)
    assert changed.status == 200 and changed.json["name"] == "A" and changed.headers["ETag"] != etag
    late = control.owner.call("PATCH", "/v1/tenants/versions", {"name": "B"}, If_Match=etag)
    assert (late.status, late.problem) == (412, "changed-meanwhile")
    assert control.owner.call("PATCH", "/v1/tenants/versions", {"name": "C"}, If_Match="*").json["name"] == "C"
    assert control.owner.call("PATCH", "/v1/tenants/versions", {"tier": "gold"}, If_Match="*").status == 422


def test_two_writers_of_one_version_are_not_both_right(control):
    control.tenant("race")
    etag = control.owner.get("/v1/tenants/race").headers["ETag"]
    results = []

    def write(name):
        results.append(control.owner.call("PATCH", "/v1/tenants/race", {"name": name}, If_Match=etag).status)

    threads = [threading.Thread(target=write, args=(f"n{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [200] + [412] * 5


def test_a_request_that_is_sent_again_is_done_once(control):
    body = {"slug": "once", "tier": "free"}
    first = control.owner.post("/v1/tenants", body, Idempotency_Key="k1")
    again = control.owner.post("/v1/tenants", body, Idempotency_Key="k1")
    assert first.status == again.status == 202 and first.json == again.json
    other = control.owner.post("/v1/tenants", {"slug": "twice"}, Idempotency_Key="k1")
    assert (other.status, other.problem) == (409, "conflict")
    assert control.owner.get("/v1/tenants/twice").status == 404
    # Another principal's key is another key.
    assert control.with_role("operator").post("/v1/tenants", body, Idempotency_Key="k1").status == 409
    # A secret is shown once, however often the request comes.
    login = control.owner.post("/v1/tenants/once/logins", {"door": "cache"}, Idempotency_Key="k2")
    assert login.status == 201 and len(login.json["secret"]) >= 32
    assert control.owner.post("/v1/tenants/once/logins", {"door": "cache"}, Idempotency_Key="k2").json["secret"] is None


def test_limits_of_one_tenant_with_an_end(control):
    control.tenant("limited")
    path = "/v1/tenants/limited/limits/max_db_connections"
    assert control.owner.put(path, {"value": 50, "expires_at": "2020-01-01T00:00:00Z"}).status == 422
    assert control.owner.put(path, {"value": "50"}).status == 422
    assert control.owner.put("/v1/tenants/limited/limits/max_db_conections", {"value": 5}).status == 404
    tenant = control.owner.put(path, {"value": 50, "expires_at": "2090-01-01T00:00:00Z", "reason": "launch"}).json
    assert tenant["limits"]["max_db_connections"] == 50
    assert tenant["overrides"] == [{"limit": "max_db_connections", "value": 50,
                                    "expires_at": "2090-01-01T00:00:00Z", "reason": "launch"}]
    assert control.owner.delete(path).json["limits"]["max_db_connections"] == 5
    assert control.owner.delete(path).status == 404


def test_a_tier_counts_for_its_tenants_at_once(control):
    owner = control.owner
    assert owner.put("/v1/tiers/silver", {"limits": {"weight": 2}}).status == 201
    control.tenant("metal", tier="silver")
    assert owner.put("/v1/tiers/silver", {"limits": {"weight": 9}}).status == 428
    etag = owner.get("/v1/tiers/silver").headers["ETag"]
    assert owner.put("/v1/tiers/silver", {"limits": {"weight": 9}}, If_Match=etag).status == 200
    assert owner.get("/v1/tenants/metal").json["limits"]["weight"] == 9
    assert owner.delete("/v1/tiers/silver", If_Match="*").status == 409  # a tenant is on it
    assert owner.put("/v1/tiers/other", {"limits": {"wait": 9}}).status == 404
    assert owner.put("/v1/tiers/lead", {"limits": {}}).status == 201
    assert owner.delete("/v1/tiers/lead", If_Match="*").status == 204
    assert owner.get("/v1/tiers/lead").status == 404


def test_region_and_isolation_decide_the_cell(control):
    owner = control.owner
    control.cell("us-1", region="us")
    control.cell("own-1", region="us", kind="dedicated")
    assert control.tenant("yank", region="us")["placement"]["cell"] == "us-1"
    assert control.tenant("alone", region="us", isolation="dedicated")["placement"]["cell"] == "own-1"
    full = owner.post("/v1/tenants", {"slug": "alone2", "isolation": "dedicated"})
    assert (full.status, full.problem) == (409, "no-room") and "own-1" in full.json["detail"]
    wrong = owner.post("/v1/tenants", {"slug": "wrong", "region": "us", "cell": "main"})
    assert wrong.status == 409 and "must stay in region 'us'" in wrong.json["detail"]
    assert owner.call("PATCH", "/v1/tenants/yank", {"region": "eu"}, If_Match="*").status == 409
    assert owner.post("/v1/tenants/yank/move", {"cell": "main"}).status == 409  # its region
    assert owner.put("/v1/cells/us-1", {"region": "eu", "parts": {"pools": []}}, If_Match="*").status == 409

    assert owner.post("/v1/cells/us-1/drain").json["state"] == "draining"
    refused = owner.post("/v1/tenants", {"slug": "late", "region": "us"})
    assert refused.status == 409 and "draining" in refused.json["detail"]
    assert owner.post("/v1/cells/us-1/activate").json["state"] == "active"
    assert control.tenant("late", region="us")["placement"]["cell"] == "us-1"
    assert owner.delete("/v1/cells/us-1", If_Match="*").status == 409  # tenants are in it


def test_a_tenant_without_data_moves_at_once_and_others_are_refused(control):
    control.cell("spare", region="eu")
    control.tenant("mover", cell="main")
    moved = control.owner.post("/v1/tenants/mover/move", {"cell": "spare"})
    assert moved.json["placement"]["cell"] == "spare"
    assert control.owner.post("/v1/tenants/mover/move", {"cell": "spare"}).status == 200
    control.owner.post("/v1/tenants/mover/offboard")
    control.owner.post("/v1/tenants/mover/restore")
    refused = control.owner.post("/v1/tenants/mover/move", {"cell": "main"})
    assert refused.status == 409 and "may have data" in refused.json["detail"]


def test_in_prefix_mode_each_tenant_gets_a_short_tag_of_its_own(control):
    cache = {"instances": [{"name": "main", "topology": "single", "endpoints": [{"address": "127.0.0.1", "port": 1}]}],
             "mode": "prefix", "door_user": "door"}
    secrets = {"cache.door_password": "d" * 32, "cache.tenant_password": "t" * 32}
    control.cell("tagged", region="eu", parts={"pools": [], "cache": cache}, secrets=secrets)
    tags = [control.tenant(f"tagged-{n}", cell="tagged")["placement"]["cache_tag"] for n in range(3)]
    assert len(set(tags)) == 3 and {len(tag) for tag in tags} == {5}, tags
    assert control.tenant("tagged-own", cell="tagged", cache_tag="mine")["placement"]["cache_tag"] == "mine"
    assert control.tenant("untagged", cell="main")["placement"].get("cache_tag") is None
    taken = control.owner.post("/v1/tenants", {"slug": "tagged-thief", "cell": "tagged", "cache_tag": tags[0]})
    assert taken.status == 409 and "begin with the same tag" in taken.text
    # What one asks for later does not change where its keys are.
    assert control.owner.call("PATCH", "/v1/tenants/tagged-0", {"tier": "pro"}, If_Match="*").json["placement"]["cache_tag"] == tags[0]
    control.owner.post("/v1/cells/tagged/drain")  # nobody else's tenants come here


def test_cells_keep_their_secrets_to_themselves(control):
    parts = {"sql": {"address": "127.0.0.1", "port": 5432, "database": "app",
                     "slots": {"prefix": "slot_", "count": 5}, "register_key_id": 1, "allow_temp": False,
                     "owner_role": "app_owner"}, "pools": []}
    body = {"region": "eu", "parts": parts, "secrets": {"sql.slots.password": "swordfish-1", "sql.register_key": "ab" * 64}}
    made = control.owner.put("/v1/cells/secretive", body)
    assert made.status == 201 and "swordfish" not in made.text, made
    assert "swordfish" not in control.owner.get("/v1/cells").text
    # Secrets that are not given stay.
    assert control.owner.put("/v1/cells/secretive", {"region": "eu", "parts": parts}, If_Match="*").status == 200
    typo = control.owner.put("/v1/cells/x", {"parts": {"pools": [], "sqll": {}}})
    assert typo.status == 400 and "did you mean" not in typo.text or "sqll" in typo.text
    assert control.owner.put("/v1/cells/x", {"parts": {"pools": []}, "secrets": {"sql.pasword": "x"}}).status == 400
    assert control.owner.delete("/v1/cells/secretive", If_Match="*").status == 204
    assert "swordfish" not in control.log()


def test_routes_are_named_by_their_prefix(control):
    path = f"/v1/routes/{segment('/api')}"
    assert control.owner.put(path, {"pool": "nowhere"}).status == 422
    assert control.owner.put(path, {"pool": "web"}).status == 201
    assert control.owner.get(path).json["path_prefix"] == "/api"
    assert control.owner.delete(path, If_Match="*").status == 204
    assert control.owner.get(path).status == 404


def test_a_new_tenant_becomes_active_and_gets_contexts(postgres, database, tmp_path):
    """With a leader that does the work: what the tests without one cannot see."""
    control = Control(postgres, database, tmp_path, operations="{run: true}")
    try:
        control.owner.put("/v1/tiers/free", {"limits": {}})
        control.cell("main", region="eu")
        made = control.owner.post("/v1/tenants", {"slug": "real"}).json
        stream = control.owner.watch("/v1/events?after=0")
        assert any(event["type"] == "tenant.activated" for event in stream)
        stream.close()
        assert control.owner.get(f"/v1/operations/{made['operation']}").json["status"] == "done"
        assert control.owner.get("/v1/tenants/real").json["status"] == "active"
        refused = control.owner.post("/v1/tenants/real/contexts", {})
        assert refused.status == 503  # there is no context key yet
    finally:
        control.stop()


def test_contexts_are_minted_for_tenants_that_are_served_only(control):
    control.tenant("jobs")
    assert control.owner.post("/v1/tenants/jobs/contexts", {}).status == 409
    assert control.owner.post("/v1/tenants/jobs/contexts", {"ttl_seconds": 7200}).status == 400


def test_events_are_followed_as_they_happen(control):
    stream = control.owner.watch()
    control.tenant("watched")
    event = next(iter(stream))
    assert (event["type"], event["subject"]) == ("tenant.created", "watched")
    stream.close()
    # Whoever comes back names the last one it saw, and misses nothing.
    control.owner.post("/v1/tenants/watched/offboard")
    stream = control.owner.watch(Last_Event_ID=str(event["id"]))
    assert any(one["type"] == "tenant.offboarding" for one in stream)
    stream.close()


def test_apply_makes_it_so_and_then_has_nothing_to_do(control):
    document = {"tiers": [{"name": "bronze", "limits": {"weight": 2}}],
                "tenants": [{"slug": f"applied-{n}", "tier": "bronze", "cell": "main"} for n in range(5)]}
    planned = control.owner.lines("/v1/apply?dry_run=true", document)
    assert [line["name"] for line in planned[:-1]] == ["bronze"] + [f"applied-{n}" for n in range(5)]
    assert planned[-1] == {"done": 0, "planned": 6}
    assert control.owner.get("/v1/tiers/bronze").status == 404
    assert control.owner.lines("/v1/apply", document)[-1] == {"done": 6, "planned": 6}
    assert control.owner.lines("/v1/apply", document) == [{"done": 0, "planned": 0}]

    document["tenants"][2] |= {"tier": "free", "limits": {"max_db_connections": 9}}
    changed = control.owner.lines("/v1/apply", document)
    assert changed[0]["fields"] == [{"name": "limits.max_db_connections", "before": None, "after": "9"},
                                    {"name": "tier", "before": "bronze", "after": "free"}]
    assert control.owner.get("/v1/tenants/applied-2").json["limits"]["max_db_connections"] == 9
    # An override with an end is an operator's: it is no difference.
    control.owner.put("/v1/tenants/applied-1/limits/weight", {"value": 7, "expires_at": "2090-01-01T00:00:00Z"})
    assert control.owner.lines("/v1/apply", document) == [{"done": 0, "planned": 0}]

    document["tenants"][0]["cell"] = "spare"
    failed = control.owner.lines("/v1/apply", document)
    assert "partywall tenant move" in failed[-1]["error"]
    for bad in ({"tenants": [{"slug": "x"}]}, {"tenant": []}, {"tenants": document["tenants"] * 2}):
        assert control.owner.post("/v1/apply", bad).status in (400, 422)


def test_the_store_goes_away_and_comes_back(control, postgres):
    postgres.restart()
    deadline = time.monotonic() + 30
    statuses = set()
    while True:
        status = control.owner.get("/v1/tenants?limit=1").status
        statuses.add(status)
        if status == 200 or time.monotonic() > deadline:
            break
    assert status == 200 and statuses <= {200, 503}


def test_a_webhook_from_its_making_to_its_end(control):
    made = control.owner.post("/v1/webhooks", {"name": "hook", "url": "https://example.com/"}, Idempotency_Key="hook-1")
    again = control.owner.post("/v1/webhooks", {"name": "hook", "url": "https://example.com/"}, Idempotency_Key="hook-1")
    assert made.status == again.status == 201
    assert made.json["secret"].startswith("whsec_") and again.json["secret"] is None, "shown once"
    assert control.owner.post("/v1/webhooks", {"name": "hook", "url": "https://example.com/"}).status == 409
    assert control.owner.post("/v1/webhooks/hook/pause").json["paused"]
    assert not control.owner.post("/v1/webhooks/hook/resume").json["paused"]
    assert control.owner.post("/v1/webhooks/hook/secret").json["secret"] != made.json["secret"]
    assert [item["name"] for item in control.owner.get("/v1/webhooks").json["items"]] == ["hook"]
    assert control.owner.get("/v1/webhooks/hook").json["url"] == "https://example.com/"
    assert control.owner.delete("/v1/webhooks/hook").status == 204
    assert control.owner.get("/v1/webhooks/hook").status == 404


def test_what_was_seen_is_documented_and_what_is_documented_was_seen(control):
    """The last test of the file: it looks at all calls before it."""
    document = control.owner.get("/v1/openapi.json").json
    operations = {(method.upper(), pattern): set(operation["responses"])
                  for pattern, methods in document["paths"].items() for method, operation in methods.items()}

    def pattern_of(method, path):
        parts = path.split("/")
        fitting = [pattern for known, pattern in operations
                   if known == method and len(pattern.split("/")) == len(parts)
                   and all(a.startswith("{") or a == b for a, b in zip(pattern.split("/"), parts))]
        return min(fitting, key=lambda pattern: pattern.count("{"), default=None)

    succeeded = set()
    for method, path, status in control.seen:
        if path == "/v1/openapi.json":
            continue
        pattern = pattern_of(method, path)
        assert pattern, (method, path)
        assert str(status) in operations[method, pattern], (method, pattern, status)
        if status < 400:
            succeeded.add((method, pattern))
    for extra in ("/v1/whoami", "/v1/nodes", "/v1/tokens", "/v1/routes", "/v1/tiers", "/v1/cells", "/v1/operations",
                  "/v1/cells/main", "/v1/tenants/once/logins", "/v1/tenants/once/usage",
                  "/v1/usage?start=2026-11-01T10:00:00Z"):
        assert control.owner.get(extra).status == 200
        succeeded.add(("GET", pattern_of("GET", extra.partition("?")[0])))
    # These need a tenant that is provisioned, or whose grace period is over.
    later = {("POST", "/v1/tenants/{tenant}/contexts"), ("POST", "/v1/tenants/{tenant}/erase"),
             ("POST", "/v1/operations/{operation}/cancel"), ("DELETE", "/v1/tokens/{token}"),
             ("DELETE", "/v1/tenants/{tenant}/logins/{door}/{user}")}
    assert set(operations) - succeeded - later == set()
