// What becomes of rooms, joins and requests when a connection is lost and another one comes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { joined, joinedFrame, microtasks, stopTime } from "./fake.mjs";
import { limits } from "./server.mjs";

/** A client in a room, whose connection can be cut and carried on. */
async function seated(t, { facts = {}, room = {}, options = {} } = {}) {
  const time = stopTime(t);
  t.mock.method(Math, "random", () => 0);
  const all = await joined({ token: "t1", ...facts }, room, { reconnect: true, ...options });
  await time.advance(2);
  /** Cuts the connection and opens the next; returns its socket, which has said HELLO. */
  const again = async (facts = { resumed: true, token: "t2" }) => {
    all.last().drop();
    await time.advance(1);
    const hello = all.last().welcome({ ...facts });
    return Object.assign(all.last(), { hello });
  };
  return { ...all, time, again };
}

const heard = (room) => {
  const list = [];
  room.onAny((event, payload) => list.push([event, payload]));
  room.onResync((tick) => list.push(["resync", tick]));
  room.onRejoin((info) => list.push(["rejoin", info]));
  room.onLeave((code) => list.push(["left", code]));
  return list;
};

test("what the server has not got is sent again, what it has is not", async (t) => {
  const { socket, room, again } = await seated(t);
  for (const n of [1, 2, 3]) (room.emit("move", n), room.flush());
  socket.receive([0, 0, 105, 1, []]);
  const next = await again();
  assert.deepEqual(next.hello, { resume: ["t1", [[0, 105]]] });
  room.emit("move", 4);
  await microtasks();
  assert.deepEqual(next.take(), [], "nothing on the channel before its answer");
  next.receive([12, 0, 2]);
  assert.deepEqual(next.take(), [[0, 0, 3, 105, [[0, 3], [0, 4]]]]);
  next.receive([0, 0, 107, 4, [["state", 1]]]);
  assert.deepEqual([room.ack, room.seq, room.connected], [4, 4, true]);
});

test("emits wait while there is no connection, as many as the outbox holds", async (t) => {
  const { socket, room, again } = await seated(t, { options: { maxUnacked: 3 } });
  assert.equal(room.connected, true);
  socket.drop();
  assert.deepEqual([room.joined, room.connected], [true, false]);
  for (const n of [1, 2, 3]) room.emit("move", n);
  assert.throws(() => room.emit("move", 4), { kind: "full" });
  await assert.rejects(room.request("score"), { kind: "full" });
  room.flush();
  const next = await again();
  next.receive([12, 0, 0]);
  assert.deepEqual(next.take(), [[0, 0, 1, 100, [[0, 1], [0, 2], [0, 3]]]]);
});

test("the last tick that arrived is named, even before its events were heard", async (t) => {
  const time = stopTime(t);
  t.mock.method(Math, "random", () => 0);
  const { client, socket, room, last } = await joined({ token: "t1" }, {}, { reconnect: true });
  const list = heard(room);
  socket.receive([0, 0, 107, 0, [["state", 1]]]); // held until the code that joined had its turn
  socket.drop();
  client.retry(); // the next connection is there before a page's throttled timers are
  await microtasks();
  assert.deepEqual(last().welcome({ resumed: true }), { resume: ["t1", [[0, 107]]] });
  last().receive([12, 0, 0], [0, 0, 108, 0, [["state", 2]]]);
  assert.deepEqual([room.tick, list], [100, []]);
  await time.advance(1);
  assert.deepEqual(list, [["state", 1], ["state", 2]]);
});

test("requests survive a cut; a reply comes once", async (t) => {
  const { socket, room, again } = await seated(t);
  const arrived = room.request("score", 1);
  room.flush();
  const onTheWay = room.request("score", 2);
  socket.drop();
  const offline = room.request("score", 3);
  const next = await again();
  next.receive([12, 0, 1]);
  assert.deepEqual(next.take(), [[0, 0, 2, 100, [["score", 2, 2], ["score", 3, 3]]]]);
  next.receive([0, 0, 110, 3, [[-1, "a", 1], [-1, "b", 2], [-2, "no", 3]]]);
  assert.deepEqual([await arrived, await onTheWay], ["a", "b"]);
  await assert.rejects(offline, { kind: "remote", message: "no" });
});

test("a request's time goes on while there is no connection", async (t) => {
  const { socket, room, time } = await seated(t);
  const request = room.request("score", 1, { timeout: 300 });
  request.catch(() => {});
  socket.drop();
  await time.advance(300);
  await assert.rejects(request, { kind: "timeout" });
});

