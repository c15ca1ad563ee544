// Connection state recovery.
import assert from "node:assert/strict";
import {
  connect, connection, ended, env, event, fresh, inbox, noted, plain, Proxy, ready, settle, sleep, test, until,
} from "./harness.mjs";

const server = "recovery";

/** A client behind a proxy in a room of its own, and another one that is not. */
async function pair(more = {}) {
  const proxy = await Proxy.to({ server, ...more });
  const nsp = fresh();
  const socket = await connect(nsp, { at: proxy.url });
  const other = await connect(nsp, { server, ...more });
  await socket.emitWithAck("join", ["r"]);
  let n = 0;
  /** The next numbers go to the room, with their last argument of various types. */
  const say = (count) => {
    const lasts = [[], ["a text"], [{ a: "b" }], [Buffer.from([3])], ["12.3"]];
    for (let k = 0; k < count; k++, n++) {
      other.emit("emit", { scope: "all", rooms: ["r"], event: "n", args: [n, ...lasts[n % lasts.length]] });
    }
    return settle(other);
  };
  /** As say, but all in one callback of the server. */
  const burst = async (count) => {
    await other.emitWithAck("burst", "r", n, count);
    n += count;
  };
  const lose = async () => {
    await sleep(30); // until a client that polls has its next request on the way
    const gone = event(socket, "disconnect");
    proxy.down();
    await gone;
  };
  const regain = async () => {
    proxy.up();
    await ready(socket);
  };
  return { proxy, socket, other, say, burst, lose, regain, said: () => n };
}

const numbers = (n) => Array.from({ length: n }, (_, i) => i);

/** Waits for all numbers, and a round trip more for what should not come. */
async function complete(socket, heard, n) {
  await until(() => heard.length >= n, () => `${n} numbers, not only ${heard.length}: ${heard.map(([i]) => i)}`);
  await settle(socket);
  assert.deepEqual(heard.map(([i]) => i), numbers(n));
}

test("recovery", async () => {
  const { socket, say, lose, regain, said } = await pair();
  const heard = inbox(socket, "n");
  const id = socket.id;
  await socket.emitWithAck("set", "kept");
  await say(10);
  await until(() => heard.length === 10, "what comes before");
  await lose();
  await say(20);
  await regain();
  assert.equal(socket.recovered, true);
  assert.equal(socket.id, id);
  await complete(socket, heard, said());
  assert.deepEqual(await socket.emitWithAck("rooms"), [id, "r"]);
  assert.equal(await socket.emitWithAck("get"), "kept");
  // The server tells its application only if it had noticed the loss.
  assert.equal((await socket.emitWithAck("who")).recovered, (await noted("ended " + id, { server })) !== undefined);
  await say(10);
  await complete(socket, heard, said());
  assert.deepEqual(plain(heard[3].slice(0, 2)), [3, { bin: "03" }]);
  assert.deepEqual(heard[1].slice(0, 2), [1, "a text"]);
});

test("recovery when nothing was missed", async () => {
  const { socket, say, lose, regain, said } = await pair();
  const heard = inbox(socket, "n");
  await lose();
  await regain();
  assert.equal(socket.recovered, true, "before any event");
  await say(5);
  await complete(socket, heard, said());
  await lose();
  await regain();
  assert.equal(socket.recovered, true);
  await complete(socket, heard, said());
});

test("recovery when nothing came before", async () => {
  const { socket, say, lose, regain, said } = await pair();
  const heard = inbox(socket, "n");
  await lose();
  await say(7);
  await regain();
  assert.equal(socket.recovered, true);
  await complete(socket, heard, said());
});

