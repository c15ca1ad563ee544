import assert from "node:assert/strict";
import { test } from "node:test";
import { connected, joined, joinedFrame, microtasks, stopTime } from "./fake.mjs";

test("the server's PING is answered at once, the same stamp", async () => {
  const { socket } = await connected();
  socket.receive([7, 0], [7, 2 ** 40, "later"]);
  assert.deepEqual(socket.take(), [[8, 0], [8, 2 ** 40]]);
});

test("ping measures the round trip", async (t) => {
  const time = stopTime(t);
  const { client, socket } = await connected();
  const first = client.ping();
  await time.advance(30);
  const second = client.ping();
  assert.deepEqual(socket.take(), [[7, 1], [7, 2]]);
  await time.advance(10);
  socket.receive([8, 2], [8, 77]);
  assert.equal(await second, 10);
  assert.equal(client.rtt, 10);
  await time.advance(5);
  socket.receive([8, 1], [8, 1]);
  assert.equal(await first, 45);
  assert.equal(client.rtt, 45);
});

test("ticks are acknowledged in time, once, if nothing else was sent", async (t) => {
  const time = stopTime(t);
  const { socket, room } = await joined({}, { acks: 1000 });
  await time.advance(2);
  socket.receive([0, 0, 101, 0, [["state", 1]]]);
  for (let tick = 102; tick < 120; tick++) {
    await time.advance(20);
    socket.receive([0, 0, tick, 0, [["state", 1]]]);
  }
  assert.deepEqual(socket.take(), []);
  await time.advance(200);
  assert.deepEqual(socket.take(), [[0, 0, 1, 119, []]]);
  socket.receive([0, 0, 119, 0, []]);
  await time.advance(5000);
  assert.deepEqual(socket.take(), [], "what is acknowledged is not acknowledged again");
  room.emit("move", 1);
  room.flush();
  socket.take();
  socket.receive([0, 0, 120, 1, []]);
  await time.advance(1000);
  assert.deepEqual(socket.take(), [[0, 0, 2, 120, []]], "an empty VOLLEY has the next packet's number");
});

test("a VOLLEY of ours acknowledges as well", async (t) => {
  const time = stopTime(t);
  const { socket, room } = await joined({}, { acks: 1000 });
  await time.advance(2);
  socket.receive([0, 0, 101, 0, []]);
  await time.advance(100);
  room.emit("move", 1);
  await time.advance(5000);
  assert.deepEqual(socket.take(), [[0, 0, 1, 101, [[0, 1]]]]);
});

test("a frame of a tick that was acknowledged needs nothing", async (t) => {
  const time = stopTime(t);
  const { socket } = await joined();
  await time.advance(2);
  socket.receive([0, 0, 100, 0, []]);
  await time.advance(5000);
  assert.deepEqual(socket.take(), []);
});

test("each room is acknowledged by its own time", async (t) => {
  const time = stopTime(t);
  const { client, socket } = await joined({}, { acks: 4000 });
  const pending = client.join("chat");
  socket.receive(joinedFrame(1, { acks: 200 }));
  await pending;
  await time.advance(2);
  socket.take();
  socket.receive([0, 0, 101, 0, []], [0, 1, 101, 0, []]);
  await time.advance(150);
  assert.deepEqual(socket.take(), [[0, 1, 1, 101, []]]);
  await time.advance(2000);
  assert.deepEqual(socket.take(), [[0, 0, 1, 101, []]]);
});

test("where timers sleep, a frame that comes late brings the acknowledgement", async (t) => {
  const time = stopTime(t);
  const { socket } = await joined({ ping: 0 }, { acks: 1000 });
  await time.advance(2);
  socket.receive([0, 0, 101, 0, []]);
  t.mock.method(performance, "now", () => 5000);
  socket.receive([0, 0, 102, 0, []]);
  assert.deepEqual(socket.take(), [[0, 0, 1, 102, []]]);
});

test("a server that is silent for two and a half ping intervals is dead", async (t) => {
  const time = stopTime(t);
  const { client, socket, room } = await joined({ ping: 400 });
  await time.advance(900);
  socket.receive([7, 1]); // anything counts
  await time.advance(999);
  assert.equal(room.joined, true);
  await time.advance(3);
  assert.deepEqual({ ...(await client.closed), reason: "" }, {
    code: 4008,
    name: "idle-timeout",
    reason: "",
    reconnect: "new",
    delay: 0,
  });
  assert.equal(socket.closed.code, 4008);
  assert.equal(room.joined, false);
});

test("ping 0: silence is no fault", async (t) => {
  const time = stopTime(t);
  const { socket } = await connected({ ping: 0 });
  await time.sleep(1e9);
  assert.equal(socket.closed, undefined);
});

test("a page that slept hears the server out before it gives up", async (t) => {
  const time = stopTime(t);
  const { socket } = await connected({ ping: 400 });
  await time.sleep(60_000);
  assert.equal(socket.closed, undefined);
  socket.receive([7, 1]);
  await time.advance(900);
  assert.equal(socket.closed, undefined);
  await time.advance(200);
  assert.equal(socket.closed.code, 4008);
});

test("a page that slept and hears nothing gives up soon", async (t) => {
  const time = stopTime(t);
  const { socket } = await connected({ ping: 400 });
  await time.sleep(60_000);
  await time.advance(300);
  assert.equal(socket.closed.code, 4008);
});

test("a closed client has no timer left", async (t) => {
  const time = stopTime(t);
  const { client, socket } = await joined({ ping: 400 });
  await time.advance(2);
  socket.receive([0, 0, 101, 0, []]);
  client.close();
  socket.take();
  const armed = t.mock.method(globalThis, "setTimeout");
  await time.advance(5000);
  assert.deepEqual(socket.take(), []);
  assert.equal(armed.mock.callCount(), 0);
  await microtasks();
});
