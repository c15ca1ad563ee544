// When a client connects again, where to and as whom. What becomes of its rooms is in resume.test.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../.build/src/connect.js";
import { connected, fakeWebSocket, joined, joinedFrame, microtasks, stopTime } from "./fake.mjs";

/** A client with a token, the states that it tells, and time and chance under control. */
async function tokened(t, { options, random = () => 1, token = "t1", ...facts } = {}) {
  const time = stopTime(t);
  t.mock.method(Math, "random", random);
  const states = [];
  const onState = ({ status, attempt, delay, code, resumed }) => states.push({ open: resumed, connecting: attempt, reconnecting: delay, closed: code }[status], status);
  const all = await connected({ ...(token && { token }), ...facts }, { reconnect: true, onState, ...options });
  states.splice(0);
  return { ...all, time, states };
}

test("the states of a first connection", async (t) => {
  const states = [];
  const { client } = await connected({}, { onState: (state) => states.push(state) });
  assert.deepEqual(states, [{ status: "connecting", attempt: 0 }, { status: "open", resumed: false }]);
  assert.deepEqual(client.state, states[1]);
  client.close();
  assert.deepEqual(states[2], { status: "closed", code: 1000, name: "normal", reason: "", reconnect: "no", delay: 0 });
  assert.equal(client.state, states[2]);
});

test("a lost connection: wait, connect, carry on", async (t) => {
  const { client, socket, last, all, time } = await tokened(t);
  const states = [];
  client.onState((state) => states.push(state));
  let closed = 0;
  client.onClose(() => closed++);
  socket.drop(1006);
  assert.deepEqual(states, [{ status: "reconnecting", attempt: 1, delay: 500, code: 1006, reason: "" }]);
  await time.advance(499);
  assert.equal(all.length, 1);
  await time.advance(1);
  assert.equal(all.length, 2);
  assert.deepEqual(states[1], { status: "connecting", attempt: 1 });
  assert.deepEqual(last().welcome({ sid: "s1", token: "t2", resumed: true }), { resume: ["t1", []] });
  assert.deepEqual(states[2], { status: "open", resumed: true });
  assert.deepEqual([closed, states.length], [0, 3]);
});

test("the waits: full jitter below a limit that doubles and ends, also with other limits", async (t) => {
  let chance = 1;
  const { last, states, time } = await tokened(t, { random: () => chance, options: { reconnect: { minDelay: 100, maxDelay: 1000 } } });
  for (const share of [1, 1, 0.5, 1, 1, 0.25, 0]) {
    chance = share;
    last().drop();
    await time.advance(1000);
  }
  assert.deepEqual(states.filter((_, i) => states[i + 1] === "reconnecting"), [100, 200, 200, 800, 1000, 250, 0]);
});

test("a connection that has lasted for ten seconds begins anew", async (t) => {
  const { client, last, time, states } = await tokened(t);
  const delay = () => client.state.delay;
  last().drop();
  assert.equal(delay(), 500);
  await time.advance(500);
  last().welcome({ token: "t2", resumed: true });
  await time.advance(9_000);
  last().drop();
  assert.equal(delay(), 1000, "nine seconds are not enough");
  await time.advance(1000);
  last().welcome({ token: "t3", resumed: true });
  await time.advance(10_000);
  last().drop();
  assert.equal(delay(), 500);
  assert.equal(client.state.attempt, 1);
  assert.equal(states.includes("closed"), false);
});

test("BYE's delay comes before the first wait, and its address is where to go", async (t) => {
  const { client, socket, last, all, time } = await tokened(t);
  socket.receive([11, 1001, "update", 3000, "ws://other/volley"]);
  assert.deepEqual(client.state, { status: "reconnecting", attempt: 1, delay: 3500, code: 1001, reason: "update" });
  await time.advance(3500);
  assert.equal(last().url, "ws://other/volley");
  last().drop(); // not there: back to where we came from, and so on
  await time.advance(1000);
  assert.equal(last().url, "ws://test/volley");
  last().drop();
  await time.advance(2000);
  assert.equal(last().url, "ws://other/volley");
  assert.deepEqual(last().welcome({ token: "t2", resumed: true }), { resume: ["t1", []] });
  await time.advance(10_000);
  last().drop();
  await time.advance(500);
  assert.equal(last().url, "ws://other/volley", "the same place is now there");
  last().drop();
  await time.advance(1000);
  assert.equal(last().url, "ws://test/volley");
  assert.equal(all.length, 6);
});

