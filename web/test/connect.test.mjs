import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../.build/src/connect.js";
import { address } from "../.build/src/socket.js";
import { connected, fakeWebSocket, joined, microtasks, stopTime } from "./fake.mjs";
import { limits, welcome } from "./server.mjs";

async function begin(options) {
  const { WebSocket, last } = fakeWebSocket();
  const pending = connect("http://test/volley", { WebSocket, reconnect: false, ...options });
  pending.catch(() => {});
  await microtasks();
  return { pending, socket: last() };
}

test("the handshake", async () => {
  const { pending, socket } = await begin({ auth: { token: "t" } });
  assert.equal(socket.url, "ws://test/volley");
  assert.equal(socket.binaryType, "arraybuffer");
  assert.deepEqual(socket.take(), []);
  socket.onopen({});
  assert.deepEqual(socket.take(), [[1, 1, { auth: { token: "t" } }]]);
  socket.receive([2, 1, { ...welcome(), later: [1] }, "later"]);
  const client = await pending;
  assert.equal(client.sid, "s1");
  assert.deepEqual(client.limits, limits());
  assert.equal(client.rtt, undefined);
  assert.deepEqual(client.rooms, []);
});

test("no auth is no auth, and nil is one", async () => {
  const none = await begin({ timeout: 0 });
  none.socket.onopen({});
  assert.deepEqual(none.socket.take(), [[1, 1, {}]]);
  const nil = await begin({ auth: null, timeout: 0 });
  nil.socket.onopen({});
  assert.deepEqual(nil.socket.take(), [[1, 1, { auth: null }]]);
});

test("a refusal by BYE has its code and reason", async () => {
  const { pending, socket } = await begin();
  socket.onopen({});
  socket.receive([11, 4009, "no such user", 0]);
  await assert.rejects(pending, { kind: "connect", code: 4009, message: "4009 unauthorized: no such user" });
  assert.ok(socket.closed);
});

test("a refusal by close frame has its code and reason", async () => {
  const { pending, socket } = await begin();
  socket.drop(1013, "full");
  await assert.rejects(pending, { kind: "connect", code: 1013, message: "1013 overloaded: full" });
});

test("no answer", async (t) => {
  const time = stopTime(t);
  const { pending, socket } = await begin({ timeout: 300 });
  await time.advance(299);
  assert.equal(socket.closed, undefined);
  await time.advance(1);
  await assert.rejects(pending, { kind: "timeout", code: 4007 });
  assert.equal(socket.closed.code, 4007);
});

test("a version that we do not speak", async () => {
  const { pending, socket } = await begin();
  socket.receive([2, 2, welcome()]);
  await assert.rejects(pending, { kind: "connect", code: 4001 });
});

test("what cannot be sent or reached is refused at once", async () => {
  const { WebSocket } = fakeWebSocket();
  await assert.rejects(connect("ws://test", { WebSocket, auth: { n: NaN } }), { kind: "invalid", message: "auth.n is NaN" });
  await assert.rejects(connect(undefined, { WebSocket }), { kind: "invalid", message: /needs a URL/ });
});

test("the address is relative to the page", (t) => {
  globalThis.location = { href: "https://game.example/play/?room=1" };
  t.after(() => delete globalThis.location);
  assert.equal(address(undefined), "wss://game.example/volley");
  assert.equal(address("/other"), "wss://game.example/other");
  assert.equal(address("ws://elsewhere:8080/volley"), "ws://elsewhere:8080/volley");
  assert.equal(address("http://elsewhere/volley"), "ws://elsewhere/volley");
});

test("BYE closes, with its delay", async () => {
  const { client, socket, room } = await joined();
  const infos = [];
  client.onClose((info) => infos.push(info));
  socket.receive([11, 1001, "update", 3000]);
  const info = { code: 1001, name: "going-away", reason: "update", reconnect: "later", delay: 3000 };
  assert.deepEqual(infos, [info]);
  assert.deepEqual(await client.closed, info);
  assert.deepEqual(await room.left, { code: 1001, reason: "update" });
  socket.drop(1001, "update");
  assert.equal(infos.length, 1);
});

test("close sends what was emitted, once, and is final", async () => {
  const { client, socket, room } = await joined();
  const infos = [];
  client.onClose((info) => infos.push([info.code, info.reconnect]));
  room.emit("move", 1);
  const ping = client.ping();
  client.close();
  client.close();
  assert.deepEqual(socket.sent, [[7, 1], [0, 0, 1, 100, [[0, 1]]]]);
  assert.equal(socket.closed.code, 1000);
  assert.deepEqual(infos, [[1000, "no"]]);
  await assert.rejects(ping, { kind: "closed", code: 1000 });
  await assert.rejects(client.ping(), { kind: "closed", code: 1000 });
  await assert.rejects(client.join("pong"), { kind: "closed", code: 1000 });
  await assert.rejects(room.request("score"), { kind: "closed", code: 1000 });
  assert.throws(() => room.emit("move", 1), { kind: "closed", code: 1000 });
  await room.leave();
  await microtasks();
});

test("a connection that breaks", async () => {
  const { client, socket } = await connected();
  socket.onerror({ message: "ECONNRESET" });
  socket.drop(1006);
  assert.deepEqual(await client.closed, {
    code: 1006,
    name: "connection-lost",
    reason: "ECONNRESET",
    reconnect: "later",
    delay: 0,
  });
});