test("our answers survive a cut", async (t) => {
  const { socket, room, again } = await seated(t);
  let answer;
  room.handle("ask", () => new Promise((resolve) => (answer = resolve)));
  socket.receive([0, 0, 101, 0, [["ask", null, 9]]]);
  socket.drop();
  answer("late");
  await microtasks();
  const next = await again();
  next.receive([12, 0, 0]);
  assert.deepEqual(next.take(), [[0, 0, 1, 101, [[-1, "late", 9]]]]);
});

test("nothing is acknowledged on a dead connection; HELLO does it", async (t) => {
  const { socket, room, time, again } = await seated(t);
  socket.receive([0, 0, 101, 0, [["state", 1]]]);
  const next = await again();
  next.receive([12, 0, 0]);
  next.receive([0, 0, 101, 0, []]);
  await time.advance(5000);
  assert.deepEqual(next.take(), [], "tick 101 was in HELLO");
  next.receive([0, 0, 102, 0, []]);
  await time.advance(500);
  assert.deepEqual(next.take(), [[0, 0, 1, 102, []]]);
  assert.equal(room.tick, 102);
});

test("RESYNC after RESUMED: requests that had arrived fail, the others do not", async (t) => {
  const { socket, room, again } = await seated(t);
  const list = heard(room);
  const old = room.request("score", 1);
  room.flush();
  const young = room.request("score", 2);
  socket.drop();
  const next = await again();
  next.receive([12, 0, 1], [13, 0, 300], [0, 0, 300, 1, [["state", "all of it"], [-1, "too late", 1]]]);
  await assert.rejects(old, { kind: "lost" });
  assert.deepEqual(list, [["resync", 300], ["state", "all of it"]]);
  assert.equal(room.tick, 300);
  next.receive([0, 0, 301, 2, [[-1, "b", 2]]]);
  assert.equal(await young, "b");
  assert.deepEqual(next.take(), [[0, 0, 2, 100, [["score", 2, 2]]]]);
});

test("RESYNC in the middle of a connection: requests fail when the next VOLLEY does not answer what it has processed", async (t) => {
  const { socket, room } = await seated(t);
  const list = heard(room);
  const requests = [1, 2, 3].map((n) => room.request("score", n));
  room.flush();
  socket.receive([13, 0, 200]);
  socket.receive([0, 0, 200, 2, [["state", 1], [-1, "b", 2]]]);
  await assert.rejects(requests[0], { kind: "lost" });
  assert.equal(await requests[1], "b");
  socket.receive([0, 0, 201, 3, [[-1, "c", 3]]]);
  assert.equal(await requests[2], "c");
  assert.deepEqual(list, [["resync", 200], ["state", 1]]);
});

test("RESYNC some time after RESUMED: what was sent in between may be lost as well", async (t) => {
  const { room, socket, again } = await seated(t);
  socket.drop();
  const request = room.request("score", 1);
  const next = await again();
  next.receive([12, 0, 0]);
  assert.equal(next.take().length, 1);
  next.receive([13, 0, 300], [0, 0, 301, 1, [["state", 1]]]);
  await assert.rejects(request, { kind: "lost" });
});

for (const [name, [code, ...frames]] of Object.entries({
  "RESUMED of more than was sent": [4002, [12, 0, 2]],
  "RESUMED of less than was acknowledged": [4002, [12, 0, 0]],
  "RESUMED on another channel": [4015, [12, 1, 0]],
  "RESUMED twice": [4015, [12, 0, 1], [12, 0, 1]],
  "RESYNC that goes back": [4002, [12, 0, 1], [13, 0, 99]],
  "RESYNC on another channel": [4015, [13, 1, 100]],
  "RESUMED without a number": [4000, [12, 0]],
  "RESYNC without a tick": [4000, [13, 0]],
  "JOINED instead of RESUMED": [4015, joinedFrame(0)],
})) {
  test(`${name} closes with ${code}`, async (t) => {
    const { client, socket, room, again } = await seated(t);
    room.emit("move", 1);
    room.flush();
    socket.receive([0, 0, 100, 1, []]);
    room.emit("move", 2); // never sent
    client.onState(() => {});
    socket.drop();
    const next = await again();
    next.receive(...frames);
    assert.equal(client.state.code, code);
    assert.equal(next.closed.code, code);
  });
}

test("RESUMED that nobody asked for", async (t) => {
  const { client, socket } = await seated(t);
  socket.receive([12, 0, 0]);
  assert.equal(client.state.code, 4015);
});

