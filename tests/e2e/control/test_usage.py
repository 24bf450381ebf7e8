"""What a tenant used, as the admin API and the command line show it."""
import json
import subprocess

import pytest
from support.paths import partywall_binary

START = "2026-11-01T10:00:00Z"
DAY = "from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z"


@pytest.fixture(scope="module")
def used(control, postgres):
    """alpha used something in two hours, beta in one; node-a was killed in between."""
    ids = {slug: control.tenant(f"used-{slug}")["id"] for slug in ("alpha", "beta")}
    with postgres.connect(control.database) as connection:
        for slug, hour, requests in (("alpha", START, 3), ("alpha", "2026-11-01T12:00:00Z", 4), ("beta", START, 100)):
            connection.execute("INSERT INTO partywall.usage_hours (tenant, hour, http_requests, sql_busy_us) "
                               "VALUES (%s, %s, %s, 7)", (ids[slug], hour, requests))
        connection.execute("INSERT INTO partywall.usage_gaps VALUES ('node-a', '2026-11-01T11:00:00Z', "
                           "'2026-11-01T11:00:09Z'), ('node-a', '2026-10-01T11:00:00Z', '2026-10-01T11:00:09Z')")
    return ids


def test_usage_by_hour_and_by_day(control, used):
    hours = control.owner.get(f"/v1/tenants/used-alpha/usage?{DAY}").json
    assert [(item["start"], item["http_requests"]) for item in hours["items"]] == [
        (START, 3), ("2026-11-01T12:00:00Z", 4)]
    assert hours["total"]["http_requests"] == 7 and hours["total"]["sql_busy_us"] == 14
    assert hours["gaps"] == [{"node": "node-a", "from": "2026-11-01T11:00:00Z", "to": "2026-11-01T11:00:09Z"}]
    days = control.owner.get(f"/v1/tenants/used-alpha/usage?{DAY}&by=day").json
    assert [(item["start"], item["http_requests"]) for item in days["items"]] == [("2026-11-01T00:00:00Z", 7)]


def test_without_times_it_is_the_last_day(control, used):
    assert control.owner.get("/v1/tenants/used-alpha/usage").json["items"] == []


@pytest.mark.parametrize("query, named", [
    ("by=week", "by"), ("from=yesterday", "from"), ("to=2026-11-01", "to"),
    ("from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "from"),
    ("from=2026-01-01T00:00:00Z&to=2026-11-01T00:00:00Z", "35 days")])
def test_times_that_make_no_sense_are_named(control, used, query, named):
    refused = control.owner.get(f"/v1/tenants/used-alpha/usage?{query}")
    assert refused.status == 400 and named in refused.json["detail"], refused


def test_a_tenant_admin_sees_its_own_and_no_names_of_nodes(control, used):
    admin = control.with_role("tenant-admin", "used-alpha")
    own = admin.get(f"/v1/tenants/used-alpha/usage?{DAY}")
    assert own.json["total"]["http_requests"] == 7
    assert own.json["gaps"] == [{"from": "2026-11-01T11:00:00Z", "to": "2026-11-01T11:00:09Z"}]
    others = admin.get(f"/v1/tenants/used-beta/usage?{DAY}")
    nobodys = admin.get(f"/v1/tenants/nobody/usage?{DAY}")
    assert others.status == nobodys.status == 404
    assert others.text.replace("used-beta", "nobody") == nobodys.text


def test_the_command_shows_hours_a_total_and_gaps(control, used, tmp_path):
    def run(*arguments):
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PARTYWALL_TOKEN": control.owner.token,
                       "PARTYWALL_URL": f"http://127.0.0.1:{control.port}"}
        return subprocess.run([partywall_binary(), "usage", "used-alpha", "--from", "2026-11-01T00:00:00Z", "--to",
                               "2026-11-02T00:00:00Z", *arguments], capture_output=True, text=True, timeout=60,
                              env=environment)
    lines = run().stdout.splitlines()
    assert lines[0].split()[:2] == ["START", "REQUESTS"]
    assert [line.split()[:2] for line in lines[1:4]] == [[START, "3"], ["2026-11-01T12:00:00Z", "4"], ["total", "7"]]
    assert lines[4:] == ["not counted: node node-a from 2026-11-01T11:00:00Z to 2026-11-01T11:00:09Z"]
    assert json.loads(run("-o", "json", "--by", "day").stdout)["total"]["http_requests"] == 7
    assert run("--by", "week").returncode == 2
