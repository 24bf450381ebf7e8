"""The example application: written without a tenant, and yet each tenant has its own shop."""
import http.client
import json

import pytest


def any_product(up, tenant):
    return up.json("/api/products?limit=1", tenant=tenant)[0]


def ask_instance(up, path, headers=None):
    """(status, body) of an instance that is asked around the http door."""
    instance = up.run["instances"][0]
    connection = http.client.HTTPConnection(instance["address"], instance["port"], timeout=20)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_create_and_search(up):
    body = {"sku": "SEARCH-1", "name": "Doomsday clock", "price_cents": 4200}
    created = up.json("/api/products", tenant="globex", method="POST", body=body)
    found = up.json("/api/products?search=doomsday", tenant="globex")
    assert [product["id"] for product in found] == [created["id"]]
    assert up.json("/api/products?search=doomsday", tenant="acme") == []
    again, _, _ = up.request("/api/products", tenant="globex", method="POST", body=body)
    assert again == 409


def test_two_tenants_may_use_the_same_sku(up):
    for tenant in ("globex", "acme"):
        made = up.json("/api/products", tenant=tenant, method="POST",
                       body={"sku": "SAME-1", "name": f"of {tenant}", "price_cents": 1})
        assert up.json(f"/api/products/{made['id']}", tenant=tenant)["name"] == f"of {tenant}"


def test_the_cache_answers_the_second_time_and_only_its_tenant(up):
    product = any_product(up, "globex")
    up.json(f"/api/products/{product['id']}", tenant="globex")
    second = up.json(f"/api/products/{product['id']}", tenant="globex")
    assert second == {**product, "cached": True}
    status, _, text = up.request(f"/api/products/{product['id']}", tenant="acme")
    assert status == 404, f"the key is in globex's cache now, and names no tenant: {text}"


def test_the_report_adds_up_only_what_is_the_tenants(up):
    names = {product["name"] for product in up.json("/api/products?limit=500", tenant="globex")}
    report = up.json("/api/report", tenant="globex")
    assert report and {row["name"] for row in report} <= names
    assert sum(row["sold"] for row in report) == 5 * sum(1 + n % 3 for n in range(1, 2001)), "seed/globex.sql, and nothing else"


@pytest.mark.parametrize("headers", [{}, {"X-Partywall-Context": "pw1.forged.forged"},
                                     {"X-Tenant-Id": "22222222-2222-4222-8222-222222222222"}])
def test_around_the_http_door_there_is_nothing(up, headers):
    names = [product["name"] for product in up.json("/api/products?limit=500", tenant="globex")]
    status, body = ask_instance(up, "/api/products", headers)
    assert status == 500
    assert not [name for name in names if name in body]


def test_a_health_check_needs_no_tenant(up):
    status, body = ask_instance(up, "/healthz")
    assert (status, json.loads(body)) == (200, {"status": "ok"})