test("joins: one that arrived, one that did not, one that was never sent", async (t) => {
  const { client, socket, again } = await seated(t);
  const joins = [client.create("pong", 1), client.join("chat", 2)];
  socket.take();
  socket.drop();
  joins.push(client.joinById("r9", 3));
  const next = await again();
  assert.deepEqual(next.hello, { resume: ["t1", [[0, 100], [1, null], [2, null]]] });
  assert.deepEqual(next.take(), [[3, 3, 3, "r9", 3]]);
  next.receive([12, 0, 0], joinedFrame(1, { room: "r2", tick: 7 }), [0, 1, 9, 0, [["state", 1]]], [6, 2, 4014, ""], joinedFrame(3, { room: "r9" }));
  assert.deepEqual(next.take(), [[3, 2, 2, "chat", 2]], "sent again");
  next.receive([6, 2, 4014, "really"]);
  assert.equal((await joins[0]).id, "r2");
  await assert.rejects(joins[1], { kind: "refused", code: 4014 }, "once it was no answer to HELLO");
  assert.equal((await joins[2]).id, "r9");
  assert.equal(client.rooms.length, 3);
});

test("a join that was given up stays listed until the server says LEFT", async (t) => {
  const { client, socket, time, again } = await seated(t, { options: { timeout: 500 } });
  const join = client.join("chat");
  join.catch(() => {});
  await time.advance(500);
  await assert.rejects(join, { kind: "timeout" });
  socket.drop();
  const unsent = client.join("other");
  unsent.catch(() => {});
  await time.advance(0);
  let next = await again();
  assert.deepEqual(next.hello.resume[1], [[0, 100], [1, null]]);
  next.take();
  next.receive([12, 0, 0], joinedFrame(1));
  assert.deepEqual(next.take(), [[5, 1]]);
  next = await again({ resumed: true });
  assert.deepEqual(next.hello.resume[1], [[0, 100], [1, null], [2, null]]);
  next.receive([12, 0, 0], [6, 1, 4100, ""], [6, 2, 4014, ""]);
  assert.deepEqual(next.take(), [[3, 2, 2, "other", null]]);
  client.join("again").catch(() => {});
  assert.equal(next.take()[0][1], 1, "the channel is free");
});

test("a join offline that nobody waits for any more was never there", async (t) => {
  const { client, socket, last, time } = await seated(t, { options: { timeout: 500 } });
  t.mock.method(Math, "random", () => 1);
  socket.receive([11, 1001, "", 600]);
  const join = client.join("chat");
  join.catch(() => {});
  await time.advance(500);
  await assert.rejects(join, { kind: "timeout" });
  await time.advance(600);
  assert.deepEqual(last().welcome({ resumed: true }), { resume: ["t1", [[0, 100]]] });
  assert.deepEqual(last().take(), []);
});

test("leaving offline: what was emitted goes first, then LEAVE", async (t) => {
  const { socket, room, again } = await seated(t);
  socket.drop();
  room.emit("move", 1);
  const leaving = room.leave();
  assert.deepEqual([room.joined, room.connected], [false, false]);
  const next = await again();
  assert.deepEqual(next.hello.resume[1], [[0, 100]]);
  next.receive([12, 0, 0]);
  assert.deepEqual(next.take(), [[0, 0, 1, 100, [[0, 1]]], [5, 0]]);
  next.receive([6, 0, 4100, ""]);
  await leaving;
});

test("LEAVE or its LEFT was lost", async (t) => {
  const { room, socket, again, client } = await seated(t);
  const leaving = room.leave();
  assert.deepEqual(socket.take(), [[5, 0]]);
  let next = await again();
  next.receive([12, 0, 0]);
  assert.deepEqual(next.take(), [[5, 0]]);
  next = await again({ resumed: true });
  next.receive([6, 0, 4100, ""]);
  await leaving;
  assert.deepEqual(client.rooms, []);
});

test("the membership ended while we were away", async (t) => {
  const { room, again } = await seated(t);
  const list = heard(room);
  const next = await again();
  next.receive([6, 0, 4106, "asleep"]);
  assert.deepEqual(list, [["left", 4106]]);
  assert.deepEqual(next.take(), []);
});

