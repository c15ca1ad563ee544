// The dashboard over Volley's own client. A lost connection comes back by itself, and brings what was missed; what remains here is
// the very first connection, and to join again when a room has ended.
import { codeName, connect } from "/volley.js";

const firstWait = 500; // ms, doubled with each failure
const longestWait = 8_000;

export class Native {
  #told;
  #client;
  #room;
  #swarm;
  #failures = 0;
  #timer;

  /**
   * told has event(name, payload), for each event of the dashboard, and state({ status, resumed, why, wait }): status is open,
   * connecting or lost; resumed: nothing is told twice; wait is how long the next try takes to come, in ms; undefined: none
   * will before retry is called.
   */
  constructor(told) {
    this.#told = told;
    this.retry();
  }

  /** Tries now. */
  retry() {
    clearTimeout(this.#timer);
    const status = this.#client?.state.status ?? "closed";
    if (status === "closed") this.#connect();
    else if (status !== "open") this.#client.retry();
    else if (!this.#room) this.#join();
  }

  emit(event, payload) {
    if (this.#room?.connected) this.#room.emit(event, payload);
  }

  /** Looks at a swarm: dots(list) is called with each of its states. Returns a function that ends it. */
  watch(id, dots, over) {
    let ended = false;
    const end = () => {
      if (!ended) over();
      ended = true;
    };
    this.#client?.joinById(id, { Watch: true }).then((room) => {
      if (ended) return void room.leave();
      this.#swarm = room;
      room.on("dots", dots);
      room.onLeave(end);
    }, end);
    return () => {
      ended = true;
      this.#swarm?.leave();
      this.#swarm = undefined;
    };
  }

  async #connect() {
    this.#told.state({ status: "connecting" });
    try {
      this.#client = await connect(undefined, { reconnect: { maxDelay: longestWait } });
      this.#client.onState((state) => this.#show(state));
      await this.#join();
    } catch (error) {
      this.#client = undefined;
      this.#again(error);
    }
  }

  async #join() {
    clearTimeout(this.#timer);
    try {
      const room = (this.#room = await this.#client.joinOrCreate("dashboard"));
      this.#failures = 0;
      room.onAny((event, payload) => this.#told.event(event, payload));
      room.onLeave((code, reason) => {
        this.#room = undefined;
        if (this.#client.state.status === "open") this.#again({ code, message: reason });
      });
      this.#told.state({ status: "open" });
    } catch (error) {
      this.#room = undefined;
      if (this.#client.state.status === "open") this.#again(error);
    }
  }

  #again({ code, message }) {
    const wait = Math.random() * Math.min(longestWait, firstWait * 2 ** this.#failures++);
    this.#told.state({ status: "lost", why: why(code, message), wait });
    this.#timer = setTimeout(() => this.retry(), wait);
  }

  #show({ status, resumed, delay, code, reason }) {
    if (status === "open" && !this.#room?.joined) this.#join();
    else if (status === "open") this.#told.state({ status: "open", resumed });
    else if (status === "connecting") this.#told.state({ status: "connecting" });
    else this.#told.state({ status: "lost", why: why(code, reason), wait: delay });
  }
}

function why(code, reason) {
  const plain = {
    "connection-lost": "The server does not answer.",
    "going-away": "The server is shutting down.",
    "room-closed": "The server is shutting down.",
    overloaded: "The server is full.",
  };
  return plain[codeName(code)] ?? (reason || "The connection closed.");
}
