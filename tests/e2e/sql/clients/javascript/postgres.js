// porsager's postgres: it prepares and pipelines by itself, and a client is a pool.
'use strict';
const { Readable } = require('stream');
const { pipeline } = require('stream/promises');
const postgres = require('postgres');
const { APPLICATION, CONTEXTS, INSERT, LARGE, OTHER_TENANT, SAMPLES, STORED, TEXT, run, say, sqlstate } = require('./script');

// It asks for the types of arrays when it connects. An application has no tenant then, and says what they are.
const array = (number) => ({
  to: number, from: [number], parse: (text) => text,
  serialize: (values) => `{${values.map((value) => (value === null ? 'NULL' : JSON.stringify(value))).join()}}`,
});
const OPTIONS = APPLICATION ? { fetch_types: false, types: { texts: array(1009), numbers: array(1007) } } : {};
const connect = (tenant, max = 1) => postgres({
  user: APPLICATION ? 'app' : tenant, password: process.env.PGPASSWORD, max, onnotice: () => {}, ...OPTIONS });
const texts = (rows) => rows.map((row) => Object.values(row)[0]);
class Undo extends Error {}

function transaction(sql, tenant, work) {
  return sql.begin(async (tx) => {
    if (APPLICATION) await tx.unsafe(`SET LOCAL app.current_tenant = '${CONTEXTS[tenant]}'`);
    return work(tx);
  });
}

async function undone(sql, tenant, work) {
  let result;
  await transaction(sql, tenant, async (tx) => {
    result = await work(tx);
    throw new Undo();
  }).catch((error) => { if (!(error instanceof Undo)) throw error; });
  return result;
}