test("recovery of what was on its way", async () => {
  const { proxy, socket, other, say, said } = await pair();
  const heard = inbox(socket, "n");
  const echoes = inbox(socket, "echo");
  const rounds = env.transports.at(-1) === "polling" ? 3 : 6;
  for (let round = 0; round < rounds; round++) {
    const gone = event(socket, "disconnect");
    proxy.cutAfter(100 + 331 * round);
    for (let i = 0; i < 200 && socket.connected; i++) {
      await say(5);
      await sleep(1);
      if (i === 10) proxy.cut();
    }
    // A client that polls notices when its next request fails.
    const poke = setInterval(() => proxy.cut(), 100);
    await gone;
    clearInterval(poke);
    await say(3);
    await ready(socket);
    assert.equal(socket.recovered, true, `round ${round}`);
    // What a client sends is not sent again, and so it must have arrived before the next cut.
    socket.emit("echo", round);
    await until(() => echoes.length > round, `echo ${round}`);
  }
  await complete(socket, heard, said());
  assert.deepEqual(echoes.map(([i]) => i), numbers(rounds));
  assert.ok(other.connected);
});

test("recovery between volatile events and requests", async () => {
  const { socket, other, say, lose, regain, said } = await pair();
  const heard = inbox(socket, "n");
  const volatile = inbox(socket, "v");
  const asked = [];
  socket.on("question", (i, answer) => {
    asked.push(i);
    answer(i);
  });
  let v = 0;
  const mixed = async () => {
    for (let i = 0; i < 6; i++) {
      await say(2);
      other.emit("emit", { scope: "all", rooms: ["r"], event: "v", args: [v++, "text"], volatile: true });
      other.emit("ask all", 1000, v, "r");
      await say(1);
    }
  };
  for (let round = 0; round < 4; round++) {
    await mixed();
    const before = volatile.length;
    await lose();
    const first = v;
    await mixed();
    await regain();
    assert.equal(socket.recovered, true);
    await until(() => heard.length >= said(), "what was missed");
    assert.deepEqual(volatile.slice(before).filter(([i]) => i >= first && i < v), [], "no volatile events afterwards");
  }
  await complete(socket, heard, said());
  assert.equal(new Set(asked).size, asked.length, "a request comes once");
  const seen = volatile.map(([i]) => i);
  assert.deepEqual(seen, [...new Set(seen)].sort((x, y) => x - y), "volatile events in order, once");
});

test("recovery within a frame", async () => {
  const { proxy, socket, burst, said } = await pair();
  const heard = inbox(socket, "n");
  // One callback of the server emits many at once, and the connection ends in the middle of them.
  for (let round = 0; round < 4; round++) {
    const gone = event(socket, "disconnect");
    proxy.cutAfter(1500 + 700 * round);
    const before = said();
    await burst(100);
    const poke = setInterval(() => proxy.cut(), 100);
    await gone;
    clearInterval(poke);
    await ready(socket);
    assert.equal(socket.recovered, true, `round ${round}`);
    await until(() => heard.length >= before + 100, () => `${before + 100}, not only ${heard.length}`);
  }
  await complete(socket, heard, said());
});

test("recovery of one of two namespaces' worth of events", async () => {
  const proxy = await Proxy.to({ server });
  const at = connection({ at: proxy.url });
  const [a, b] = [await ready(at(fresh())), await ready(at(fresh()))];
  const heard = [inbox(a, "n"), inbox(b, "n")];
  const ids = [a.id, b.id];
  for (const s of [a, b]) await s.emitWithAck("stream", 60, 10); // ten milliseconds apart
  await sleep(100);
  const gone = event(a, "disconnect");
  proxy.down();
  await gone;
  await sleep(200);
  proxy.up();
  await Promise.all([ready(a), ready(b)]);
  assert.deepEqual([a.id, b.id], ids);
  assert.ok(a.recovered && b.recovered);
  for (const [i, s] of [a, b].entries()) await complete(s, heard[i], 60);
});

