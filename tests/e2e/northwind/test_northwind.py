"""A real schema, unmodified statements, two tenants behind the sql door: each gets the answers that it would get alone."""
import threading

import psycopg
import psycopg2
import pytest
from psycopg import errors

from northwind_data import TENANTS

TABLES = ["categories", "customers", "customer_customer_demo", "customer_demographics", "employees",
          "employee_territories", "order_details", "orders", "products", "region", "shippers", "suppliers",
          "territories", "us_states"]

# No statement names a tenant. Each orders its rows completely.
QUERIES = {
    "revenue by category": """
        SELECT c.category_name, round(sum(d.unit_price * d.quantity * (1 - d.discount))::numeric, 2) AS revenue, count(*)
        FROM categories c JOIN products p USING (category_id) JOIN order_details d USING (product_id)
        GROUP BY c.category_name ORDER BY 2 DESC, 1""",
    "best customers": """
        SELECT c.company_name, c.city, count(DISTINCT o.order_id) AS orders
        FROM customers c JOIN orders o USING (customer_id) GROUP BY c.customer_id, c.company_name, c.city
        ORDER BY 3 DESC, 1 LIMIT 20""",
    "customers without orders": """
        SELECT customer_id, company_name FROM customers c
        WHERE NOT EXISTS (SELECT FROM orders o WHERE o.customer_id = c.customer_id) ORDER BY 1""",
    "products above the average": """
        SELECT product_name, unit_price FROM products WHERE unit_price > (SELECT avg(unit_price) FROM products) ORDER BY 2, 1""",
    "running total": """
        SELECT order_id, sum(freight) OVER (ORDER BY order_id) FROM orders ORDER BY order_id""",
    "rank in category": """
        SELECT category_id, product_name, rank() OVER (PARTITION BY category_id ORDER BY unit_price DESC, product_id)
        FROM products ORDER BY 1, 3""",
    "chain of command": """
        WITH RECURSIVE chain AS (
          SELECT employee_id, last_name, 0 AS depth FROM employees WHERE reports_to IS NULL
          UNION ALL
          SELECT e.employee_id, e.last_name, depth + 1 FROM employees e JOIN chain c ON e.reports_to = c.employee_id)
        SELECT * FROM chain ORDER BY depth, employee_id""",
    "both sides": """
        SELECT company_name, 'customer' FROM customers UNION SELECT company_name, 'supplier' FROM suppliers ORDER BY 1, 2""",
    "regions and territories": """
        SELECT r.region_description, count(t.territory_id) FROM region r LEFT JOIN territories t USING (region_id)
        GROUP BY 1 ORDER BY 1""",
    "monthly": """
        SELECT date_trunc('month', order_date), count(*) FILTER (WHERE shipped_date > required_date) AS late, count(*)
        FROM orders GROUP BY 1 ORDER BY 1""",
    "lateral": """
        SELECT c.customer_id, last.order_id FROM customers c
        CROSS JOIN LATERAL (SELECT order_id FROM orders o WHERE o.customer_id = c.customer_id
                            ORDER BY order_date DESC, order_id DESC LIMIT 2) AS last ORDER BY 1, 2""",
} | {f"all of {table}": f"SELECT count(*) FROM {table}" for table in TABLES}


def alone(northwind, tenant, query):
    with northwind.postgres.connect(northwind.alone[tenant]) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("tenant", TENANTS)
def test_psycopg_gets_what_the_tenant_would_get_alone(northwind, tenant, query):
    with northwind.door.connect(tenant) as connection:
        assert connection.execute(QUERIES[query]).fetchall() == alone(northwind, tenant, QUERIES[query])


@pytest.mark.parametrize("tenant", TENANTS)
def test_psql_gets_what_the_tenant_would_get_alone(northwind, tenant):
    script = "".join(f"{query};\n" for query in QUERIES.values())
    expected = northwind.postgres.psql(text=script, dbname=northwind.alone[tenant]).stdout
    assert len(expected) > 10_000
    assert northwind.door.psql(tenant, script) == expected


