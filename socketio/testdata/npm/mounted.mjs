// A kind of rooms as a namespace.
import assert from "node:assert/strict";
import { client, connect, event, inbox, Proxy, ready, run, sleep, test, until } from "./harness.mjs";

test("auth is the room's options", async () => {
  const socket = await connect("/event", { auth: { name: "ann" } });
  assert.match(await socket.emitWithAck("who am I", true), /^ann as user ann, /);
});

test("refusals", async () => {
  const [eve] = await event(client("/event", { auth: { name: "eve" } }), "connect_error");
  assert.equal(eve.message, "no eves");
  assert.ok(eve.data.code > 0 && eve.data.name);
  const [mallory] = await event(client("/event", { auth: { name: "mallory" } }), "connect_error");
  assert.equal(mallory.message, "not you");
  assert.deepEqual(mallory.data, { name: "mallory" });
  const [nowhere] = await event(client("/event/nosuchroom"), "connect_error");
  assert.match(nowhere.message, /nosuchroom/);
});

test("requests", async () => {
  const socket = await connect("/ticked");
  assert.equal(await socket.emitWithAck("double", 21), 42);
  assert.deepEqual(await socket.emitWithAck("double", -1), { error: "too low" });
  assert.equal((await Promise.all([1, 2, 3].map((n) => socket.emitWithAck("double", n)))).join(), "2,4,6");
});

test("the room asks one that does not know", async () => {
  const socket = await connect("/event");
  const answered = inbox(socket, "answered");
  socket.on("add one", (n, answer) => answer(n + 1));
  socket.emit("ask me", 4);
  await until(() => answered.length === 1, "the answer");
  assert.equal(answered[0][0], 5);
});

test("kick", async () => {
  const socket = await connect("/event");
  const left = inbox(socket, "volley:left");
  const gone = event(socket, "disconnect");
  socket.emit("kick me", "that was it");
  assert.equal((await gone)[0], "io server disconnect");
  assert.equal(left.length, 1);
  assert.equal(left[0][0].reason, "that was it");
  assert.equal(socket.active, false);
});

test("events that nobody takes", async () => {
  const socket = await connect("/event");
  const notices = inbox(socket, "volley:notice");
  socket.emit("no such event", 1);
  await until(() => notices.length === 1, "a notice");
  assert.match(notices[0][0].reason, /./);
  assert.equal(await socket.emitWithAck("double", 1), 2);
});

test("payloads that do not fit", async () => {
  const [socket, other] = [await connect("/event"), await connect("/event")];
  const [id, otherID] = [socket.id, other.id];
  const gone = event(socket, "disconnect");
  socket.emit("double", "not a number");
  assert.equal((await gone)[0], "transport close");
  await ready(socket); // as another member
  assert.notEqual(socket.id, id);
  assert.equal(await socket.emitWithAck("double", 1), 2);
  assert.equal(other.id, otherID);
});

for (const nsp of ["/event", "/ticked"]) {
  test("recovery in " + nsp, async () => {
    const proxy = await Proxy.to();
    const socket = await connect(nsp, { at: proxy.url, auth: { name: "bob" } });
    const heard = inbox(socket, "n");
    const id = socket.id;
    socket.emit("stream", 80);
    for (let round = 0; round < 2; round++) {
      await until(() => heard.length > 10 + 20 * round, "some numbers");
      const gone = event(socket, "disconnect");
      proxy.down();
      const poke = setInterval(() => proxy.cut(), 50);
      await gone;
      clearInterval(poke);
      await sleep(150);
      proxy.up();
      await ready(socket);
      assert.equal(socket.recovered, true);
      assert.equal(socket.id, id);
    }
    await until(() => heard.length >= 80, () => `all numbers: ${heard.map(([i]) => i)}`);
    const who = await socket.emitWithAck("who am I", true);
    assert.match(who, /^bob as user bob, lost (\d+), back \1$/); // 0 where the next connection came first
    assert.deepEqual(heard.map(([i]) => i), Array.from({ length: 80 }, (_, i) => i));
  });
}

await run();