for (const [name, address] of Object.entries({ "an empty address": [""], "no address": [], "what is no address": ["::"] })) {
  test(`BYE with ${name}`, async (t) => {
    const { client, socket, last, time } = await tokened(t);
    client.onError(() => {});
    socket.receive([11, 1013, "", 0, ...address]);
    await time.advance(500);
    if (address[0] === "::") (last().drop(), await time.advance(1000));
    assert.equal(last().url, "ws://test/volley");
  });
}

test("a token works once: the next one is the newest WELCOME's", async (t) => {
  const { socket, last, time } = await tokened(t);
  socket.drop();
  await time.advance(500);
  assert.equal(last().welcome({ token: "t2", resumed: true }).resume[0], "t1");
  last().drop();
  await time.advance(1000);
  assert.equal(last().welcome({ token: "t3", resumed: true }).resume[0], "t2");
});

test("a WELCOME that is lost: the old token again", async (t) => {
  const { socket, last, time } = await tokened(t);
  socket.drop();
  await time.advance(500);
  last().onopen({});
  assert.deepEqual(last().take(), [[1, 1, { resume: ["t1", []] }]]);
  last().drop();
  await time.advance(1000);
  last().onopen({}); // and no answer at all
  await time.advance(10_000);
  assert.equal(last().closed.code, 4007);
  await time.advance(2000);
  assert.equal(last().welcome({ token: "t3", resumed: true }).resume[0], "t1");
});

test("a session without a token begins a new one, with auth", async (t) => {
  const { socket, last, time, client } = await tokened(t, { token: "", options: { auth: "Ann" } });
  socket.drop();
  await time.advance(500);
  assert.deepEqual(last().welcome({ sid: "s2", token: "t1" }), { auth: "Ann" });
  assert.deepEqual(client.state, { status: "open", resumed: false });
  last().drop();
  await time.advance(1000);
  assert.deepEqual(last().welcome(), { resume: ["t1", []] }, "auth is not asked again for a token");
  assert.equal(client.sid, "s1");
});

test("auth may be a function, asked for each new session", async (t) => {
  let asked = 0;
  const { socket, last, time } = await tokened(t, { token: "", options: { auth: async () => `ticket ${++asked}` } });
  assert.equal(asked, 1);
  socket.drop();
  await time.advance(500);
  assert.deepEqual(last().welcome({ token: "t1" }), { auth: "ticket 2" });
  last().drop();
  await time.advance(1000);
  last().welcome({ token: "t2", resumed: true });
  assert.equal(asked, 2);
});

test("auth that fails: connect rejects with it at first, later it is tried again", async (t) => {
  await assert.rejects(connect("ws://test", { WebSocket: fakeWebSocket().WebSocket, auth: () => { throw new Error("no ticket"); } }), /no ticket/);
  let good = true;
  const auth = () => { if (!good) throw new Error("no ticket"); return 1; };
  const { client, socket, last, all, time } = await tokened(t, { token: "", options: { auth } });
  const errors = [];
  client.onError((error) => errors.push(error.message));
  good = false;
  socket.drop();
  await time.advance(500);
  assert.deepEqual([errors, all.length, client.state.status], [["no ticket"], 1, "reconnecting"]);
  good = true;
  await time.advance(1000);
  assert.deepEqual(last().welcome(), { auth: 1 });
});

test("a token that is refused: a new session at once, also after failed tries", async (t) => {
  const { client, socket, last, all, time } = await tokened(t);
  socket.drop();
  await time.advance(500);
  last().drop();
  await time.advance(1000);
  last().onopen({});
  last().receive([11, 4014, "expired", 0, ""]);
  await time.advance(1);
  assert.equal(all.length, 4);
  assert.deepEqual(last().welcome({ sid: "s2", token: "u1" }), {});
  assert.deepEqual([client.sid, client.state], ["s2", { status: "open", resumed: false }]);
});