test("a membership that cannot be resumed is joined again, the others go on", async (t) => {
  const { client, socket, room, again } = await seated(t);
  const pending = client.join("chat", { c: 1 });
  socket.receive(joinedFrame(1, { room: "c1", kind: "chat", tick: 5 }));
  const chat = await pending;
  const [list, other] = [heard(room), heard(chat)];
  const request = chat.request("score", 1);
  chat.emit("move", 2);
  const next = await again();
  next.receive([12, 0, 0], [6, 1, 4014, ""]);
  assert.deepEqual(next.take(), [[3, 1, 3, "c1", { c: 1 }]]);
  assert.equal(chat.connected, false);
  chat.emit("move", 3);
  next.receive(joinedFrame(1, { room: "c1", kind: "chat", client: 9, tick: 50 }), [0, 1, 51, 0, [["state", 1]]]);
  await assert.rejects(request, { kind: "lost" });
  assert.deepEqual(other, [["rejoin", { lost: 3 }], ["state", 1]]);
  assert.deepEqual([chat.seq, chat.ack, chat.tick, chat.clientId, chat.connected], [0, 0, 51, 9, true]);
  assert.equal(chat.emit("move", 4), 1);
  chat.flush();
  assert.deepEqual(next.take(), [[0, 1, 1, 51, [[0, 4]]]]);
  assert.deepEqual([list, room.connected], [[], true]);
});

/** A new session: the server has been started anew, say. */
const anew = { sid: "s2", token: "u1", names: ["other", "move"] };

test("a new session: the same room first, then one as it was asked for", async (t) => {
  const { client, room, again } = await seated(t);
  const list = heard(room);
  room.emit("move", 1);
  const next = await again(anew);
  assert.deepEqual(next.take(), [[3, 0, 3, "r1", { name: "Ann" }]]);
  next.receive([6, 0, 4103, ""]);
  assert.deepEqual(next.take(), [[3, 0, 0, "pong", { name: "Ann" }]]);
  next.receive(joinedFrame(0, { room: "r2", client: 1, tick: 3, rate: 30 }), [0, 0, 4, 0, [[1, "x"]]]);
  assert.deepEqual(list, [["rejoin", { lost: 1 }], ["move", "x"]]);
  assert.deepEqual([room.id, room.clientId, room.rate, room.tick, client.rooms], ["r2", 1, 30, 4, [room]]);
  room.emit("other", 1);
  room.flush();
  assert.deepEqual(next.take(), [[0, 0, 1, 4, [[0, 1]]]], "by the new table");
});

test("a new session before a new room's first events were heard", async (t) => {
  const time = stopTime(t);
  const { client, socket, room, last } = await joined({ token: "t1" }, {}, { reconnect: true });
  const list = heard(room);
  socket.receive([0, 0, 107, 0, [["state", "old"]]]);
  socket.drop();
  client.retry();
  await microtasks();
  last().welcome(anew);
  last().receive(joinedFrame(0, { tick: 3 }), [0, 0, 4, 0, [["state", "new"]]]);
  await time.advance(1);
  assert.deepEqual(list, [["state", "old"], ["rejoin", { lost: 0 }], ["state", "new"]]);
  assert.equal(room.tick, 4);
});

for (const [name, how, code, second] of [
  ["full", "joinOrCreate", 4101, [3, 1, 0, "k", 5]],
  ["locked", "join", 4102, [3, 1, 2, "k", 5]],
  ["gone", "create", 4103, [3, 1, 1, "k", 5]],
  ["gone, and asked for by its id", "joinById", 4103, undefined],
  ["not to be had", "joinOrCreate", 4105, undefined],
]) {
  test(`a new session, and the room is ${name}`, async (t) => {
    const { client, socket, again } = await seated(t);
    const pending = client[how]("k", 5);
    socket.receive(joinedFrame(1, { room: how === "joinById" ? "k" : "r7" }));
    const room = await pending;
    const list = heard(room);
    const next = await again(anew);
    next.take();
    next.receive([6, 1, code, "no"]);
    assert.deepEqual(next.take(), second ? [second] : []);
    if (second) next.receive([6, 1, code, "no"]);
    assert.deepEqual(list, [["left", code]]);
    assert.equal(room.joined, false);
  });
}

test("a new session is cut before it has answered", async (t) => {
  const { room, again } = await seated(t);
  const list = heard(room);
  let next = await again(anew);
  next = await again({ ...anew, resumed: true, token: "u2" });
  assert.deepEqual(next.hello, { resume: ["u1", [[0, null]]] });
  assert.deepEqual(next.take(), []);
  next.receive([6, 0, 4014, ""]);
  assert.deepEqual(next.take(), [[3, 0, 3, "r1", { name: "Ann" }]]);
  next = await again({ ...anew, resumed: true, token: "u3" });
  next.receive(joinedFrame(0, { client: 8 }), [0, 0, 101, 0, [["state", 1]]]);
  assert.deepEqual(list, [["rejoin", { lost: 0 }], ["state", 1]]);
  next = await again({ ...anew, sid: "s3", token: "v1" });
  assert.deepEqual(next.take(), [[3, 0, 3, "r1", { name: "Ann" }]]);
});

