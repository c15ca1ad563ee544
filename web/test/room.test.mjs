import assert from "node:assert/strict";
import { test } from "node:test";
import { joined, joinedFrame, microtasks, turn } from "./fake.mjs";
import { limits } from "./server.mjs";

async function ready(...args) {
  const all = await joined(...args);
  await turn();
  return all;
}

test("what is emitted in one turn leaves as one frame", async () => {
  const { socket, room } = await ready();
  assert.equal(room.emit("move", { DY: 0.5 }), 1);
  assert.equal(room.emit("unheard of"), 2);
  await null;
  assert.equal(room.emit("move", 3), 3, "the microtask of the first emits was queued before ours");
  assert.deepEqual(socket.take(), [[0, 0, 1, 100, [[0, { DY: 0.5 }], ["unheard of", null]]]]);
  await microtasks();
  assert.deepEqual(socket.take(), [[0, 0, 3, 100, [[0, 3]]]]);
  assert.equal(room.seq, 3);
});

test("flush sends at once, and nothing twice", async () => {
  const { socket, room } = await ready();
  room.flush();
  room.emit("move", 1);
  room.flush();
  room.flush();
  assert.deepEqual(socket.take(), [[0, 0, 1, 100, [[0, 1]]]]);
  await microtasks();
  assert.deepEqual(socket.take(), []);
});

test("a payload is encoded when it is emitted", async () => {
  const { socket, room } = await ready();
  const state = { x: 1 };
  room.emit("move", state);
  state.x = 2;
  room.flush();
  assert.deepEqual(socket.take()[0][4], [[0, { x: 1 }]]);
});

test("many packets are split over frames of the allowed size", async () => {
  const { socket, room } = await ready({ limits: limits({ packets: 3 }) });
  for (let i = 0; i < 7; i++) room.emit("move", i);
  room.flush();
  assert.deepEqual(
    socket.take().map(([, , seq, , packets]) => [seq, packets.length]),
    [[1, 3], [4, 3], [7, 1]],
  );
});

test("an emit that no frame can hold throws and takes no number", async () => {
  const { socket, room } = await ready({ limits: limits({ frame: 200, elements: 30, depth: 5 }) });
  assert.throws(() => room.emit("move", "x".repeat(200)), { kind: "invalid", message: /move has \d+ bytes; a frame may have 200/ });
  assert.throws(() => room.emit("move", new Array(40).fill(0)), { kind: "invalid", message: /holds 41 values; a frame may hold 30/ });
  assert.throws(() => room.emit("move", [[[1]]]), { kind: "invalid", message: /deeper than 2/ });
  assert.throws(() => room.emit("move", { DY: NaN }), { kind: "invalid", message: "move.DY is NaN" });
  assert.throws(() => room.emit("", 1), { kind: "invalid", message: /1 to 64 bytes/ });
  assert.equal(room.emit("move", [[1]]), 1);
  await microtasks();
  assert.equal(socket.take().length, 1);
});

test("too much unacknowledged throws; acknowledging helps", async () => {
  const { socket, room } = await ready({}, {}, { maxUnacked: 2 });
  room.emit("move", 1);
  room.emit("move", 2);
  assert.throws(() => room.emit("move", 3), { kind: "full" });
  room.flush();
  socket.receive([0, 0, 101, 1, []]);
  assert.equal(room.ack, 1);
  assert.equal(room.emit("move", 3), 3);
  socket.receive([0, 0, 102, 0, []]);
  assert.equal(room.ack, 1, "an acknowledgement is not taken back");
});