test("a server that refuses what it has not been asked is not stormed", async (t) => {
  const { socket, last, states, time } = await tokened(t);
  socket.receive([11, 4014, "", 0]);
  for (let i = 0; i < 3; i++) {
    await time.advance(4000);
    last().onopen({});
    last().receive([11, 4014, "", 0]);
  }
  assert.deepEqual(states.filter((_, i) => states[i + 1] === "reconnecting"), [0, 1000, 2000, 4000]);
});

// The rules of docs/protocol.md, section 7; by BYE and, where a server can say it so, by a close frame.
for (const [code, rule] of [[1000, "no"], [1009, "no"], [4004, "no"], [4009, "no"], [4013, "no"], [4099, "no"],
  [1001, "later"], [1011, "later"], [1013, "later"], [4006, "later"], [4012, "later"], [1005, "later"], [1006, "later"], [3000, "later"],
  [4014, "new"], [4016, "new"], [4008, "token"], [4011, "token"]]) {
  for (const by of code < 1007 && code > 1002 ? ["close"] : ["BYE", "close"]) {
    test(`${by} ${code}: ${rule}`, async (t) => {
      const { client, socket, last, all, time } = await tokened(t);
      if (by === "BYE") socket.receive([11, code, "why", 0, ""]);
      else socket.drop(code, "why");
      if (rule === "no") {
        assert.equal((await client.closed).code, code);
        await time.advance(60_000);
        assert.equal(all.length, 1);
        return;
      }
      assert.equal(client.state.delay, rule === "later" ? 500 : 0);
      await time.advance(500);
      const hello = last().welcome({ sid: "s2" });
      assert.deepEqual(hello, rule === "new" ? {} : { resume: ["t1", []] });
    });
  }
}

test("a connection that is closed for not reading, again and again, is not at once again", async (t) => {
  const { last, states, time } = await tokened(t);
  for (let i = 0; i < 4; i++) {
    last().receive([11, 4011, "", 0]);
    await time.advance(5000);
    last().welcome({ token: "x" });
  }
  assert.deepEqual(states.filter((_, i) => states[i + 1] === "reconnecting"), [0, 1000, 2000, 4000]);
});

test("a silent server: connect again at once, with the token", async (t) => {
  const { socket, last, all, time } = await tokened(t, { ping: 400 });
  await time.advance(1002);
  assert.equal(socket.closed.code, 4008);
  await time.advance(1);
  assert.equal(all.length, 2);
  assert.deepEqual(last().welcome({ resumed: true }), { resume: ["t1", []] });
});

test("reconnect: false", async (t) => {
  const { client, socket, all, time } = await tokened(t, { options: { reconnect: false } });
  socket.drop();
  assert.deepEqual(await client.closed, { code: 1006, name: "connection-lost", reason: "", reconnect: "later", delay: 0 });
  await time.advance(60_000);
  assert.equal(all.length, 1);
});

test("so many tries and no more", async (t) => {
  const { client, socket, last, all, time } = await tokened(t, { options: { reconnect: { tries: 2 } } });
  socket.drop();
  await time.advance(500);
  last().drop();
  await time.advance(1000);
  last().drop(1013, "full");
  assert.equal((await client.closed).code, 1013);
  assert.equal(all.length, 3);
});

test("the first connection: tried again only if one wants", async (t) => {
  const time = stopTime(t);
  t.mock.method(Math, "random", () => 1);
  const { WebSocket, last, all } = fakeWebSocket();
  const impatient = connect("ws://test", { WebSocket });
  impatient.catch(() => {});
  await microtasks();
  last().drop();
  await assert.rejects(impatient, { kind: "connect", code: 1006 });

  const patient = connect("ws://test", { WebSocket, reconnect: { first: true } });
  await microtasks();
  last().drop();
  await time.advance(500);
  last().drop();
  await time.advance(1000);
  assert.equal(all.length, 4);
  last().welcome();
  (await patient).close();

  const refused = connect("ws://test", { WebSocket, reconnect: { first: true } });
  refused.catch(() => {});
  await microtasks();
  last().onopen({});
  last().receive([11, 4009, "who?", 0]);
  await assert.rejects(refused, { kind: "connect", code: 4009 });
});

