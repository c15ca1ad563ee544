// Random walks: a client, a network that cuts anywhere, and a model of the server. Whatever happens,
// each packet arrives exactly once and in order, in both directions, and each request has one answer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../.build/src/connect.js";
import { Clock, ModelServer, Network, randomizer, settled } from "./model.mjs";

/** A player in one room: emits, asks and answers, and remembers what it was told, in each membership. */
class Player {
  open = 0; // requests without an answer
  replies = [];
  failures = [];
  seats = [];

  constructor(room) {
    this.room = room;
    this.#sit();
    room.on("n", (n) => this.seat.heard.push(n));
    room.on("snap", (n) => this.seat.snaps.push([this.seat.heard.length, n]));
    room.onResync(() => this.seat.resyncs++);
    room.onRejoin(({ lost }) => {
      this.seat.lost = lost;
      this.#sit();
    });
    room.handle("q", (n) => {
      this.seat.heard.push(n);
      return n + 1000;
    });
    room.left.then((info) => (this.left = info));
  }

  #sit() {
    this.seat = { client: this.room.clientId, sent: 0, heard: [], snaps: [], resyncs: 0, lost: 0 };
    this.seats.push(this.seat);
  }

  act(random) {
    if (!this.room.joined) return;
    // Events and requests are one row of numbers.
    if (random(3)) return this.room.emit("n", this.seat.sent++);
    if (this.open >= 16) return;
    this.open++;
    const n = this.seat.sent++;
    this.room.request("r", n, { timeout: 0 }).then(
      (reply) => (this.open--, this.replies.push([n, reply])),
      (error) => (this.open--, this.failures.push(error.kind)),
    );
  }
}

class Walk {
  players = [];
  joins = 0;

  constructor(seed, options = {}) {
    this.options = options;
    this.random = randomizer(seed);
    this.clock = new Clock(this.random);
    this.server = new ModelServer({ random: this.random, ...options });
    this.network = new Network(this.server);
  }

  async start() {
    const pending = connect("ws://test/volley", { WebSocket: this.network.WebSocket, timeout: 0 });
    await settled();
    this.network.open(this.network.last);
    this.network.up(this.network.last);
    this.network.down(this.network.last);
    this.client = await pending;
    this.join();
  }

  join() {
    if (this.joins - this.players.length + this.client.rooms.length >= 4) return;
    this.joins++;
    this.client.joinOrCreate("pong", { name: `p${this.joins}` }).then((room) => this.players.push(new Player(room)));
  }

  get session() {
    return this.server.sessions.at(-1);
  }

  async step() {
    const { random, network, server } = this;
    const link = network.links[random(network.links.length || 1)];
    switch (random(16)) {
      case 0: case 1: case 2:
        if (link && !link.open && !link.gone) random(4) ? network.open(link) : network.cut(link, 0);
        else if (link) network.up(link);
        break;
      case 3: case 4: case 5: case 6:
        if (link?.open) network.down(link);
        await settled(); // as between any two events of a network
        break;
      case 7: case 8:
        if (link?.open && !link.gone && random(4) === 0) network.cut(link, random(4));
        break;
      case 9:
        await settled();
        this.clock.pass(random(3) ? random(50) : random(1500));
        break;
      case 10: case 11:
        server.tick(this.session);
        break;
      case 12:
        if (random(30) === 0) this.join();
        else if (this.options.losing && random(15) === 0) this.lose();
        else if (random(60) === 0) this.players[random(this.players.length || 1)]?.room.leave();
        break;
      default:
        this.players[random(this.players.length || 1)]?.act(random);
    }
    if (random(3) === 0) await settled();
  }

  /** The server has no session of ours any more, and perhaps no room. */
  lose() {
    this.server.forget(this.random(2) === 0);
    for (const link of [...this.network.links]) if (link.open && !link.gone) this.network.cut(link, 0);
  }

  /** The network is good from here on, until nothing is left to do. */
  async settle() {
    const { network, server, clock } = this;
    for (let quiet = 0; quiet < 12; quiet++) {
      const open = this.client.state.status === "open";
      if (!open) quiet = 0;
      clock.pass(open ? 20 : 5000);
      await settled();
      for (const link of [...network.links]) {
        if (!link.open && !link.gone) network.open(link);
        while (link.up.length) (network.up(link), (quiet = 0));
        while (link.down.length && !link.gone) (network.down(link), (quiet = link.down.length > 50 ? 0 : quiet));
        await settled();
      }
      server.tick(this.session, true);
      await settled();
      if (this.rounds++ > 500) throw new Error("it does not settle");
    }
  }
  rounds = 0;
}

const row = (n) => Array.from({ length: n }, (_, i) => i);

