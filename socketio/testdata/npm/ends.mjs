// How connections end, and how clients come back from that.
import assert from "node:assert/strict";
import {
  client, connect, connection, ended, env, event, inbox, packed, Proxy, ready, settle, several, sleep, test, until,
} from "./harness.mjs";

const lost = ["transport close", "transport error"];

test("the client disconnects", async () => {
  const socket = await connect();
  const id = socket.id;
  const gone = event(socket, "disconnect");
  socket.disconnect();
  assert.equal((await gone)[0], "io client disconnect");
  assert.equal((await ended(id)).reason, "client namespace disconnect");
  socket.connect();
  await ready(socket);
  assert.notEqual(socket.id, id);
  await settle(socket);
});

test("the server disconnects a socket", async () => {
  const at = connection();
  const [main, other] = [await ready(at("/")), await ready(at("/static"))];
  const id = main.id;
  const gone = event(main, "disconnect");
  const before = inbox(main, "echo");
  main.emit("bye", false, "last words");
  assert.equal((await gone)[0], "io server disconnect");
  assert.deepEqual(before, [["last words"]]);
  assert.equal((await ended(id)).reason, "server namespace disconnect");
  assert.equal(main.active, false);
  await settle(other);
  assert.ok(other.connected);
  main.connect();
  await ready(main);
  assert.notEqual(main.id, id);
  await settle(main);
});

test("the server ends a connection", async () => {
  const at = connection();
  const [main, other] = [await ready(at("/")), await ready(at("/static"))];
  const ids = [main.id, other.id];
  const gone = [event(main, "disconnect"), event(other, "disconnect")];
  main.emit("bye", true, "last words");
  const reasons = (await Promise.all(gone)).map(([reason]) => reason);
  assert.deepEqual(reasons, ["io server disconnect", "io server disconnect"]);
  for (const id of ids) assert.equal((await ended(id)).reason, "server namespace disconnect");
  await sleep(200);
  assert.ok(!main.connected && !other.connected, "nobody comes back by himself");
  assert.notEqual(main.io.engine.readyState, "open");
});

test("a page that is closed", async () => {
  const socket = await connect();
  const id = socket.id;
  socket.io.reconnection(false);
  socket.io.engine.close();
  assert.equal((await ended(id)).reason, "transport close");
});

test("a network that is lost", async () => {
  const proxy = await Proxy.to();
  const socket = await connect("/", { at: proxy.url });
  const id = socket.id;
  await socket.emitWithAck("join", ["r"]);
  const echoes = inbox(socket, "echo");
  const gone = event(socket, "disconnect");
  const back = event(socket.io, "reconnect");
  await sleep(30); // until a client that polls has its next request on the way
  proxy.down();
  assert.ok(lost.includes((await gone)[0]));
  assert.ok(socket.active);
  for (let i = 0; i < 5; i++) socket.emit("echo", i, Buffer.from([i]));
  const acknowledged = socket.timeout(15_000).emitWithAck("ack", "kept");
  await sleep(200);
  proxy.up();
  await back;
  await ready(socket);
  await settle(socket);
  assert.deepEqual(echoes.map(([i]) => i), [0, 1, 2, 3, 4]);
  assert.equal(await acknowledged, "kept");
  assert.notEqual(socket.id, id);
  assert.equal(socket.recovered ?? false, false);
  assert.deepEqual(await socket.emitWithAck("rooms"), [socket.id]);
  const end = await ended(id);
  assert.ok(lost.includes(end.reason) || end.reason === "ping timeout", end.reason);
  assert.deepEqual(end.rooms, [id, "r"]);
});

test("a network that is lost again and again", async () => {
  const proxy = await Proxy.to();
  const socket = await connect("/", { at: proxy.url });
  for (let round = 0; round < 5; round++) {
    const gone = event(socket, "disconnect");
    proxy.cut();
    // A client that polls may be between two requests, and then has lost nothing.
    const poke = setInterval(() => proxy.cut(), 50);
    await gone;
    clearInterval(poke);
    await ready(socket);
    await settle(socket);
  }
});

