// node-postgres: Client, Pool, pg-cursor.
'use strict';
const { Client, Pool } = require('pg');
const Cursor = require('pg-cursor');
const { APPLICATION, CONTEXTS, INSERT, LARGE, OTHER_TENANT, SAMPLES, STORED, TEXT, run, say, sqlstate } = require('./script');

const user = (tenant) => (APPLICATION ? 'app' : tenant);
const texts = (result) => result.rows.map((row) => Object.values(row)[0]);

async function connect(tenant) {
  const client = new Client({ user: user(tenant) });
  await client.connect();
  return client;
}

async function begin(client, tenant) {
  await client.query('BEGIN');
  if (APPLICATION) await client.query(`SET LOCAL app.current_tenant = '${CONTEXTS[tenant]}'`);
}

async function transaction(client, tenant, work, end = 'COMMIT') {
  await begin(client, tenant);
  try {
    return await work(client);
  } finally {
    await client.query(end);
  }
}

async function stream(client, size) {
  const cursor = client.query(new Cursor(LARGE));
  let rows = 0, sum = 0;
  for (let batch = await cursor.read(size); batch.length > 0; batch = await cursor.read(size)) {
    rows += batch.length;
    for (const row of batch) sum += row.n;
  }
  await cursor.close();
  return { rows, sum };
}

async function main() {
  const a = await connect('acme'), second = await connect('acme'), b = await connect('globex');
  const own = (work, end) => transaction(a, 'acme', work, end);

  const hello = await own(() => a.query("SELECT 1 AS one, 'ä' AS text; SELECT body FROM notes"));
  say('simple', [hello[0].rows[0].one, hello[0].rows[0].text, texts(hello[1])]);
  const given = await own(() => a.query('SELECT $1::int AS i, $2::text AS t', [41, TEXT]));
  say('parameters', [given.rows[0].i, given.rows[0].t]);

  const seen = [], pids = new Set();
  for (let n = 0; n < 20; n++) {
    if (n % 4 === 0) { await begin(second, 'acme'); await second.query('SELECT 1'); }
    if (n % 4 === 3) await second.query('COMMIT');
    await transaction(b, 'globex', () => b.query('SELECT 1'));
    const result = await own(() => a.query({
      name: 'again', text: 'SELECT $1::int + 1 AS n, body, pg_backend_pid() AS pid FROM notes', values: [n] }));
    seen.push([result.rows[0].n, result.rows[0].body]);
    pids.add(result.rows[0].pid);
  }
  say('prepared', seen);
  say('backends', pids.size);

  const s = SAMPLES;
  await own(() => a.query(INSERT, [1, s.i, s.t, s.n, s.at, s.raw, s.u, s.doc, s.tags, s.numbers, s.yes]));
  await own(() => a.query(INSERT, [2, ...Array(10).fill(null)]));
  say('stored', texts(await own(() => a.query(STORED))));
  say('types', (await own(() => a.query('SELECT i, t, n, at, raw, u, doc, tags, numbers, yes FROM samples ORDER BY id'))).rows);

  const inside = await own(async () => {
    await a.query('DELETE FROM samples WHERE id = $1', [1]);
    return texts(await a.query('SELECT count(*)::int FROM samples'));
  }, 'ROLLBACK');
  say('rollback', [...inside, ...texts(await own(() => a.query('SELECT count(*)::int FROM samples')))]);

  const errors = await own(async () => [
    await sqlstate(() => a.query('INSERT INTO samples (id) VALUES ($1)', [1])), await sqlstate(() => a.query('SELECT 1'))], 'ROLLBACK');
  say('error', [...errors, texts(await own(() => a.query('SELECT body FROM notes')))]);
  say('savepoint', await own(async () => {
    await a.query('SAVEPOINT s');
    const state = await sqlstate(() => a.query('SELECT 1/$1::int', [0]));
    await a.query('ROLLBACK TO s');
    return [state, ...texts(await a.query('SELECT body FROM notes'))];
  }));

  const large = await own(() => a.query(LARGE));
  say('large', { rows: large.rowCount, sum: large.rows.reduce((sum, row) => sum + row.n, 0) });
  say('stream', await own(() => stream(a, 1000)));

  const cancelled = await sqlstate(() => own(async () => {
    const running = a.query('SELECT pg_sleep(30)');
    setTimeout(() => new Client().cancel(a, a.activeQuery), 200);
    await running;
  }, 'ROLLBACK'));
  say('cancelled', [cancelled, texts(await own(() => a.query('SELECT body FROM notes')))]);

  say('neighbour', [
    texts(await own(() => a.query("SELECT body FROM notes WHERE body LIKE '%globex%'"))),
    (await own(() => a.query("UPDATE notes SET body = 'taken' WHERE body LIKE '%globex%'"))).rowCount,
    await sqlstate(() => own(() => a.query("INSERT INTO notes (tenant_id, body) VALUES ($1, 'planted')", [OTHER_TENANT]), 'ROLLBACK'))]);

  if (APPLICATION) {
    const read = { name: 'switch', text: 'SELECT body FROM notes WHERE id > $1', values: [0] };
    const switched = [];
    for (let n = 0; n < 6; n++) {
      const tenant = ['acme', 'globex'][n % 2];
      switched.push(...texts(await transaction(a, tenant, () => a.query(read))));
    }
    say('switched', switched);
    say('nobody', await sqlstate(() => a.query(read)));
  }
  await Promise.all([a.end(), second.end(), b.end()]);

  const pools = { acme: new Pool({ user: user('acme'), max: 4 }) };
  pools.globex = APPLICATION ? pools.acme : new Pool({ user: user('globex'), max: 4 });
  const found = { acme: new Set(), globex: new Set() };
  await Promise.all(Array.from({ length: 100 }, async (_, n) => {
    const tenant = ['acme', 'globex'][n % 2], client = await pools[tenant].connect();
    try {
      const result = await transaction(client, tenant, () => client.query({ name: 'pooled', text: 'SELECT body FROM notes WHERE id > $1', values: [0] }));
      found[tenant].add(texts(result).join());
    } finally {
      client.release();
    }
  }));
  await Promise.all(Array.from(new Set(Object.values(pools)), (pool) => pool.end()));
  say('pool', { acme: [...found.acme], globex: [...found.globex] });
}

run(main);
