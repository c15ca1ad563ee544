// Rooms, and who hears what is emitted.
import assert from "node:assert/strict";
import { connect, ended, event, fresh, inbox, settle, several, sleep, test, until } from "./harness.mjs";

test("join and leave", async () => {
  const socket = await connect();
  assert.deepEqual(await socket.emitWithAck("join", ["r1", "r2"]), [socket.id, "r1", "r2"]);
  assert.deepEqual(await socket.emitWithAck("join", ["r2", socket.id]), [socket.id, "r1", "r2"]);
  assert.deepEqual(await socket.emitWithAck("leave", ["r1", "elsewhere"]), [socket.id, "r2"]);
  const id = socket.id;
  socket.disconnect();
  assert.deepEqual(await ended(id), { reason: "client namespace disconnect", rooms: [id, "r2"] });
});

test("emit scopes", async () => {
  const [a, b, c, d] = await several(4, fresh());
  await a.emitWithAck("join", ["r1"]);
  await b.emitWithAck("join", ["r1", "r2"]);
  await c.emitWithAck("join", ["r2"]);
  // a emits: "all" begins at the namespace, "others" at the socket.
  const orders = [
    [{ scope: "self" }, "a"],
    [{ scope: "all" }, "abcd"],
    [{ scope: "others" }, "bcd"],
    [{ scope: "all", rooms: ["r1"] }, "ab"],
    [{ scope: "others", rooms: ["r1"] }, "b"],
    [{ scope: "all", rooms: ["r1", "r2"] }, "abc"],
    [{ scope: "others", rooms: ["r1", "r2"] }, "bc"],
    [{ scope: "all", except: ["r1"] }, "cd"],
    [{ scope: "all", except: ["r2"] }, "ad"],
    [{ scope: "all", except: ["r1", "r2"] }, "d"],
    [{ scope: "others", except: ["r2"] }, "d"],
    [{ scope: "all", rooms: ["r1"], except: ["r2"] }, "a"],
    [{ scope: "others", rooms: ["r2"], except: ["r1"] }, "c"],
    [{ scope: "all", rooms: [b.id] }, "b"],
    [{ scope: "all", rooms: [b.id, "r1"] }, "ab"],
    [{ scope: "all", except: [b.id] }, "acd"],
    [{ scope: "others", rooms: [a.id] }, ""],
    [{ scope: "all", rooms: ["nowhere"] }, ""],
    [{ scope: "all", except: ["nowhere"] }, "abcd"],
  ];
  const heard = [a, b, c, d].map((s) => inbox(s, "x"));
  const rounds = 3;
  for (let round = 0; round < rounds; round++) {
    orders.forEach(([order], i) => {
      const data = i % 2 ? Buffer.from([i]) : { round };
      a.emit("emit", { ...order, event: "x", args: [round * 100 + i, data] });
    });
  }
  await settle(a, b, c, d);
  for (const [who, list] of heard.entries()) {
    const want = [];
    for (let round = 0; round < rounds; round++) {
      orders.forEach(([, whom], i) => whom.includes("abcd"[who]) && want.push(round * 100 + i));
    }
    assert.deepEqual(list.map(([i]) => i), want, `what ${"abcd"[who]} hears`);
  }
});

test("what rooms hear changes", async () => {
  const [a, b] = await several(2, fresh());
  const heard = inbox(b, "x");
  const say = (i) => a.emitWithAck("emit", { scope: "all", rooms: ["r"], event: "x", args: [i] });
  await say(1);
  await b.emitWithAck("join", ["r"]);
  await say(2);
  await b.emitWithAck("leave", ["r"]);
  await say(3);
  await settle(b);
  assert.deepEqual(heard, [[2]]);
});

test("whole audiences join, leave and go", async () => {
  const [a, b, c] = await several(3, fresh());
  await b.emitWithAck("join", ["r"]);
  await c.emitWithAck("join", ["r"]);
  assert.deepEqual((await a.emitWithAck("audience", "sockets", "r")).sort(), [b.id, c.id].sort());
  await a.emitWithAck("audience", "join", "r", "more");
  assert.deepEqual(await b.emitWithAck("rooms"), [b.id, "more", "r"]);
  await a.emitWithAck("audience", "leave", "more", "r");
  assert.deepEqual(await b.emitWithAck("rooms"), [b.id, "more"]);
  const gone = [event(b, "disconnect"), event(c, "disconnect")];
  await a.emitWithAck("audience", "disconnect", "more");
  assert.deepEqual((await Promise.all(gone)).map(([reason]) => reason), Array(2).fill("io server disconnect"));
  assert.deepEqual(await a.emitWithAck("sockets"), [a.id]);
});

test("volatile events arrive", async () => {
  const [a, b] = await several(2, fresh());
  const heard = inbox(b, "v");
  const own = inbox(a, "v");
  let n = 0;
  await until(async () => {
    a.emit("emit", { scope: "all", volatile: true, event: "v", args: [n++] });
    await sleep(20);
    return heard.length > 2 && own.length > 2;
  }, "volatile events");
  for (const list of [heard, own]) {
    const numbers = list.map(([i]) => i);
    assert.deepEqual(numbers, [...new Set(numbers)].sort((x, y) => x - y), "in order, once");
  }
});

test("volatile events of the client arrive", async () => {
  const socket = await connect();
  const heard = inbox(socket, "echo");
  let n = 0;
  await until(async () => {
    socket.volatile.emit("echo", n++);
    await sleep(20);
    return heard.length > 0;
  }, "a volatile event");
});

test("many at once", async () => {
  const list = await several(10, fresh());
  const heard = list.map((s) => inbox(s, "x"));
  for (let i = 0; i < 20; i++) {
    for (const [k, s] of list.entries()) s.emit("emit", { scope: "others", event: "x", args: [k, i] });
  }
  await settle(...list);
  await settle(...list); // everybody's own has arrived; what they caused for others as well
  for (const [k, got] of heard.entries()) {
    assert.equal(got.length, 180);
    for (let other = 0; other < 10; other++) {
      const want = other === k ? [] : Array.from({ length: 20 }, (_, i) => i);
      assert.deepEqual(got.filter(([from]) => from === other).map(([, i]) => i), want);
    }
  }
});
