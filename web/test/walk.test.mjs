// Random walks: a client, a network that cuts anywhere, and a model of the server. Whatever happens,
// each packet arrives exactly once and in order, in both directions, and each request has one answer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../.build/src/connect.js";
import { Clock, ModelServer, Network, randomizer, settled } from "./model.mjs";

/** A player in one room: emits, asks and answers, and remembers what it was told. */
class Player {
  sent = 0; // events and requests are one row of numbers
  heard = [];
  replies = [];
  questions = [];
  failures = [];
  resyncs = [];
  rejoins = [];
  emitted = []; // per membership: how many numbers

  constructor(room) {
    this.room = room;
    this.id = room.id;
    room.on("n", (n) => this.heard.push(n));
    room.on("snap", (n) => this.resyncs.push([this.heard.length, n]));
    room.onResync((tick) => this.resyncTicks = tick);
    room.onRejoin((info) => this.rejoins.push(info));
    room.handle("q", (n) => {
      this.heard.push(n);
      return n + 1000;
    });
    room.left.then((info) => (this.left = info));
  }

  act(random) {
    if (!this.room.joined) return;
    if (random(3)) return this.room.emit("n", this.sent++);
    const n = this.sent;
    if (this.open >= 16) return;
    this.open = (this.open ?? 0) + 1;
    this.sent++;
    this.room.request("r", n, { timeout: 0 }).then(
      (reply) => (this.open--, this.replies.push([n, reply])),
      (error) => (this.open--, this.failures.push([n, error.kind])),
    );
  }
}

class Walk {
  players = [];
  joins = 0;
  attempts = 0;

  constructor(seed, options = {}) {
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
        else if (random(60) === 0) this.players[random(this.players.length || 1)]?.room.leave();
        break;
      default:
        this.players[random(this.players.length || 1)]?.act(random);
    }
    if (random(3) === 0) await settled();
  }

  /** The network is good from here on, until nothing is left to do. */
  async settle() {
    const { network, server, clock } = this;
    for (let quiet = 0; quiet < 12; quiet++) {
      clock.pass(this.client.state.status === "open" ? 20 : 5000);
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

test("cuts at random: nothing lost, nothing twice, nothing out of order", async (t) => {
  const runs = Number(process.env.WALKS ?? 3000);
  let resumes = 0, packets = 0, players = 0, left = 0;
  for (let seed = 1; seed <= runs; seed++) {
    const walk = new Walk(seed);
    try {
      await walk.start();
      const steps = 60 + walk.random(300);
      for (let i = 0; i < steps; i++) await walk.step();
      await walk.settle();
      assert.equal(walk.client.state.status, "open");
      assert.equal(walk.server.refusals, 0);
      assert.equal(walk.players.length, walk.joins, "every join was answered, once");
      for (const player of walk.players) {
        const room = walk.server.rooms.get(player.id);
        assert.equal(player.room.id, player.id);
        assert.deepEqual(room.heard, row(player.sent), "what the room heard");
        if (player.left) {
          left++;
          assert.deepEqual(player.heard, row(player.heard.length));
          assert.equal(player.left.code, 4100);
          continue;
        }
        assert.deepEqual(player.heard, row(room.said), "what the player heard");
        assert.deepEqual(room.answers.sort(([a], [b]) => a - b), room.asked.map(([id, n]) => [id, n + 1000]), "answers to the room");
        assert.deepEqual(player.failures, []);
        assert.equal(player.open ?? 0, 0, "every request has its answer");
        for (const [n, reply] of player.replies) assert.equal(reply, n * 2);
        assert.equal(player.room.ack, player.room.seq);
        packets += player.heard.length + player.sent;
      }
      players += walk.players.length;
      resumes += walk.server.resumes;
      walk.client.close();
      assert.equal(walk.clock.timers, 0, "no timer is left");
    } catch (error) {
      error.message = `seed ${seed}: ${error.message}`;
      throw error;
    } finally {
      walk.clock.restore();
    }
  }
  t.diagnostic(`${runs} walks, ${resumes} resumes, ${players} memberships (${left} left), ${packets} packets`);
  assert.ok(resumes > runs && packets > 20 * runs && left > runs / 100);
});
