// The client that is shipped, a real server (webclient_test.go runs it and this file; VOLLEY_SERVER is its host:port) and between
// them a proxy that cuts connections wherever it likes, also within a frame.
import assert from "node:assert/strict";
import net from "node:net";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { Code, connect } from "../../web/dist/volley.js";

const [host, port] = process.env.VOLLEY_SERVER.split(":");
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition, what, ms = 10_000) {
  for (const end = performance.now() + ms; !(await condition()); await sleep(5)) {
    if (performance.now() > end) assert.fail(`never: ${what}`);
  }
}

function randomizer(seed) {
  return (n) => (seed = (seed * 48271) % 0x7fffffff) % n;
}

/** A proxy to the server. */
class Proxy {
  links = new Set();
  open = true; // whether new connections come through
  accepted = 0;

  async listen() {
    this.server = net.createServer((near) => this.#accept(near)).listen(0, "127.0.0.1");
    await once(this.server, "listening");
    this.url = `ws://127.0.0.1:${this.server.address().port}/volley`;
  }

  #accept(near) {
    if (!this.open) return near.destroy();
    this.accepted++;
    const far = net.connect(port, host);
    const link = { near, far, left: Infinity };
    this.links.add(link);
    for (const [from, to] of [[near, far], [far, near]]) {
      from.setNoDelay(true);
      from.on("error", () => {});
      from.on("data", (bytes) => {
        if (link.dead || (link.deaf && from === far)) return;
        to.write(bytes.subarray(0, link.left));
        link.left -= bytes.length;
        if (link.left <= 0) this.#cut(link);
      });
      from.on("close", () => this.#cut(link));
    }
  }

  #cut(link) {
    if (!this.links.delete(link)) return;
    link.dead = true;
    link.near.destroy();
    // The server hears of it at once, or only when the next connection is there: then that one takes over.
    if (link.late) setTimeout(() => link.far.destroy(), link.late).unref();
    else link.far.destroy();
  }

