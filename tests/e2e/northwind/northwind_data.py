"""The Northwind data: what both tenants load, and what globex then changes."""
import re

from support.register import TENANT_A, TENANT_B

TENANTS = {"acme": TENANT_A, "globex": TENANT_B}

# What globex has otherwise than acme; run as globex, so it must not touch acme's rows.
CHANGES_OF_GLOBEX = """
UPDATE products SET product_name = 'Globex ' || product_name, unit_price = unit_price * 3;
UPDATE customers SET city = upper(city) WHERE country = 'Germany';
DELETE FROM order_details WHERE order_id % 3 = 0;
DELETE FROM orders WHERE order_id % 3 = 0;
INSERT INTO region VALUES (99, 'Globex region');
"""

# The one foreign key of a table on itself.
DEFERRABLE = "ALTER TABLE employees ALTER CONSTRAINT fk_employees_employees DEFERRABLE INITIALLY IMMEDIATE;"


def split_dump(text):
    """(schema, rows): the dump's INSERT statements, in order, and everything else."""
    text = re.sub(r"^SET default_with_oids.*$", "", text, flags=re.MULTILINE)  # gone since PostgreSQL 12
    rows = re.findall(r"^INSERT INTO .*?\);$", text, flags=re.MULTILINE | re.DOTALL)
    schema = re.sub(r"^INSERT INTO .*?\);$", "", text, flags=re.MULTILINE | re.DOTALL)
    return schema, rows


def ordered_for_foreign_keys(rows):
    """The dump adds its foreign keys last; with them in place, what is referred to must come first."""
    order = ["categories", "customer_demographics", "customers", "employees", "region", "shippers", "suppliers",
             "us_states", "territories", "products", "customer_customer_demo", "employee_territories", "orders",
             "order_details"]
    table_of = {row: re.match(r"INSERT INTO (\w+)", row).group(1) for row in rows}
    return sorted(rows, key=lambda row: order.index(table_of[row]))
