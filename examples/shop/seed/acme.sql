-- Run as acme, through the sql door: acme's rows become acme's because acme inserts them.
INSERT INTO products (sku, name, price_cents) VALUES
  ('ACM-001', 'Rocket skates', 24900),
  ('ACM-002', 'Giant rubber band', 3900),
  ('ACM-003', 'Portable hole', 99900),
  ('ACM-004', 'Earthquake pills', 1250),
  ('ACM-005', 'Iron carrot', 799),
  ('ACM-007', 'Jet-propelled pogo stick', 18900),
  ('ACM-008', 'Dehydrated boulders', 2900)
ON CONFLICT DO NOTHING;
INSERT INTO orders (product_id, quantity, ordered_at)
SELECT p.id, 1 + n % 5, timestamptz '2026-01-01' + n * interval '37 minutes'
  FROM products p CROSS JOIN generate_series(1, 250) n
 WHERE p.sku LIKE 'ACM-%' AND NOT EXISTS (SELECT FROM orders);