test("a client that tries again", async () => {
  const proxy = await Proxy.to();
  const socket = await connect("/", { at: proxy.url, retries: 10, ackTimeout: 1000 });
  const got = [];
  const sent = [];
  for (let i = 0; i < 30; i++) {
    sent.push(new Promise((resolve) => socket.emit("ack", i, (err, v) => resolve(err ?? got.push(v)))));
    if (i % 10 === 5) {
      await sleep(20);
      proxy.cut();
    }
  }
  await Promise.all(sent);
  assert.deepEqual(got, Array.from({ length: 30 }, (_, i) => i));
});

test("acknowledgements of a lost connection", async () => {
  const proxy = await Proxy.to();
  const socket = await connect("/", { at: proxy.url });
  const answer = socket.timeout(15_000).emitWithAck("silent");
  await settle(socket);
  proxy.down();
  await assert.rejects(answer, /disconnected/);
});

test("heartbeats", async () => {
  const socket = await connect("/", { server: "beat" });
  const id = socket.id;
  const pings = inbox(socket.io, "ping");
  await until(() => pings.length >= 5, "five pings");
  assert.equal(socket.id, id);
  await settle(socket);
});

test("a peer that falls silent", async () => {
  const proxy = await Proxy.to({ server: "beat" });
  const socket = await connect("/", { at: proxy.url });
  const other = await connect("/", { server: "beat" });
  const [id, otherID] = [socket.id, other.id];
  const gone = event(socket, "disconnect");
  proxy.stalled = true;
  assert.equal((await gone)[0], "ping timeout");
  assert.equal((await ended(id, { server: "beat" })).reason, "ping timeout");
  proxy.stalled = false;
  proxy.cut();
  await ready(socket);
  await settle(socket, other);
  assert.equal(other.id, otherID);
});

/** Sends what is too much for the server: the session ends, and others do not notice. */
async function tooMuch(send) {
  const [socket, other] = await several(2, "/", { server: "small" });
  const [id, otherID] = [socket.id, other.id];
  const gone = event(socket, "disconnect");
  send(socket);
  assert.ok(lost.includes((await gone)[0]));
  await ended(id, { server: "small" });
  await settle(other);
  assert.equal(other.id, otherID);
  await ready(socket); // by itself
  await settle(socket);
}

test("a text that is too long", () => tooMuch((s) => s.emit("echo", "x".repeat(30_000))));
test("binary that is too long", () => tooMuch((s) => s.emit("echo", Buffer.alloc(30_000))));
test("attachments that are too long together", () => tooMuch((s) => s.emit("echo", Buffer.alloc(12_000), Buffer.alloc(12_000))));

test("more attachments than are allowed", async () => {
  const args = Array.from({ length: 17 }, (_, i) => Buffer.from([i]));
  if (packed) { // it has none: they are part of the packet
    const socket = await connect();
    assert.equal((await socket.emitWithAck("list", ...args)).length, 17);
    return;
  }
  await tooMuch((s) => s.emit("echo", ...args));
});

test("just as long as is allowed", async () => {
  const socket = await connect("/", { server: "small" });
  const heard = inbox(socket, "echo");
  for (let i = 0; i < 5; i++) socket.emit("echo", "x".repeat(14_000)); // the client spreads them over requests
  await settle(socket);
  assert.equal(heard.length, 5);
});

test("the server shuts down", async () => {
  const at = connection({ server: "closing", reconnection: false });
  const [main, other] = [await ready(at("/")), await ready(at("/static"))];
  const ids = [main.id, other.id];
  const gone = [event(main, "disconnect"), event(other, "disconnect")];
  main.emit("shutdown");
  for (const [reason] of await Promise.all(gone)) assert.ok(lost.includes(reason), reason);
  for (const id of ids) assert.equal((await ended(id, { server: "closing" })).reason, "server shutting down");
  const [err] = await event(client("/", { server: "closing", reconnection: false }), "connect_error");
  assert.ok(err instanceof Error);
});

test("a transport that is not served", async () => {
  const server = env.transports[0] === "websocket" ? "polls" : "webs";
  const [err] = await event(client("/", { server, transports: [env.transports[0]], reconnection: false }), "connect_error");
  assert.ok(err instanceof Error);
});
