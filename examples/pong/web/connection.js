// The client and its room. A lost connection comes back by itself, with the seat, and the game goes on; what remains here is the
// very first connection, to join again when a room has ended, and to say how things stand.
import { Code, codeName, connect } from "/volley.js";
import { CountingSocket } from "./bytes.js";

const firstWait = 500; // ms, doubled with each failure
const longestWait = 4_000; // so that there are some tries while the seat is kept

export class Connection {
  client;
  room;

  #told;
  #failures = 0; // in a row, to connect for the first time or to join
  #timer;
  #joining = false;

  /**
   * told has options(), what to join with; joined(room), for each room; anew(room), when a room tells everything anew;
   * lost(text, wait), when there is no game: the next try begins in wait ms, undefined: none will before retry is called; and
   * back(), when the game goes on.
   */
  constructor(told) {
    this.#told = told;
    this.retry();
  }

  /** Tries now. */
  retry() {
    const { client } = this;
    if (!client || client.state.status === "closed") this.#connect();
    else if (client.state.status === "open") this.#join();
    else client.retry();
  }

  /** Leaves the room and joins again, with other options. */
  async rejoin() {
    const { room } = this;
    this.room = undefined;
    await room?.leave();
    this.#join();
  }

  async #connect() {
    clearTimeout(this.#timer);
    try {
      const client = (this.client = await connect(undefined, { WebSocket: CountingSocket, reconnect: { maxDelay: longestWait } }));
      client.onState((state) => this.#show(state));
      this.#join();
    } catch (error) {
      this.client = undefined;
      this.#again(error.code, error.message);
    }
  }

  async #join() {
    clearTimeout(this.#timer);
    if (this.room || this.#joining) return;
    this.#joining = true;
    try {
      const room = (this.room = await this.client.joinOrCreate("pong", this.#told.options()));
      this.#failures = 0;
      room.onLeave((code, reason) => room === this.room && this.#out(code, reason));
      room.onRejoin(() => this.#told.anew(room));
      room.onResync(() => this.#told.anew(room));
      this.#told.joined(room);
    } catch (error) {
      this.#out(error.code, error.message);
    } finally {
      this.#joining = false;
    }
  }

  /** We are in no room. */
  #out(code, reason) {
    this.room = undefined;
    if (this.client.state.status !== "open") return; // #show tells, and joins when it is open
    if (code === Code.Kicked) this.#told.lost(text(code, reason));
    else this.#again(code, reason);
  }

  #again(code, reason) {
    const wait = Math.random() * Math.min(longestWait, firstWait * 2 ** this.#failures++); // not everybody at the same moment
    this.#told.lost(text(code, reason), wait);
    this.#timer = setTimeout(() => this.retry(), wait);
  }

  #show({ status, delay, code, reason }) {
    if (status === "reconnecting") this.#told.lost(text(code, reason), delay);
    else if (status === "closed") this.#told.lost(text(code, reason));
    else if (status === "open" && this.room) this.#told.back();
    else if (status === "open") this.#join();
  }
}

function text(code, reason) {
  const name = codeName(code);
  return plain[name] ?? (reason || `The connection closed (${name}).`);
}

const plain = {
  "connection-lost": "The server does not answer.",
  "going-away": "The server is shutting down.",
  "room-closed": "The room was closed.",
  "room-failed": "The game had a fault.",
  "slow-consumer": "This connection is too slow for the game.",
  "idle-timeout": "The server has not heard from us for a while.",
  "resume-failed": "The game went on without us.",
  overloaded: "The server is full.",
  replaced: "The game goes on in another window.",
};
