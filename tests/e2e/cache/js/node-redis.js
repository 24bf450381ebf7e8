// The same with node-redis, which sends HELLO-like set-up (CLIENT SETNAME, CLIENT SETINFO) of its own.
"use strict";
const assert = require("node:assert/strict");
const { createClient, commandOptions, defineScript } = require("redis");

const [port, username, password] = process.argv.slice(2);
const add = defineScript({
  NUMBER_OF_KEYS: 1,
  SCRIPT: "return redis.call('INCRBY', KEYS[1], ARGV[1])",
  transformArguments: (key, by) => [key, String(by)],
  transformReply: (reply) => reply,
});

async function main() {
  const client = createClient({
    socket: { host: "127.0.0.1", port: Number(port), reconnectStrategy: false },
    username, password, name: "node-redis", scripts: { add },
  });
  client.on("error", (error) => { console.error(error); process.exit(1); });
  await client.connect();
  assert.equal(await client.clientGetName(), "node-redis");
  assert.equal(await client.set("nr:a", "1", { EX: 100 }), "OK");
  assert.equal(await client.get("nr:a"), "1");
  await client.hSet("nr:h", { x: "1", y: "2" });
  assert.deepEqual({ ...(await client.hGetAll("nr:h")) }, { x: "1", y: "2" });
  const many = await Promise.all(Array.from({ length: 1000 }, (_, i) => client.incr("nr:n").then((n) => n - i)));
  assert.ok(many.every((n) => n === 1), "auto-pipelined replies are in order");
  assert.deepEqual(await client.multi().set("nr:m", "x").get("nr:m").exec(), ["OK", "x"]);
  assert.equal(await client.add("nr:sum", 3), 3);
  assert.equal(await client.add("nr:sum", 4), 7);

  const popped = client.blPop(commandOptions({ isolated: true }), "nr:queue", 10);
  await client.rPush("nr:queue", "job");
  assert.deepEqual({ ...(await popped) }, { key: "nr:queue", element: "job" });

  const subscriber = client.duplicate();
  subscriber.on("error", () => {});
  await subscriber.connect();
  const message = new Promise((done) => subscriber.pSubscribe("nr:n*", (text, channel) => done([channel, text])));
  while ((await client.publish("nr:news", "hello")) === 0) await new Promise(setImmediate);
  assert.deepEqual(await message, ["nr:news", "hello"]);
  let keys = 0;
  for await (const _ of client.scanIterator({ MATCH: "nr:*" })) keys += 1;
  assert.ok(keys >= 5);
  await subscriber.quit();
  await client.quit();
  console.log("ok");
}

main().catch((error) => { console.error(error); process.exit(1); });
