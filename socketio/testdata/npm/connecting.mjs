// Connections, auth and namespaces.
import assert from "node:assert/strict";
import {
  client, connect, connection, ended, env, event, fresh, inbox, packed, plainClient, ready, settle, test, until, upgrades,
} from "./harness.mjs";

test("connect", async () => {
  const socket = await connect("/", { auth: { user: "ann" }, query: { q: "1 ü" }, extraHeaders: { "x-test": "yes" } });
  assert.match(socket.id, /^[\w-]{20}$/);
  assert.notEqual(socket.id, socket.io.engine.id);
  assert.equal(socket.recovered ?? false, false);
  const who = await socket.emitWithAck("who");
  assert.deepEqual(who, {
    id: socket.id, transport: env.transports.at(-1), header: "yes", query: "1 ü", auth: { user: "ann" },
    recovered: false, secure: false, rooms: [socket.id],
  });
});

test("connect to what is there already", async () => {
  const a = await connect();
  const b = await connect();
  assert.notEqual(a.id, b.id);
  const ids = await a.emitWithAck("sockets");
  assert.ok(ids.includes(a.id) && ids.includes(b.id));
});

test("auth", async () => {
  const object = await connect("/secret", { auth: { token: "right", name: "ann" } });
  assert.equal(await object.emitWithAck("get"), "ann");
  const func = await connect("/secret", { auth: (cb) => setTimeout(() => cb({ token: "right", name: "bob" }), 10) });
  assert.equal(await func.emitWithAck("get"), "bob");
});

test("refusal with data", async () => {
  const socket = client("/secret", { auth: { token: "wrong" } });
  const [err] = await event(socket, "connect_error");
  assert.ok(err instanceof Error);
  assert.equal(err.message, "not authorized");
  assert.deepEqual(err.data, { content: "Please retry later", code: 7 });
  assert.equal(socket.connected, false);
  assert.equal(socket.active, false); // it will not come back by itself
  socket.auth.token = "right";
  socket.connect();
  await ready(socket);
  await settle(socket);
});

test("refusal without data", async () => {
  const [err] = await event(client("/secret", { auth: { token: "plain" } }), "connect_error");
  assert.equal(err.message, "no luck");
  assert.equal(err.data, undefined);
  const [none] = await event(client("/secret"), "connect_error");
  assert.equal(none.message, "not authorized");
});

test("middleware that panics", async () => {
  const [err] = await event(client("/secret", { auth: { token: "panic" } }), "connect_error");
  assert.equal(err.message, "the server had a fault");
});

test("namespaces share a connection", async () => {
  const at = connection();
  const [main, fixed, dynamic] = [at("/"), at("/static"), at(fresh())];
  await Promise.all([main, fixed, dynamic].map((s) => ready(s)));
  assert.equal(new Set([main.id, fixed.id, dynamic.id]).size, 3);
  assert.equal(main.io.engine, fixed.io.engine);
  const heard = [main, fixed, dynamic].map((s) => inbox(s, "echo"));
  fixed.emit("echo", "fixed");
  await settle(fixed, main, dynamic);
  dynamic.emit("echo", "dynamic");
  await settle(dynamic, main, fixed);
  assert.deepEqual(heard, [[], [["fixed"]], [["dynamic"]]]);

  const id = fixed.id;
  fixed.disconnect();
  assert.equal((await ended(id)).reason, "client namespace disconnect");
  await settle(main, dynamic);
  fixed.connect();
  await ready(fixed);
  assert.notEqual(fixed.id, id);
  fixed.emit("echo", "again");
  await settle(fixed);
  assert.deepEqual(heard[1], [["fixed"], ["again"]]);
});

test("auth is of a namespace", async () => {
  const at = connection();
  const [a, b] = [at("/", { auth: { user: "a" } }), at("/static", { auth: { user: "b" } })];
  await Promise.all([a, b].map((s) => ready(s)));
  assert.deepEqual((await a.emitWithAck("who")).auth, { user: "a" });
  assert.deepEqual((await b.emitWithAck("who")).auth, { user: "b" });
});

test("unknown namespace", async () => {
  const at = connection();
  const main = await ready(at("/"));
  const [err] = await event(at("/nothing"), "connect_error");
  assert.equal(err.message, "Invalid namespace");
  assert.equal(err.data, undefined);
  await settle(main);
});

test("dynamic namespaces", async () => {
  const [one, other] = [fresh(), fresh()];
  const [a, b, c] = [await connect(one), await connect(one), await connect(other)];
  const heard = [a, b, c].map((s) => inbox(s, "x"));
  a.emit("emit", { scope: "all", event: "x", args: [1] });
  await settle(a, b, c);
  assert.deepEqual(heard, [[[1]], [[1]], []]);
});

test("as many namespaces as are allowed", async () => {
  const at = connection();
  const list = Array.from({ length: 16 }, () => at(fresh()));
  await Promise.all(list.map((s) => ready(s)));
  const [err] = await event(at(fresh()), "connect_error");
  assert.match(err.message, /namespaces/);
  await settle(list[0], list[15]);
});

test("what is emitted on connection", async () => {
  const nsp = fresh("dyn-greet");
  const heard = [];
  for (const name of ["a", "b"]) {
    const socket = client(nsp);
    const got = Object.fromEntries(["self", "all", "others", "room"].map((event) => [event, inbox(socket, event)]));
    await ready(socket);
    await settle(socket);
    heard.push({ socket, got, name });
  }
  const [a, b] = heard;
  await settle(a.socket);
  const [A, B] = [[a.socket.id], [b.socket.id]];
  assert.deepEqual(a.got, { self: [A], all: [A, B], others: [B], room: [A, B] });
  assert.deepEqual(b.got, { self: [B], all: [B], others: [], room: [B] });
});

if (!packed && upgrades) {
  test("no option but the address", async () => {
    const socket = plainClient(env.servers.main);
    await ready(socket);
    const echoes = inbox(socket, "echo");
    socket.emit("echo", { hello: "world" });
    await settle(socket);
    assert.deepEqual(echoes, [[{ hello: "world" }]]);
  });

  test("WebSocket first, then polling", async () => {
    const socket = await connect("/", { transports: ["websocket", "polling"], tryAllTransports: true });
    await settle(socket);
    assert.equal((await socket.emitWithAck("who")).transport, "websocket");
    const other = client("/", { server: "polls", transports: ["websocket", "polling"], tryAllTransports: true });
    await ready(other, "polling");
    assert.equal((await other.emitWithAck("who")).transport, "polling");
  });

  test("no upgrade", async () => {
    const socket = client("/", { upgrade: false });
    await ready(socket, "polling");
    assert.equal((await socket.emitWithAck("who")).transport, "polling");
  });
}

test("events before connect and during the upgrade", async () => {
  const n = 300;
  const socket = client();
  const numbers = inbox(socket, "n");
  const echoes = inbox(socket, "echo");
  socket.emit("count", n);
  for (let i = 0; i < n; i++) {
    socket.emit("echo", i, i % 3 ? "text" : Buffer.from([i & 255, 1, 2]));
    if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await ready(socket);
  await settle(socket);
  await until(() => numbers.length >= n, "the last number"); // they come at a pace of their own
  assert.deepEqual(numbers.map(([i]) => i), Array.from({ length: n }, (_, i) => i));
  assert.deepEqual(echoes.map(([i]) => i), Array.from({ length: n }, (_, i) => i));
  assert.equal(socket.io.engine.transport.name, env.transports.at(-1));
  if (upgrades) assert.equal((await socket.emitWithAck("who")).transport, "websocket");
});
