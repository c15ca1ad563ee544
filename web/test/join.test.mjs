import assert from "node:assert/strict";
import { test } from "node:test";
import { connected, joined, joinedFrame, microtasks, stopTime, turn } from "./fake.mjs";
import { limits } from "./server.mjs";

test("the four ways to join", async () => {
  const { client, socket } = await connected();
  const joins = [
    client.joinOrCreate("pong", { name: "Ann" }),
    client.create("pong"),
    client.join("chat", ["x"]),
    client.joinById("r9", null),
  ];
  assert.deepEqual(socket.take(), [
    [3, 0, 0, "pong", { name: "Ann" }],
    [3, 1, 1, "pong", null],
    [3, 2, 2, "chat", ["x"]],
    [3, 3, 3, "r9", null],
  ]);
  socket.receive(joinedFrame(2, { room: "c1", kind: "chat", client: 3, tick: 5, rate: 0 }));
  const chat = await joins[2];
  assert.deepEqual(
    [chat.id, chat.kind, chat.clientId, chat.tick, chat.rate, chat.ack, chat.seq, chat.joined],
    ["c1", "chat", 3, 5, 0, 0, 0, true],
  );
  socket.receive(joinedFrame(0), joinedFrame(1), joinedFrame(3));
  await Promise.all(joins);
  assert.equal(client.rooms.length, 4);
});

test("a refusal frees the channel", async () => {
  const { client, socket } = await connected({}, { timeout: 0 });
  const join = client.join("pong");
  socket.receive([6, 0, 4105, "not on the list"]);
  await assert.rejects(join, { kind: "refused", code: 4105, message: "4105 join-refused: not on the list" });
  client.join("chat").catch(() => {});
  assert.equal(socket.take()[1][1], 0);
});

test("no more rooms than the server allows", async () => {
  const { client, socket } = await connected({ limits: limits({ rooms: 1 }) }, { timeout: 0 });
  const first = client.join("pong");
  await assert.rejects(client.join("pong"), { kind: "refused", code: 4109 });
  socket.receive([6, 0, 4103, ""]);
  await assert.rejects(first);
  client.join("pong").catch(() => {});
  assert.equal(socket.take().length, 2);
});

test("joins that cannot be sent", async () => {
  const { client, socket } = await connected({ limits: limits({ frame: 100, depth: 4 }) });
  await assert.rejects(client.join("pong", { x: NaN }), { kind: "invalid", message: "options.x is NaN" });
  await assert.rejects(client.join("pong", "x".repeat(100)), { kind: "invalid", message: /frame may have 100/ });
  await assert.rejects(client.join("pong", [[[[1]]]]), { kind: "invalid", message: /deeper than 3/ });
  await assert.rejects(client.join(""), { kind: "invalid" });
  await assert.rejects(client.joinById("é".repeat(33)), { kind: "invalid", message: /1 to 64 bytes, not 66/ });
  assert.deepEqual(socket.take(), []);
  const good = client.join("pong", [[[1]]]);
  socket.receive(joinedFrame(0));
  await good;
});

test("a join that takes too long is given up, and left if it comes after all", async (t) => {
  const time = stopTime(t);
  const { client, socket } = await connected({}, { timeout: 500 });
  const join = client.join("pong");
  join.catch(() => {});
  await time.advance(500);
  await assert.rejects(join, { kind: "timeout" });
  socket.take();
  client.join("chat").catch(() => {});
  assert.equal(socket.take()[0][1], 1, "the channel is not free yet");
  socket.receive(joinedFrame(0), [0, 0, 101, 0, [["state", 1]]]);
  assert.deepEqual(socket.take(), [[5, 0]]);
  socket.receive([6, 0, 4100, ""]);
  client.join("chat").catch(() => {});
  assert.equal(socket.take()[0][1], 0);
});

test("the connection closes while a join waits", async () => {
  const { client, socket } = await connected();
  const join = client.join("pong");
  socket.drop(1001, "bye");
  await assert.rejects(join, { kind: "closed", code: 1001 });
});