/** Walks many times; `check` looks at each player at the end. */
async function walks(t, options, check) {
  // WALKS=n walks n times.
  const runs = Number(process.env.WALKS ?? 700);
  const sum = { runs, resumes: 0, refusals: 0, memberships: 0, left: 0, packets: 0 };
  for (let seed = 1; seed <= runs; seed++) {
    const walk = new Walk(seed, options);
    try {
      await walk.start();
      const steps = 60 + walk.random(300);
      for (let i = 0; i < steps; i++) await walk.step();
      await walk.settle();
      assert.equal(walk.client.state.status, "open");
      assert.equal(walk.players.length, walk.joins, "every join was answered, once");
      for (const player of walk.players) {
        assert.equal(player.open, 0, "every request has its answer");
        for (const [n, reply] of player.replies) assert.equal(reply, n * 2);
        if (!player.left) assert.equal(player.room.ack, player.room.seq);
        else assert.equal(player.left.code, 4100);
        check(player, walk.server.seats);
        sum.left += player.left ? 1 : 0;
        sum.memberships += player.seats.length;
        sum.packets += player.seats.reduce((n, seat) => n + seat.heard.length + seat.sent, 0);
      }
      sum.resumes += walk.server.resumes;
      sum.refusals += walk.server.refusals;
      walk.client.close();
      assert.equal(walk.clock.timers, 0, "no timer is left");
    } catch (error) {
      throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
    } finally {
      walk.clock.restore();
    }
  }
  t.diagnostic(Object.entries(sum).map(([name, n]) => `${n} ${name}`).join(", "));
  assert.ok(sum.resumes > runs && sum.packets > 20 * runs && sum.left > runs / 100);
  return sum;
}

test("cuts at random: nothing lost, nothing twice, nothing out of order", async (t) => {
  const sum = await walks(t, {}, (player, seats) => {
    const { client, sent, heard } = player.seat;
    const { said, asked, answers, ...there } = seats.get(client);
    assert.equal(player.seats.length, 1);
    assert.deepEqual(there.heard, row(sent), "what the room heard");
    assert.ok(player.failures.every((kind) => kind === "left" && player.left));
    if (player.left) return assert.deepEqual(heard, row(heard.length));
    assert.deepEqual(heard, row(said), "what the player heard");
    assert.deepEqual(answers.sort(([a], [b]) => a - b), asked.map(([id, n]) => [id, n + 1000]), "answers to the room");
  });
  assert.equal(sum.refusals, 0);
});

test("rooms that forget: gaps only where RESYNC tells, and only replies are lost", async (t) => {
  let resyncs = 0, lost = 0;
  const sum = await walks(t, { forgetful: 30 }, (player, seats) => {
    const { client, sent, heard, snaps } = player.seat;
    const there = seats.get(client);
    assert.deepEqual(there.heard, row(sent), "what the room heard");
    let next = 0;
    for (let i = 0; i <= heard.length; i++) {
      for (const [at, n] of snaps) if (at === i) next = n;
      if (i < heard.length) assert.equal(heard[i], next++, "what the player heard");
    }
    if (!player.left) assert.equal(next, there.said, "up to the end");
    assert.ok(player.failures.every((kind) => kind === "lost" || (kind === "left" && player.left)), player.failures.join());
    assert.ok(player.seat.resyncs <= there.resyncs);
    resyncs += player.seat.resyncs;
    lost += player.failures.length;
  });
  t.diagnostic(`${resyncs} resyncs, ${lost} requests lost`);
  assert.equal(sum.refusals, 0);
  assert.ok(resyncs > sum.runs / 4 && lost > sum.runs / 20);
});

test("servers that forget: a new membership begins at the beginning, and says what may be lost", async (t) => {
  const sum = await walks(t, { losing: true }, (player, seats) => {
    assert.ok(player.failures.every((kind) => kind === "lost" || (kind === "left" && player.left)), player.failures.join());
    player.seats.forEach(({ client, sent, heard, lost }, i) => {
      const there = seats.get(client);
      assert.deepEqual(there.heard, row(there.heard.length), "a membership hears its own packets, each once");
      assert.ok(there.heard.length <= sent, `${there.heard.length} heard, ${sent} sent`);
      assert.deepEqual(heard, row(heard.length));
      if (i < player.seats.length - 1) return assert.ok(there.heard.length >= sent - lost, `${sent} sent, ${there.heard.length} heard, ${lost} lost`);
      if (!player.left) assert.deepEqual([there.heard.length, heard.length], [sent, there.said]);
    });
  });
  assert.ok(sum.refusals > sum.runs / 4 && sum.memberships > 2 * sum.left);
});