test("close while it waits, and while it connects", async (t) => {
  const { client, socket, all, time } = await tokened(t);
  socket.drop();
  client.close();
  await time.advance(60_000);
  assert.equal(all.length, 1);
  assert.equal(client.state.code, 1000);
  t.mock.restoreAll();
  const other = await tokened(t);
  other.socket.drop();
  await other.time.advance(500);
  other.client.close();
  assert.equal(other.all[1].closed.code, 1000);
  other.client.retry();
  await other.time.advance(60_000);
  assert.equal(other.all.length, 2);
});

test("close within a listener of states", async (t) => {
  for (const status of ["reconnecting", "connecting", "open"]) {
    const { client, socket, last, all, time } = await tokened(t);
    client.onState((state) => state.status === status && client.close());
    socket.drop();
    await time.advance(500);
    if (status === "open") last().welcome({ resumed: true });
    assert.equal(client.state.status, "closed", status);
    await time.advance(60_000);
    assert.equal(all.length, { reconnecting: 1, connecting: 1, open: 2 }[status]);
    t.mock.restoreAll();
  }
});

test("retry: now instead of later", async (t) => {
  const { client, socket, last, all, time } = await tokened(t, { ping: 0 });
  client.retry(); // there is nothing to try
  socket.receive([11, 1001, "", 60_000]);
  client.retry();
  client.retry(); // and a try that is under way is not begun again
  await time.advance(1);
  assert.equal(all.length, 2);
  last().welcome({ resumed: true, token: "t2", ping: 0 });
  await time.advance(120_000);
  assert.equal(all.length, 2);
});

test("ping has no connection to measure", async (t) => {
  const { client, socket, last, time } = await tokened(t);
  const ping = client.ping();
  socket.drop();
  await assert.rejects(ping, { kind: "closed", code: 1006 });
  await assert.rejects(client.ping(), { kind: "closed" });
  await time.advance(500);
  await assert.rejects(client.ping(), { kind: "closed" });
  last().welcome({ resumed: true });
  const good = client.ping();
  last().receive([8, 1]);
  assert.equal(await good, 0);
});

test("what an old socket still says is not heard", async (t) => {
  const { client, socket, last, time } = await tokened(t);
  const { onmessage } = socket;
  socket.drop();
  assert.equal(socket.onmessage, null);
  await time.advance(500);
  last().welcome({ resumed: true });
  onmessage.call(socket, { data: new Uint8Array([0x92, 0x0b, 0xcd, 0x03, 0xe8]).buffer });
  assert.equal(client.state.status, "open");
});

test("NAMES: a resumed session keeps its table, a new one has the new server's", async (t) => {
  const { client, socket, last, time } = await tokened(t);
  socket.drop();
  await time.advance(500);
  last().welcome({ resumed: true, token: "t2", names: ["move", "state", "seat"] });
  last().drop();
  await time.advance(1000);
  last().welcome({ token: "t3", names: ["other"] });
  assert.equal(client.state.status, "open");
  last().drop();
  await time.advance(2000);
  last().welcome({ resumed: true, names: ["renamed"] });
  assert.equal(client.state.code, 4002, "which must not happen");
});

// A page, as far as the client looks at one.
async function inPage(t, options) {
  const page = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const counted = new Map();
  for (const target of [page, document]) {
    for (const [name, by] of [["addEventListener", 1], ["removeEventListener", -1]]) {
      const real = target[name].bind(target);
      target[name] = (type, listener) => (counted.set(type, (counted.get(type) ?? 0) + by), real(type, listener));
    }
  }
  const globals = { addEventListener: page.addEventListener, removeEventListener: page.removeEventListener, document };
  Object.assign(globalThis, globals);
  t.after(() => Object.keys(globals).forEach((name) => delete globalThis[name]));
  const fire = (type, facts = {}) => (type === "visibilitychange" ? document : page).dispatchEvent(Object.assign(new Event(type), facts));
  const listeners = () => [...counted.values()].reduce((a, b) => a + b);
  return { ...(await tokened(t, options)), fire, document, listeners };
}

