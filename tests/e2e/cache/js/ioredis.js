// What applications do with ioredis: pipelines, transactions, scripts, blocking, streams, pub/sub, two databases.
"use strict";
const assert = require("node:assert/strict");
const Redis = require("ioredis");

const [port, username, password] = process.argv.slice(2);
const options = { port: Number(port), host: "127.0.0.1", username, password, maxRetriesPerRequest: 1 };

async function main() {
  const client = new Redis({ ...options, connectionName: "ioredis" });
  assert.equal(await client.set("js:a", "1", "EX", 100), "OK");
  assert.equal(await client.get("js:a"), "1");
  assert.deepEqual(await client.getBuffer("js:a"), Buffer.from("1"));
  assert.equal(await client.client("GETNAME"), "ioredis");

  const piped = client.pipeline();
  for (let i = 0; i < 1000; i++) piped.set(`js:${i}`, i).get(`js:${i}`);
  (await piped.exec()).forEach(([error, value], i) => assert.equal(error ?? value, i % 2 ? String((i - 1) / 2) : "OK"));

  assert.deepEqual(await client.multi().incr("js:n").incr("js:n").exec(), [[null, 1], [null, 2]]);

  client.defineCommand("addTo", { numberOfKeys: 1, lua: "return redis.call('INCRBY', KEYS[1], ARGV[1])" });
  assert.equal(await client.addTo("js:sum", 3), 3);
  assert.equal(await client.addTo("js:sum", 4), 7);

  const blocked = client.duplicate();
  const popped = blocked.blpop("js:queue", 10);
  await client.rpush("js:queue", "job");
  assert.deepEqual(await popped, ["js:queue", "job"]);

  const subscriber = client.duplicate();
  const message = new Promise((done) => subscriber.on("message", (channel, text) => done([channel, text])));
  assert.equal(await subscriber.subscribe("js:news"), 1);
  assert.equal(await client.publish("js:news", "hello"), 1);
  assert.deepEqual(await message, ["js:news", "hello"]);

  const id = await client.xadd("js:stream", "*", "field", "value");
  assert.deepEqual(await client.xread("STREAMS", "js:stream", "0"), [["js:stream", [[id, ["field", "value"]]]]]);

  let keys = 0;
  for await (const page of client.scanStream({ match: "js:*", count: 100 })) keys += page.length;
  assert.ok(keys >= 1000);
  await assert.rejects(client.swapdb(0, 1), /NOPERM/);
  for (const each of [client, blocked, subscriber]) each.disconnect();
  console.log("ok");
}

main().catch((error) => { console.error(error); process.exit(1); });
