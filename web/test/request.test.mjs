import assert from "node:assert/strict";
import { test } from "node:test";
import { joined, microtasks, stopTime, turn } from "./fake.mjs";
import { limits } from "./server.mjs";

async function ready(...args) {
  const all = await joined(...args);
  await turn();
  return all;
}

test("requests and events share frames and numbers; replies come in any order", async () => {
  const { socket, room } = await ready();
  const a = room.request("score", { of: 1 });
  room.emit("move", 0);
  const b = room.request("move");
  await microtasks();
  assert.deepEqual(socket.take(), [[0, 0, 1, 100, [["score", { of: 1 }, 1], [0, 0], [0, null, 2]]]]);
  socket.receive([0, 0, 101, 3, [[-1, "to b", 2], [-1, null, 1], [-1, "again", 2], [-2, "who?", 99]]]);
  assert.deepEqual(await Promise.all([a, b]), [null, "to b"]);
});

test("the room's refusal", async () => {
  const { socket, room } = await ready();
  const request = room.request("score", 1);
  await microtasks();
  socket.receive([0, 0, 101, 1, [[-2, "no handler", 1]]]);
  await assert.rejects(request, { name: "VolleyError", kind: "remote", message: "no handler", code: 0 });
});

test("a timeout, and the reply that comes too late", async (t) => {
  const time = stopTime(t);
  const { socket, room } = await joined();
  await time.advance(2);
  const request = room.request("score", 1, { timeout: 300 });
  const patient = room.request("score", 1, { timeout: 0 });
  const byDefault = room.request("score", 1);
  for (const promise of [request, byDefault]) promise.catch(() => {});
  await time.advance(300);
  await assert.rejects(request, { kind: "timeout", message: 'no reply to "score" within 300 ms' });
  await time.advance(9700);
  await assert.rejects(byDefault, { kind: "timeout" });
  await time.advance(1000);
  socket.receive([0, 0, 101, 3, [[-1, "late", 1], [-1, "in time", 2]]]);
  assert.equal(await patient, "in time");
});

test("a request that the server dropped", async () => {
  const { socket, room } = await ready();
  room.emit("move", 1);
  const dropped = room.request("score", 1);
  const other = room.request("score", 2);
  await microtasks();
  socket.receive([10, 0, 4017, "", 2], [0, 0, 101, 3, [[-1, "fine", 2]]]);
  await assert.rejects(dropped, { kind: "refused", code: 4017, message: "4017 too-many-requests" });
  assert.equal(await other, "fine");
});

test("no more unanswered requests than the server allows", async () => {
  const { socket, room } = await ready({ limits: limits({ requests: 1 }) });
  const first = room.request("score", 1);
  await assert.rejects(room.request("score", 2), { kind: "full", code: 4017 });
  await microtasks();
  socket.receive([0, 0, 101, 1, [[-1, 1, 1]]]);
  await first;
  room.request("score", 3, { timeout: 0 }).catch(() => {});
  await microtasks();
  assert.deepEqual(socket.take().at(-1)[4], [["score", 3, 2]]);
});

test("a request that cannot be sent waits for nothing", async () => {
  const { socket, room } = await ready();
  await assert.rejects(room.request("score", NaN), { kind: "invalid", message: "score is NaN" });
  assert.deepEqual(socket.take(), []);
});

test("the room or the connection ends before the reply", async () => {
  const kicked = await ready();
  const one = kicked.room.request("score");
  kicked.socket.receive([6, 0, 4107, "over"]);
  await assert.rejects(one, { kind: "left", code: 4107 });
  const lost = await ready();
  const two = lost.room.request("score");
  lost.socket.drop(1001, "bye");
  await assert.rejects(two, { kind: "closed", code: 1001 });
});

test("the server's requests: replies, promises, failures, nobody", async () => {
  const { socket, room } = await ready();
  room.handle("double", (n) => n * 2);
  room.handle("later", async (n) => { await null; return { n }; });
  room.handle("throws", () => { throw new Error("not today"); });
  room.handle("rejects", async () => { throw "a string"; });
  room.handle("silent", () => {});
  const heard = [];
  room.onAny((event) => heard.push(event));
  socket.receive([0, 0, 101, 0, [["double", 21, 1], ["later", 1, 2], ["throws", 0, 3], ["rejects", 0, 4], ["silent", 0, 5], [1, 0, 6]]]);
  await microtasks();
  const packets = socket.take().flatMap((frame) => frame[4]);
  assert.deepEqual(packets.sort((a, b) => a[2] - b[2]), [
    [-1, 42, 1],
    [-1, { n: 1 }, 2],
    [-2, "not today", 3],
    [-2, "a string", 4],
    [-1, null, 5],
    [-2, "no handler", 6],
  ]);
  assert.equal(room.seq, 6);
  assert.deepEqual(heard, [], "requests are no events");
});

test("one handler for each event", async () => {
  const { socket, room } = await ready();
  const off = room.handle("ask", () => 1);
  assert.throws(() => room.handle("ask", () => 2), { kind: "invalid" });
  off();
  room.handle("ask", () => 3);
  off();
  socket.receive([0, 0, 101, 0, [["ask", null, 1]]]);
  await microtasks();
  assert.deepEqual(socket.take()[0][4], [[-1, 3, 1]]);
});

test("an answer that cannot be sent becomes a failure", async () => {
  const { client, socket, room } = await ready();
  const errors = [];
  client.onError((error) => errors.push(error.message));
  room.handle("ask", () => NaN);
  socket.receive([0, 0, 101, 0, [["ask", null, 1]]]);
  await microtasks();
  assert.deepEqual(socket.take()[0][4], [[-2, "cannot reply", 1]]);
  assert.deepEqual(errors, ["reply is NaN"]);
});

test("an answer after the end of the room is dropped", async () => {
  const { client, socket, room } = await ready();
  client.onError((error) => assert.fail(error));
  let answer;
  room.handle("ask", () => new Promise((resolve) => (answer = resolve)));
  socket.receive([0, 0, 101, 0, [["ask", null, 1]]], [6, 0, 4107, ""]);
  answer(1);
  await microtasks();
  assert.deepEqual(socket.take(), []);
});