test("online, and a page that is looked at again: at once", async (t) => {
  const { socket, last, all, time, fire, document } = await inPage(t);
  socket.drop();
  fire("online");
  await time.advance(1);
  assert.equal(all.length, 2);
  fire("online"); // a try is under way
  await time.advance(1);
  assert.equal(all.length, 2);
  last().drop();
  document.visibilityState = "hidden";
  fire("visibilitychange");
  await time.advance(1);
  assert.equal(all.length, 2);
  document.visibilityState = "visible";
  fire("visibilitychange");
  await time.advance(1);
  assert.equal(all.length, 3);
});

test("online does not break the peace that a server has asked for", async (t) => {
  const { socket, all, time, fire } = await inPage(t);
  socket.receive([11, 1013, "full", 5000]);
  fire("online");
  await time.advance(4999);
  assert.equal(all.length, 1);
  await time.advance(2);
  fire("online");
  await time.advance(1);
  assert.equal(all.length, 2);
});

test("online with a connection: it must give a sign of life soon", async (t) => {
  const { socket, last, all, time, fire } = await inPage(t, { ping: 25_000 });
  fire("online");
  fire("online");
  assert.deepEqual(socket.take(), [[7, 0]]);
  await time.advance(3000);
  socket.receive([8, 0]);
  await time.advance(3000);
  assert.equal(socket.closed, undefined);
  fire("online");
  await time.advance(4002);
  assert.equal(socket.closed.code, 4008);
  await time.advance(1);
  assert.equal(all.length, 2);
  assert.equal(last().welcome({ resumed: true }).resume[0], "t1");
});

test("a page that goes: what was emitted, and a close frame", async (t) => {
  const { client, socket, all, time, fire, listeners } = await inPage(t);
  const pending = client.joinOrCreate("pong");
  socket.receive(joinedFrame(0));
  const room = await pending;
  socket.take();
  assert.equal(listeners(), 4);
  room.emit("move", 1);
  fire("pagehide", { persisted: false });
  assert.deepEqual(socket.sent, [[0, 0, 1, 100, [[0, 1]]]]);
  assert.equal(socket.closed.code, 1000);
  assert.equal(client.state.status, "closed");
  assert.equal(listeners(), 0, "nothing of the page is held");
  await time.advance(60_000);
  assert.equal(all.length, 1);
});

test("a page that is put away leaves, and joins again when it is back", async (t) => {
  const { client, socket, last, all, time, fire, listeners } = await inPage(t);
  const pending = client.joinOrCreate("pong", { name: "Ann" });
  socket.receive(joinedFrame(0));
  const room = await pending;
  const rejoins = [];
  room.onRejoin((info) => rejoins.push(info));
  fire("pagehide", { persisted: true });
  assert.equal(socket.closed.code, 1000);
  assert.deepEqual([client.state.status, client.state.delay, room.joined, room.connected], ["reconnecting", Infinity, true, false]);
  fire("online");
  client.retry();
  await time.advance(60_000);
  assert.equal(all.length, 1, "nothing happens in there");
  fire("pageshow", { persisted: true });
  await microtasks();
  assert.equal(all.length, 2);
  assert.deepEqual(last().welcome({ sid: "s2", token: "u1" }), {}, "the server ended the session when we left");
  assert.deepEqual(last().take(), [[3, 0, 3, "r1", { name: "Ann" }]]);
  last().receive(joinedFrame(0, { client: 8 }));
  assert.deepEqual([rejoins, room.clientId], [[{ lost: 0 }], 8]);
  fire("pageshow", { persisted: false });
  await microtasks();
  assert.equal(all.length, 2);
  client.close();
  assert.equal(listeners(), 0);
});

test("a page that is put away while it waits for a try", async (t) => {
  const { socket, last, all, time, fire } = await inPage(t);
  socket.drop();
  fire("pagehide", { persisted: true });
  await time.advance(60_000);
  assert.equal(all.length, 1);
  fire("pageshow", { persisted: true });
  await microtasks();
  assert.deepEqual(last().welcome({ token: "u" }), {});
});