  /** Cuts all connections after so many more bytes in either direction. */
  cut(bytes = 0, late = 0) {
    for (const link of [...this.links]) {
      link.late = late;
      link.left = bytes;
      if (bytes === 0) this.#cut(link);
      else setTimeout(() => this.#cut(link), 30);
    }
  }

  /** Nothing of the server comes through any more, on the connections that there are. */
  deafen() {
    for (const link of this.links) link.deaf = true;
  }

  async close() {
    this.cut();
    this.server.close();
    await once(this.server, "close");
  }
}

let proxy;
const clients = [];
before(async () => (proxy = new Proxy()).listen());
after(() => {
  for (const client of clients) client.close(); // those of tests that failed would come back for ever
  return proxy.close();
});

/** A client in a room of its own, which remembers what it heard. */
async function enter(kind, reconnect = {}) {
  const client = await connect(proxy.url, { reconnect: { minDelay: 20, maxDelay: 100, ...reconnect } });
  clients.push(client);
  client.states = [];
  client.onState(({ status, resumed }) => client.states.push(resumed === undefined ? status : resumed ? "resumed" : "anew"));
  const room = await client.create(kind);
  const seat = { sent: 0, heard: [], snaps: [], rejoins: [], replies: 0, failures: [] };
  room.on("n", (n) => seat.heard.push(n));
  room.on("snap", (n) => seat.snaps.push([seat.heard.length, n]));
  room.onRejoin((info) => seat.rejoins.push(info));
  room.handle("q", (n) => {
    seat.heard.push(n);
    return n + 1000;
  });
  const ask = () => {
    const n = seat.sent++;
    return room.request("r", n, { timeout: 0 }).then(
      (reply) => (assert.equal(reply, 2 * n), seat.replies++),
      (error) => seat.failures.push(error.kind),
    );
  };
  const emit = () => room.emit("n", seat.sent++);
  return { client, room, seat, ask, emit };
}

/** What the server knows in the end, when it says nothing more. */
async function settle({ room, seat }, answers = true) {
  room.emit("hush", true);
  let report;
  await until(async () => {
    report = await room.request("report", true);
    return report.Heard >= seat.sent && (!answers || report.Answered + report.Failed === report.Asked);
  }, `${seat.sent} numbers and all answers`).catch((error) => assert.fail(`${error.message}: ${JSON.stringify(report)}`));
  return report;
}

const row = (n) => Array.from({ length: n }, (_, i) => i);

for (const kind of ["events", "ticks"]) {
  for (const seed of [1, 2, 3]) {
    test(`${kind}, cut at random (${seed}): each number once and in order, both ways`, async () => {
      const random = randomizer(seed);
      const player = await enter(kind);
      const { client, seat } = player;
      const asks = [];
      let cuts = 0;
      for (const end = performance.now() + 1800; performance.now() < end; await sleep(random(15))) {
        if (random(3)) player.emit();
        else if (asks.length - seat.replies < 16) asks.push(player.ask());
        if (random(25)) continue;
        proxy.cut(random(3) * random(400), random(2) * random(300));
        cuts++;
      }
      const report = await settle(player);
      await Promise.all(asks);
      assert.deepEqual(seat.heard, row(report.Said));
      assert.deepEqual([report.Heard, report.Wrong], [seat.sent, 0]);
      assert.deepEqual([report.Answered, report.Failed], [report.Asked, 0]);
      assert.deepEqual([seat.replies, seat.failures, seat.rejoins], [asks.length, [], []]);
      const resumes = client.states.filter((state) => state === "resumed").length;
      assert.ok(resumes > 1 && !client.states.includes("anew"), `${resumes} resumes of ${cuts} cuts: ${client.states}`);
      assert.ok(report.Said > 50 && seat.sent > 100);
      client.close();
    });
  }
}

test("offline: emits wait, requests wait, and both arrive", async () => {
  const player = await enter("ticks");
  const { client, room, seat } = player;
  proxy.open = false;
  proxy.cut();
  await until(() => client.state.status === "reconnecting", "the loss is noticed");
  for (let i = 0; i < 2000; i++) player.emit();
  const asked = player.ask();
  assert.equal(room.connected, false);
  await sleep(300);
  proxy.open = true;
  client.retry();
  await asked;
  const report = await settle(player);
  assert.deepEqual([report.Heard, report.Wrong, report.Dropped, report.Resumed], [2001, 0, 1, 1]);
  assert.deepEqual(seat.heard, row(report.Said));
  client.close();
});

test("away for longer than the room remembers: RESYNC", async () => {
  const player = await enter("forgetful");
  const { client, room, seat } = player;
  const resyncs = [];
  room.onResync((tick) => resyncs.push([tick, seat.heard.length]));
  await until(() => seat.heard.length > 5, "some numbers");
  proxy.open = false;
  proxy.cut();
  for (let i = 0; i < 10; i++) player.emit();
  await sleep(1500); // 30 ticks of 500 bytes, and the log has 8 KiB
  proxy.open = true;
  client.retry();
  await until(() => resyncs.length > 0, "RESYNC");
  const report = await settle(player, false); // the questions that were lost wait for their time to be over
  assert.equal(report.Resynced, 1);
  assert.equal(seat.snaps.length, 1);
  const [at, next] = seat.snaps[0];
  assert.equal(resyncs[0][1], at, "onResync comes before what it announces");
  assert.ok(next > at);
  assert.deepEqual(seat.heard, [...row(at), ...row(report.Said).slice(next)]);
  assert.deepEqual([report.Heard, report.Wrong], [seat.sent, 0], "our own packets are not affected");
  client.close();
});

test("away for longer than the grace period: joined again, and told so", async () => {
  const player = await enter("hasty");
  const { client, room, seat } = player;
  player.emit();
  await until(() => room.ack >= 1, "an acknowledgement");
  const before = room.clientId;
  proxy.open = false;
  proxy.cut();
  const lost = player.ask();
  player.emit();
  await sleep(800);
  proxy.open = true;
  client.retry();
  await until(() => seat.rejoins.length > 0, "onRejoin");
  assert.deepEqual(seat.rejoins, [{ lost: 2 }]);
  await lost;
  assert.deepEqual(seat.failures, ["lost"]);
  assert.equal(room.joined, true);
  assert.ok(room.clientId > 0 && before > 0);
  seat.sent = 0;
  player.emit();
  await player.ask();
  const report = await room.request("report", true);
  assert.deepEqual([report.Heard, report.Wrong], [2, 0]);
  client.close();
});

test("rejoin: false, and the seat is gone", async () => {
  const { client, room } = await enter("hasty", { rejoin: false });
  proxy.open = false;
  proxy.cut();
  await sleep(800);
  proxy.open = true;
  client.retry();
  const { code } = await room.left;
  assert.ok(code === Code.ResumeFailed || code === 1006 || code === Code.IdleTimeout, String(code));
  await until(() => client.state.status === "open", "a connection");
  client.close();
});

test("a connection on which nothing comes any more: the client gives it up, and keeps its seat", async (t) => {
  const page = new EventTarget(); // as a browser has one, for a network that was away
  globalThis.addEventListener = page.addEventListener.bind(page);
  globalThis.removeEventListener = page.removeEventListener.bind(page);
  t.after(() => delete globalThis.addEventListener && delete globalThis.removeEventListener);
  const player = await enter("ticks");
  proxy.deafen();
  player.emit();
  page.dispatchEvent(new Event("online"));
  await until(() => player.client.states.includes("resumed"), "it is back");
  const report = await settle(player);
  assert.deepEqual([report.Heard, report.Wrong], [1, 0]);
  assert.deepEqual(player.seat.heard, row(report.Said));
  player.client.close();
});

test("kicked while away", async () => {
  const player = await enter("ticks");
  const { client, room } = player;
  room.emit("over", true);
  room.flush();
  proxy.cut(40);
  assert.deepEqual(await room.left, { code: Code.Kicked, reason: "that was it" });
  client.close();
});

test("close leaves at once: the seat is free", async () => {
  const { client, room } = await enter("ticks");
  const other = await connect(proxy.url);
  const seen = await other.joinById(room.id);
  client.close();
  assert.equal((await client.closed).code, Code.Normal);
  await until(async () => (await seen.request("report", true)).Heard === 0, "an answer");
  other.close();
});