test("a new session: joins that waited are asked for again, rooms that were being left are left", async (t) => {
  const { client, socket, room, again, time } = await seated(t);
  const leaving = room.leave();
  const join = client.join("chat", { c: 1 });
  const given = client.join("given", null);
  given.catch(() => {});
  await time.advance(0);
  socket.take();
  const next = await again(anew);
  await leaving;
  assert.deepEqual(next.take(), [[3, 1, 2, "chat", { c: 1 }], [3, 2, 2, "given", null]]);
  next.receive(joinedFrame(1, { room: "c1" }));
  assert.equal((await join).id, "c1");
});

test("a new session, and an answer of the old one's handler", async (t) => {
  const { socket, room, again } = await seated(t);
  let answer;
  room.handle("ask", () => new Promise((resolve) => (answer = resolve)));
  socket.receive([0, 0, 101, 0, [["ask", null, 1]]]);
  const next = await again(anew);
  next.receive(joinedFrame(0));
  next.take();
  answer("for nobody");
  await microtasks();
  assert.deepEqual(next.take(), []);
});

test("leaving while the room is joined again", async (t) => {
  const { room, again } = await seated(t);
  const next = await again(anew);
  next.take();
  const leaving = room.leave();
  next.receive(joinedFrame(0));
  assert.deepEqual(next.take(), [[5, 0]]);
  next.receive([6, 0, 4100, ""]);
  await leaving;
});

test("rejoin: false leaves, a function decides", async (t) => {
  const never = await seated(t, { options: { reconnect: { rejoin: false } } });
  const list = heard(never.room);
  const next = await never.again(anew);
  assert.deepEqual([next.take(), list], [[], [["left", 1006]]]);
  never.client.join("pong").catch(() => {});
  assert.equal(next.take()[0][1], 0);
  t.mock.restoreAll();

  const asked = [];
  const rejoin = (room) => (asked.push(room.kind), room.kind === "chat");
  const some = await seated(t, { options: { reconnect: { rejoin } } });
  const pending = some.client.join("chat");
  some.socket.receive(joinedFrame(1, { kind: "chat", room: "c1" }));
  await pending;
  const other = await some.again(anew);
  assert.deepEqual([asked, other.take()], [["pong", "chat"], [[3, 1, 3, "c1", null]]]);
});

test("a refused token: rooms that are not joined again end with its code", async (t) => {
  const { client, room, last, time } = await seated(t, { options: { reconnect: { rejoin: false } } });
  last().drop();
  await time.advance(1);
  last().onopen({});
  last().receive([11, 4014, "expired", 0]);
  await time.advance(1);
  assert.equal(room.joined, true, "not before a server has us");
  last().welcome(anew);
  assert.deepEqual(await room.left, { code: 4014, reason: "expired" });
  assert.equal(client.state.status, "open");
});

test("a new server that allows fewer rooms", async (t) => {
  const { client, socket, again } = await seated(t);
  const pending = client.join("chat");
  socket.receive(joinedFrame(1, { kind: "chat" }));
  const chat = await pending;
  const next = await again({ ...anew, limits: limits({ rooms: 1 }) });
  assert.equal(next.take().length, 1);
  assert.equal((await chat.left).code, 4109);
  assert.equal(client.rooms.length, 1);
});

test("it is over: rooms, joins and requests end with the code", async (t) => {
  const { client, socket, room, last, time } = await seated(t, { options: { reconnect: { tries: 1 } } });
  const request = room.request("score");
  socket.drop();
  const join = client.join("chat");
  for (const promise of [request, join]) promise.catch(() => {});
  await time.advance(1);
  last().drop(1013, "full");
  await assert.rejects(request, { kind: "closed", code: 1013 });
  await assert.rejects(join, { kind: "closed", code: 1013 });
  assert.deepEqual(await room.left, { code: 1013, reason: "full" });
  assert.throws(() => room.emit("move", 1), { kind: "closed" });
});

test("a full outbox goes out in portions, as the room acknowledges", async (t) => {
  const { socket, room, again } = await seated(t);
  socket.drop();
  for (let n = 1; n <= 3000; n++) room.emit("move", n);
  const next = await again();
  next.receive([12, 0, 0]);
  let acked = 0;
  for (let i = 0; i < 20; i++) {
    const frames = next.take();
    if (frames.length === 0) break;
    assert.equal(frames[0][2], acked + 1);
    const last = frames.at(-1)[2] + frames.at(-1)[4].length - 1;
    assert.ok(last - acked <= 1000, `${last - acked} packets at once`);
    acked = last;
    next.receive([0, 0, 101 + i, acked, []]);
    await microtasks();
  }
  assert.equal(acked, 3000);
});