test("events that come with JOINED wait for the code that awaited it", async () => {
  const { client, socket } = await connected();
  const join = client.join("pong");
  // All of this in one turn of the network.
  socket.receive(
    joinedFrame(0),
    [0, 0, 101, 0, [["seat", 1], ["state", "a"]]],
    [0, 0, 102, 0, [["state", "b"]]],
    [10, 0, 4005, "n", 1],
  );
  // A few layers of async functions lie between the join and the listeners.
  const wrapped = async () => await (async () => await join)();
  const room = await wrapped();
  const heard = [];
  room.on("seat", (p, m) => heard.push(["seat", p, m.tick]));
  room.on("state", (p, m) => heard.push(["state", p, m.tick, room.tick]));
  room.onNotice((code) => heard.push(code));
  room.onVolley((tick) => heard.push(tick));
  assert.equal(room.tick, 100);
  await microtasks();
  assert.deepEqual(heard, []);
  socket.receive([0, 0, 103, 0, [["state", "c"]]]); // in order, behind those that wait
  assert.deepEqual(heard, []);
  await turn();
  assert.deepEqual(heard, [
    ["seat", 1, 101],
    ["state", "a", 101, 101],
    101,
    ["state", "b", 102, 102],
    102,
    4005,
    ["state", "c", 103, 103],
    103,
  ]);
  socket.receive([0, 0, 104, 0, [["state", "d"]]]); // from now on at once
  assert.deepEqual(heard.at(-2), ["state", "d", 104, 104]);
});

test("a room that ends with JOINED: its events come first, and nothing more is sent", async () => {
  const { client, socket } = await connected();
  const join = client.join("pong");
  socket.receive(joinedFrame(0), [0, 0, 101, 0, [["state", "a"]]], [6, 0, 4106, "out"]);
  const room = await join;
  socket.take();
  const heard = [];
  room.on("state", (p) => heard.push(p));
  room.onLeave((code, reason) => heard.push([code, reason]));
  assert.equal(room.joined, false);
  assert.throws(() => room.emit("move", 1), { kind: "left", code: 4106 });
  await turn();
  assert.deepEqual(heard, ["a", [4106, "out"]]);
  assert.deepEqual(socket.take(), []);
});

test("leave: what was emitted goes first, events still come, LEFT ends it", async () => {
  const { client, socket, room } = await joined();
  await turn();
  const heard = [];
  room.on("state", (p) => heard.push(p));
  room.onLeave((code) => heard.push(code));
  room.emit("move", 1);
  const leaving = room.leave().then(() => heard.push("resolved"));
  assert.deepEqual(socket.take(), [[0, 0, 1, 100, [[0, 1]]], [5, 0]]);
  assert.throws(() => room.emit("move", 1), { kind: "left", code: 4100 });
  room.leave();
  assert.deepEqual(socket.take(), []);
  socket.receive([0, 0, 101, 1, [["state", "late"]]], [6, 0, 4100, ""]);
  await leaving;
  assert.deepEqual(heard, ["late", 4100, "resolved"]);
  assert.deepEqual(client.rooms, []);
  assert.deepEqual(await room.left, { code: 4100, reason: "" });
});

test("nothing is sent between LEAVE and LEFT: no reply, no acknowledgement", async (t) => {
  const time = stopTime(t);
  const { client, socket, room } = await joined();
  await time.advance(2);
  room.handle("ask", () => 1);
  socket.receive([0, 0, 101, 0, []]);
  room.leave();
  assert.deepEqual(socket.take(), [[5, 0]]);
  socket.receive([0, 0, 102, 0, [["ask", null, 1]]]);
  await time.advance(5000);
  assert.deepEqual(socket.take(), []);
  assert.equal(client.rooms.length, 1);
});

test("a kicked client sends no LEAVE", async () => {
  const { socket, room } = await joined();
  await turn();
  room.emit("move", 1); // not flushed yet
  socket.receive([6, 0, 4106, "out"]);
  await room.leave();
  await microtasks();
  assert.deepEqual(socket.take(), []);
});
