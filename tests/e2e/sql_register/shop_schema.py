"""The table of the shop that these tests share: 5,000 items of each of two tenants."""
from support.register import TENANT_A, TENANT_B

SCHEMA = f"""
CREATE TABLE item (tenant_id uuid NOT NULL, id int NOT NULL, name text, PRIMARY KEY (tenant_id, id));
INSERT INTO item SELECT t, i, t || ' item ' || i
  FROM (VALUES ('{TENANT_A}'::uuid), ('{TENANT_B}')) AS tenants(t), generate_series(1, 5000) AS i;
ANALYZE item;
"""
