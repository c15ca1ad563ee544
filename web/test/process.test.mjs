// What keeps a Node process alive: a connection, and the wait for the next one. Nothing else does.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { startServer } from "./server.mjs";

/** Runs a script that has a client; returns what it prints, line by line, and how it ends. */
function run(t, script) {
  const source = `
    import { connect } from ${JSON.stringify(new URL("../dist/volley.js", import.meta.url).href)};
    const say = (...words) => console.log(...words);
    ${script}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value;
  return { next, ended: once(child, "exit").then(([code]) => code) };
}

test("a process whose connection is lost comes back, and ends when it has closed", async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  const { next, ended } = run(t, `
    const client = await connect("${server.url}", { reconnect: { minDelay: 100 } });
    const room = await client.joinOrCreate("echo");
    client.onState(({ status }) => say(status));
    room.onRejoin(async () => {
      say("again", await room.request("echo", 7));
      client.close();
    });
    say("joined");`);
  assert.equal(await next(), "joined");
  for (const socket of server.sockets) socket.terminate();
  const lines = [];
  for (let line; (line = await next()); ) lines.push(line);
  assert.deepEqual(lines, ["reconnecting", "connecting", "open", "again 7", "closed"]);
  assert.equal(await ended, 0);
});

test("a process that closes while it waits for a try ends", async (t) => {
  const server = await startServer();
  t.after(() => server.close());
  const { next, ended } = run(t, `
    const client = await connect("${server.url}", { reconnect: { minDelay: 1e8, maxDelay: 1e8 } });
    client.onState(({ status }) => {
      say(status);
      if (status === "reconnecting") setTimeout(() => client.close(), 10);
    });
    say("connected");`);
  assert.equal(await next(), "connected");
  for (const socket of server.sockets) socket.terminate();
  assert.deepEqual([await next(), await next(), await ended], ["reconnecting", "closed", 0]);
});
