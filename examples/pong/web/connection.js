// One connection and one room. When they are lost they come back by themselves, unless the server says that it is no use.
import { Code, codeName, connect, reconnectRule } from "/volley.js";
import { CountingSocket } from "./bytes.js";

const firstWait = 500; // ms, doubled with each failure
const longestWait = 10_000;
const steady = 5_000; // a connection that has lasted so long ends a row of failures

export class Connection {
  client;
  room;

  #options;
  #joined;
  #lost;
  #failures = 0;
  #since = 0;
  #timer;
  #turn = 0; // of connecting; what belongs to an older one is late

  /**
   * options() is what to join with. joined(room) is called in each room; lost(text, wait) when it is gone: wait is how many
   * ms until the next try, undefined if there will be none before retry is called.
   */
  constructor({ options, joined, lost }) {
    this.#options = options;
    this.#joined = joined;
    this.#lost = lost;
    // Browsers keep pages, with their connections, for when their user comes back; a seat must not be kept with them.
    addEventListener("pagehide", () => this.#leave());
    addEventListener("pageshow", (event) => event.persisted && this.retry());
    this.retry();
  }

  /** Connects now. */
  async retry() {
    this.#leave();
    const turn = this.#turn;
    try {
      const client = await connect(undefined, { WebSocket: CountingSocket });
      if (turn !== this.#turn) return client.close();
      this.client = client;
      client.onClose((info) => client === this.client && this.#gone(info));
      await this.#join();
    } catch (error) {
      if (turn !== this.#turn) return; // onClose has told already, or another try is under way
      const code = error.code ?? 0;
      this.#gone({ name: code ? codeName(code) : "", reason: error.message, reconnect: reconnectRule(code), delay: 0 });
    }
  }

  /** Leaves the room and joins again, with other options. */
  async rejoin() {
    const room = this.room;
    this.room = undefined;
    await room?.leave();
    await this.#join().catch(() => this.retry());
  }

  async #join() {
    const { client } = this;
    const room = await client.joinOrCreate("pong", this.#options());
    if (client !== this.client) return;
    this.room = room;
    this.#since = performance.now();
    room.onLeave((code, reason) => {
      const roomOnly = code >= Code.Left && code < 4200; // otherwise onClose tells
      if (room !== this.room || !roomOnly) return;
      this.#gone({ name: codeName(code), reason, reconnect: code === Code.Kicked ? "no" : "later", delay: 0 });
    });
    this.#joined(room);
  }

  /** Ends what there is, and what is under way. */
  #leave() {
    clearTimeout(this.#timer);
    this.#turn++;
    const { client } = this;
    this.client = this.room = undefined;
    client?.close();
  }

  #gone({ name, reason, reconnect, delay }) {
    this.#leave();
    if (performance.now() - this.#since > steady) this.#failures = 0;
    const text = plain[name] ?? (reason || `The connection closed (${name}).`);
    if (reconnect === "no") return this.#lost(text);
    const most = Math.min(longestWait, firstWait * 2 ** this.#failures);
    const atOnce = reconnect === "new" && this.#failures === 0;
    const wait = delay || (atOnce ? 0 : most * (0.5 + 0.5 * Math.random())); // not everybody at the same moment
    this.#failures++;
    this.#lost(text, wait);
    this.#timer = setTimeout(() => this.retry(), wait);
  }
}

const plain = {
  "connection-lost": "The server does not answer.",
  "going-away": "The server is shutting down.",
  "room-closed": "The room was closed.",
  "room-failed": "The game had a fault.",
  "slow-consumer": "This connection is too slow for the game.",
  "idle-timeout": "The server has not heard from us for a while.",
  overloaded: "The server is full.",
};
