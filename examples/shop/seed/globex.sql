-- Run as globex, through the sql door.
INSERT INTO products (sku, name, price_cents) VALUES
  ('GLX-100', 'Weather machine', 9900000),
  ('GLX-101', 'Hammock, company size', 45900),
  ('GLX-102', 'Moon laser', 4990000),
  ('GLX-103', 'Flamethrower, family pack', 34900),
  ('GLX-104', 'Sugar, loose', 1)
ON CONFLICT DO NOTHING;
INSERT INTO orders (product_id, quantity, ordered_at)
SELECT p.id, 1 + n % 3, timestamptz '2026-01-01' + n * interval '11 minutes'
  FROM products p CROSS JOIN generate_series(1, 2000) n
 WHERE p.sku LIKE 'GLX-%' AND NOT EXISTS (SELECT FROM orders);