test("recovery while the server does not know that it is lost", async () => {
  const { proxy, socket, say, said } = await pair();
  const heard = inbox(socket, "n");
  await say(5);
  await until(() => heard.length === 5, "what comes before");
  const id = socket.id;
  const gone = event(socket, "disconnect");
  // The old connection stays open on the server's side; the client is told that it has ended.
  for (const link of proxy.links) {
    proxy.links.delete(link);
    link.near.destroy();
    link.far.removeAllListeners("close");
    link.far.resume();
  }
  const poke = setInterval(() => proxy.cut(), 100);
  await gone;
  clearInterval(poke);
  await say(5);
  await ready(socket);
  assert.equal(socket.recovered, true);
  assert.equal(socket.id, id);
  await complete(socket, heard, said());
});

test("requests end with the connection", async () => {
  const { proxy, socket } = await pair();
  const id = socket.id;
  const question = event(socket, "wait");
  socket.emit("ask", 15_000, "wait");
  await question;
  await sleep(30);
  proxy.down();
  await until(async () => (await noted("asked " + id, { server })) !== undefined, "the answer to who asked");
  assert.equal(await noted("asked " + id, { server }), "socketio: the socket is disconnected");
});

test("no recovery after its time", async () => {
  const { socket, say, lose, regain } = await pair({ server: "brief" });
  const heard = inbox(socket, "n");
  const id = socket.id;
  await say(5);
  await until(() => heard.length === 5, "what comes before");
  await lose();
  await ended(id, { server: "brief" });
  await say(5);
  await sleep(900);
  await regain();
  assert.equal(socket.recovered ?? false, false);
  assert.notEqual(socket.id, id);
  assert.deepEqual(await socket.emitWithAck("rooms"), [socket.id]);
  assert.equal(heard.length, 5);
});

test("an old offset is not taken for a new one", async () => {
  const { socket, other, say, lose, regain } = await pair({ server: "brief" });
  const heard = inbox(socket, "n");
  await say(9);
  await until(() => heard.length === 9, "what comes before");
  await lose();
  await say(4); // which it misses for good
  await sleep(1000);
  await regain();
  assert.equal(socket.recovered ?? false, false);
  // Its offset is still that of the socket before.
  await socket.emitWithAck("join", ["r"]);
  await lose();
  await say(6);
  await regain();
  await settle(other, socket);
  const got = heard.slice(9).map(([i]) => i);
  assert.deepEqual(got, socket.recovered ? [13, 14, 15, 16, 17, 18] : []);
});

test("no recovery after a disconnection", async () => {
  const socket = await connect(fresh(), { server });
  const heard = inbox(socket, "echo");
  socket.emit("echo", 1);
  await settle(socket);
  const id = socket.id;
  socket.disconnect();
  await ended(id, { server });
  socket.connect();
  await ready(socket);
  assert.equal(socket.recovered ?? false, false);
  assert.notEqual(socket.id, id);

  const again = socket.id;
  const gone = event(socket, "disconnect");
  socket.emit("bye", false, "last words");
  await gone;
  await ended(again, { server });
  socket.connect();
  await ready(socket);
  assert.equal(socket.recovered ?? false, false);
  assert.notEqual(socket.id, again);
  assert.deepEqual(heard.map(([v]) => v), [1, "last words"]);
});

test("recovery does not ask the middleware again", async () => {
  const proxy = await Proxy.to({ server });
  const socket = await connect("/secret", { at: proxy.url, auth: { token: "right", name: "ann" } });
  const gone = event(socket, "disconnect");
  proxy.down();
  await gone;
  socket.auth.token = "wrong";
  proxy.up();
  await ready(socket);
  assert.equal(socket.recovered, true);
  assert.equal(await socket.emitWithAck("get"), "ann");
});

test("a secret of another namespace", async () => {
  const a = await connect(fresh(), { server });
  const b = await connect(fresh(), { server, auth: { pid: a._pid, offset: "" } });
  assert.notEqual(b.id, a.id);
  const c = await connect(fresh(), { server, auth: { pid: "no such secret", offset: "0" } });
  assert.equal(c.recovered ?? false, false);
  await settle(a, b, c);
});