test("listeners: on, once, onAny, onVolley, and taking them away", async () => {
  const { socket, room } = await ready();
  const heard = [];
  const off = room.on("state", (p, meta) => heard.push(["on", p, meta]));
  room.once("state", (p) => heard.push(["once", p]));
  room.onAny((event, p, { tick }) => heard.push(["any", event, p, tick]));
  room.onVolley((tick, ack) => heard.push(["volley", tick, ack, room.tick, room.ack]));
  room.emit("move", 0);
  room.flush();
  socket.receive([0, 0, 101, 1, [[1, "a"], ["else", "b"]]]);
  assert.deepEqual(heard.splice(0), [
    ["on", "a", { tick: 101, ack: 1 }],
    ["once", "a"],
    ["any", "state", "a", 101],
    ["any", "else", "b", 101],
    ["volley", 101, 1, 101, 1],
  ]);
  off();
  off();
  socket.receive([0, 0, 102, 1, [["state", "c"]]], [0, 0, 102, 1, []]);
  assert.deepEqual(heard, [
    ["any", "state", "c", 102],
    ["volley", 102, 1, 102, 1],
    ["volley", 102, 1, 102, 1],
  ]);
});

test("the same function may listen twice and stop once", async () => {
  const { socket, room } = await ready();
  let calls = 0;
  const listener = () => calls++;
  const off = room.on("state", listener);
  room.on("state", listener);
  socket.receive([0, 0, 101, 0, [["state", 1]]]);
  assert.equal(calls, 2);
  off();
  socket.receive([0, 0, 102, 0, [["state", 1]]]);
  assert.equal(calls, 3);
});

test("a listener that throws or rejects stops nobody, and is reported", async (t) => {
  const { client, socket, room } = await ready();
  const logged = t.mock.method(console, "error", () => {});
  const heard = [];
  room.on("state", () => { throw new Error("one"); });
  room.on("state", async () => { throw new Error("two"); });
  room.on("state", (p) => heard.push(p));
  socket.receive([0, 0, 101, 0, [["state", 1], ["state", 2]]]);
  await microtasks();
  assert.deepEqual(heard, [1, 2]);
  assert.deepEqual(logged.mock.calls.map((c) => c.arguments[0].message).sort(), ["one", "one", "two", "two"]);
  const errors = [];
  client.onError((error) => errors.push(error.message));
  client.onError(() => { throw new Error("worse"); });
  socket.receive([0, 0, 102, 0, [["state", 3]]]);
  await microtasks();
  assert.deepEqual(errors.sort(), ["one", "two"]);
  assert.deepEqual(logged.mock.calls.slice(4).map((c) => c.arguments[0].message), ["worse", "worse"]);
  assert.equal(room.joined, true);
});

test("the event table grows", async () => {
  const { socket, room } = await ready({ names: ["move"] });
  const heard = [];
  room.onAny((event) => heard.push(event));
  room.emit("seat");
  room.flush();
  socket.receive([9, 1, ["seat", "joined"]], [9, 3, []], [9, 2, ["joined"]], [0, 0, 101, 0, [[2, 1], [1, 1], [0, 1]]]);
  room.emit("seat");
  room.flush();
  assert.deepEqual(heard, ["joined", "seat", "move"]);
  assert.deepEqual(socket.take().map((f) => f[4][0][0]), ["seat", 1]);
});

test("NOTICE names the packet that was dropped", async () => {
  const { socket, room } = await ready();
  const notices = [];
  room.onNotice((...args) => notices.push(args));
  room.emit("mvoe", 1);
  room.flush();
  socket.receive([10, 0, 4005, "no handler", 1]);
  assert.deepEqual(notices, [[4005, "no handler", 1]]);
  assert.equal(room.joined, true);
});

test("rooms of one connection do not mix", async () => {
  const { client, socket, room } = await ready();
  const pending = client.join("chat");
  socket.receive(joinedFrame(1, { room: "c1", kind: "chat", tick: 5 }));
  const chat = await pending;
  await turn();
  socket.take();
  const heard = [];
  room.on("state", (p) => heard.push(["pong", p]));
  chat.on("state", (p) => heard.push(["chat", p]));
  socket.receive([0, 1, 6, 0, [["state", 1]]], [0, 0, 101, 0, [["state", 2]]]);
  assert.deepEqual(heard, [["chat", 1], ["pong", 2]]);
  chat.emit("move", 1);
  room.emit("move", 2);
  await microtasks();
  assert.deepEqual(socket.take(), [[0, 1, 1, 6, [[0, 1]]], [0, 0, 1, 101, [[0, 2]]]]);
});