async function main() {
  const a = connect('acme'), second = connect('acme'), b = connect('globex');
  const own = (work) => transaction(a, 'acme', work);

  const hello = await own((tx) => tx.unsafe("SELECT 1 AS one, 'ä' AS text; SELECT body FROM notes"));
  say('simple', [hello[0][0].one, hello[0][0].text, texts(hello[1])]);
  const [given] = await own((tx) => tx`SELECT ${41}::int AS i, ${TEXT}::text AS t`);
  say('parameters', [given.i, given.t]);

  const seen = [], pids = new Set();
  const again = async (n) => {
    const [row] = await own((tx) => tx`SELECT ${n}::int + 1 AS n, body, pg_backend_pid() AS pid FROM notes`);
    seen.push([row.n, row.body]);
    pids.add(row.pid);
    await transaction(b, 'globex', (tx) => tx`SELECT 1`);
  };
  for (let n = 0; n < 20; n += 4) {
    await again(n);
    await transaction(second, 'acme', async (tx) => {
      await tx`SELECT 1`;
      for (let next = n + 1; next < n + 4; next++) await again(next);
    });
  }
  say('prepared', seen);
  say('backends', pids.size);

  const s = SAMPLES;
  await own((tx) => tx.unsafe(INSERT, [1, s.i, s.t, s.n, s.at, s.raw, s.u, s.doc, s.tags, s.numbers, s.yes]));
  await own((tx) => tx.unsafe(INSERT, [2, ...Array(10).fill(null)]));
  say('stored', texts(await own((tx) => tx.unsafe(STORED))));
  say('types', await own((tx) => tx`SELECT i, t, n, at, raw, u, doc, tags, numbers, yes FROM samples ORDER BY id`));

  const inside = await undone(a, 'acme', async (tx) => {
    await tx`DELETE FROM samples WHERE id = ${1}`;
    return texts(await tx`SELECT count(*)::int FROM samples`);
  });
  say('rollback', [...inside, ...texts(await own((tx) => tx`SELECT count(*)::int FROM samples`))]);

  const errors = [];
  await own(async (tx) => {
    errors.push(await sqlstate(() => tx`INSERT INTO samples (id) VALUES (${1})`), await sqlstate(() => tx`SELECT 1`));
    throw new Undo();
  }).catch((error) => { if (!(error instanceof Undo) && error.code !== '23505') throw error; });
  say('error', [...errors, texts(await own((tx) => tx`SELECT body FROM notes`))]);
  say('savepoint', await own(async (tx) => {
    const state = await sqlstate(() => tx.savepoint((inner) => inner`SELECT 1/${0}::int`));
    return [state, ...texts(await tx`SELECT body FROM notes`)];
  }));

  const large = await own((tx) => tx.unsafe(LARGE));
  say('large', { rows: large.length, sum: large.reduce((sum, row) => sum + row.n, 0) });
  say('stream', await own(async (tx) => {
    let rows = 0, sum = 0;
    for await (const batch of tx.unsafe(LARGE, [], { prepare: true }).cursor(1000)) {
      rows += batch.length;
      for (const row of batch) sum += row.n;
    }
    return { rows, sum };
  }));

  const cancelled = await sqlstate(() => own(async (tx) => {
    const running = tx`SELECT pg_sleep(30)`;
    setTimeout(() => running.cancel(), 200);
    await running;
  }));
  say('cancelled', [cancelled, texts(await own((tx) => tx`SELECT body FROM notes`))]);

  const lines = Array.from({ length: 1000 }, (_, n) => `${n + 1}\tä\\tb\n`);
  const copied = await own(async (tx) => {
    await pipeline(Readable.from(lines), await tx`COPY imports (id, body) FROM STDIN`.writable());
    let out = 0, sum = 0, rest = '';
    for await (const chunk of await tx`COPY (SELECT id, body FROM imports) TO STDOUT`.readable()) {
      const found = (rest + chunk).split('\n');
      rest = found.pop();
      for (const line of found) { out += 1; sum += Number(line.split('\t')[0]); }
    }
    return { in: texts(await tx`SELECT count(*)::int FROM imports WHERE body = ${'ä\tb'}`)[0], out, sum };
  });
  say('copied', copied);  // that a COPY is refused this driver never says, whatever the server

  say('pipelined', await own(async (tx) => {
    const numbers = await Promise.all(Array.from({ length: 50 }, (_, n) => tx`SELECT ${n}::int AS n`));
    const state = await sqlstate(() => tx.savepoint((inner) => Promise.all([inner`SELECT 1`, inner`SELECT 1/${0}::int`, inner`SELECT 2`])));
    return [numbers.map(([row]) => row.n), state, texts(await tx`SELECT body FROM notes`)];
  }));

  say('neighbour', [
    texts(await own((tx) => tx`SELECT body FROM notes WHERE body LIKE '%globex%'`)),
    (await own((tx) => tx`UPDATE notes SET body = 'taken' WHERE body LIKE '%globex%'`)).count,
    await sqlstate(() => own((tx) => tx`INSERT INTO notes (tenant_id, body) VALUES (${OTHER_TENANT}, 'planted')`))]);

  if (APPLICATION) {
    const switched = [];
    for (let n = 0; n < 6; n++) {
      switched.push(...texts(await transaction(a, ['acme', 'globex'][n % 2], (tx) => tx`SELECT body FROM notes WHERE id > ${0}`)));
    }
    say('switched', switched);
    say('nobody', await sqlstate(() => a`SELECT body FROM notes WHERE id > ${0}`));
  }
  await Promise.all([a.end(), second.end(), b.end()]);

  const pools = { acme: connect('acme', 4) };
  pools.globex = APPLICATION ? pools.acme : connect('globex', 4);
  const found = { acme: new Set(), globex: new Set() };
  await Promise.all(Array.from({ length: 100 }, async (_, n) => {
    const tenant = ['acme', 'globex'][n % 2];
    found[tenant].add(texts(await transaction(pools[tenant], tenant, (tx) => tx`SELECT body FROM notes WHERE id > ${0}`)).join());
  }));
  await Promise.all([pools.acme.end(), pools.globex.end()]);
  say('pool', { acme: [...found.acme], globex: [...found.globex] });
}

run(main);
