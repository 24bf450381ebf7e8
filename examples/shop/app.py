"""A small shop, as a customer of Partywall would write it: many tenants, and not one line about them.

No query has a WHERE tenant_id, no cache key a tenant's name. The middleware hands the context of the
http door on to the two others, and they see to the rest.
"""
import contextlib
import json
import os
import queue

import psycopg
import redis
from fastapi import FastAPI, HTTPException, Query
from psycopg.rows import dict_row
from pydantic import BaseModel, Field

from partywall_asgi import PartywallMiddleware, TenantRedis, transaction

CACHE_SECONDS = 30
CONNECTIONS = 8

app = FastAPI(title="shop")
app.add_middleware(PartywallMiddleware)

cache = TenantRedis.from_url(os.environ["REDIS_URL"], socket_timeout=2)
idle_connections = queue.LifoQueue()
for _ in range(CONNECTIONS):
    idle_connections.put(None)  # a place, opened when it is first needed


class NewProduct(BaseModel):
    sku: str = Field(min_length=1, max_length=40)
    name: str = Field(min_length=1, max_length=200)
    price_cents: int = Field(ge=0, le=100_000_000)


@contextlib.contextmanager
def database():
    """A transaction of the request's tenant; the connection is reused unless it broke."""
    connection = idle_connections.get(timeout=10)
    try:
        if connection is None or connection.closed:
            connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row)
        with transaction(connection):
            yield connection
    finally:
        idle_connections.put(connection)


@app.get("/healthz")
def healthz():
    return {"status": "ok"}


@app.get("/api/products")
def list_products(search: str = Query("", max_length=100), limit: int = Query(50, ge=1, le=500)):
    with database() as db:
        return db.execute(
            "SELECT id, sku, name, price_cents FROM products"
            " WHERE name ILIKE '%%' || %s || '%%' ORDER BY name LIMIT %s",
            (search, limit),
        ).fetchall()


@app.post("/api/products", status_code=201)
def create_product(product: NewProduct):
    try:
        with database() as db:
            return db.execute(
                "INSERT INTO products (sku, name, price_cents) VALUES (%s, %s, %s)"
                " RETURNING id, sku, name, price_cents",
                (product.sku, product.name, product.price_cents),
            ).fetchone()
    except psycopg.errors.UniqueViolation:
        raise HTTPException(409, f"there is a product {product.sku} already")


@app.get("/api/products/{product_id}")
def read_product(product_id: int):
    """Read through the cache; "cached" says where the answer came from."""
    key = f"product:{product_id}"
    try:
        if (found := cache.get(key)) is not None:
            return {**json.loads(found), "cached": True}
    except redis.RedisError:
        pass  # the cache is down, too slow or over its limits: the database has the answer
    with database() as db:
        product = db.execute(
            "SELECT id, sku, name, price_cents FROM products WHERE id = %s", (product_id,)
        ).fetchone()
    if product is None:
        raise HTTPException(404, "no such product")
    with contextlib.suppress(redis.RedisError):
        cache.set(key, json.dumps(product), ex=CACHE_SECONDS)
    return {**product, "cached": False}


@app.get("/api/report")
def report():
    """What was sold, by product, with the running total of each month: a heavy query on purpose."""
    with database() as db:
        return db.execute(
            """
            SELECT p.name, date_trunc('month', o.ordered_at)::date AS month, sum(o.quantity) AS sold,
                   sum(o.quantity * p.price_cents) AS revenue_cents,
                   sum(sum(o.quantity * p.price_cents))
                     OVER (PARTITION BY date_trunc('month', o.ordered_at) ORDER BY p.name) AS running_cents
              FROM orders o JOIN products p ON p.id = o.product_id
             GROUP BY p.name, date_trunc('month', o.ordered_at)
             ORDER BY month, p.name
            """
        ).fetchall()
