// What every client does, and how it says what it saw: one JSON object a line.
'use strict';

exports.APPLICATION = process.argv[2] === 'application';
exports.CONTEXTS = { acme: process.env.ACME, globex: process.env.GLOBEX };
exports.OTHER_TENANT = 'bbbbbbbb-0000-4000-8000-000000000002';
exports.TEXT = 'žluť \'x\' "y" \\ 😀';
exports.LARGE = 'SELECT n, md5(n::text) AS hash FROM generate_series(1, 100000) n';
exports.INSERT = 'INSERT INTO samples (id, i, t, n, at, raw, u, doc, tags, numbers, yes) ' +
  'VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)';
exports.STORED = "SELECT concat_ws('|', id, i, t, n, extract(epoch FROM at), encode(raw, 'hex'), u, doc, tags, numbers, yes) AS line " +
  'FROM samples ORDER BY id';
exports.SAMPLES = {
  i: -2147483648, t: exports.TEXT, n: '12345678901234567890.0123456789', at: new Date('2026-02-28T23:59:59.123Z'),
  raw: Buffer.from([0, 1, 39, 92, 255]), u: '0f0e0d0c-0b0a-4908-8706-050403020100', doc: { a: [1, null, '"'] },
  tags: ['a', 'b,c', '"', 'ä', null], numbers: [1, -2, 3], yes: true,
};

exports.say = (step, saw) => console.log(JSON.stringify({ step, saw }));

// The SQLSTATE that `attempt` ends with.
exports.sqlstate = async (attempt) => {
  try {
    await attempt();
  } catch (error) {
    return error.code ?? String(error);
  }
  return 'no error';
};

exports.run = (main) => main().catch((error) => { console.error(error); process.exit(1); });