@pytest.mark.parametrize("tenant", TENANTS)
def test_psycopg2_and_prepared_statements_too(northwind, tenant):
    door = northwind.door
    query = "SELECT product_name FROM products WHERE unit_price BETWEEN {0} AND {1} ORDER BY product_id"
    expected = alone(northwind, tenant, query.format(10, 40))
    old = psycopg2.connect(host=door.host, port=door.port, dbname=door.database, user=tenant, password=door.password)
    try:
        with old, old.cursor() as cursor:
            cursor.execute(query.format("%s", "%s"), (10, 40))
            assert cursor.fetchall() == expected
    finally:
        old.close()
    with door.connect(tenant) as connection:
        for _ in range(8):
            assert connection.execute(query.format("%s", "%s"), (10, 40), prepare=True).fetchall() == expected


def test_the_tenants_differ_and_nothing_of_the_other_is_seen(northwind):
    names = {}
    for tenant, identifier in TENANTS.items():
        with northwind.door.connect(tenant) as connection:
            names[tenant] = {name for (name,) in connection.execute("SELECT product_name FROM products")}
            for table in TABLES:
                seen = connection.execute(f"SELECT DISTINCT tenant_id FROM {table}").fetchall()
                assert seen in ([(identifier,)], []), table  # two tables are empty in the data
    assert len(names["acme"]) == len(names["globex"]) == 77
    assert not names["acme"] & names["globex"]


def test_both_have_the_same_keys(northwind):
    """Keys are unique within a tenant only: the same customer may be known to both."""
    for tenant in TENANTS:
        with northwind.door.connect(tenant) as connection:
            assert connection.execute("SELECT count(*) FROM customers WHERE customer_id = 'ALFKI'").fetchone() == (1,)
            with pytest.raises(errors.UniqueViolation):
                connection.execute("INSERT INTO customers (customer_id, company_name) VALUES ('ALFKI', 'again')")


def test_a_foreign_key_does_not_reach_into_the_other_tenant(northwind):
    """globex alone has region 99."""
    insert = "INSERT INTO territories VALUES ('99999', 'nowhere', 99)"
    with northwind.door.connect("acme", autocommit=False) as acme, pytest.raises(errors.ForeignKeyViolation):
        acme.execute(insert)
    with northwind.door.connect("globex", autocommit=False) as globex:
        globex.execute(insert)
        globex.rollback()


def test_a_transaction_of_one_tenant_is_invisible_to_the_other_before_and_after(northwind):
    with northwind.door.connect("acme", autocommit=False) as acme, northwind.door.connect("globex") as globex:
        before = globex.execute("SELECT count(*), sum(units_in_stock) FROM products").fetchone()
        acme.execute("UPDATE products SET units_in_stock = 0")
        assert globex.execute("SELECT count(*), sum(units_in_stock) FROM products").fetchone() == before
        acme.commit()
        assert globex.execute("SELECT count(*), sum(units_in_stock) FROM products").fetchone() == before
    northwind.postgres.execute("UPDATE products SET units_in_stock = 0", northwind.alone["acme"])


def test_many_clients_of_both_at_once(northwind):
    """More clients than server connections, every statement a possible switch of the tenant."""
    expected = {tenant: alone(northwind, tenant, QUERIES["revenue by category"]) for tenant in TENANTS}
    wrong = []

    def client(tenant):
        try:
            with northwind.door.connect(tenant) as connection:
                for _ in range(10):
                    answer = connection.execute(QUERIES["revenue by category"]).fetchall()
                    if answer != expected[tenant]:
                        wrong.append((tenant, answer))
        except psycopg.Error as error:
            wrong.append((tenant, error))

    threads = [threading.Thread(target=client, args=(tenant,)) for tenant in TENANTS for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
