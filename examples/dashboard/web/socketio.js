// The same over socket.io-client, as npm ships it: the namespace /dashboard is the same room.
const firstWait = 500; // ms
const longestWait = 8_000;

/** Loads socket.io-client, which is a script of its own. */
export async function load() {
  await new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "/socket.io/socket.io.js";
    script.onload = resolve;
    script.onerror = () => reject(new Error("socket.io-client did not load"));
    document.head.append(script);
  });
  return window.io;
}

export class SocketIO {
  #told;
  #socket;
  #failures = 0;
  #timer;

  /** told is as Native's. */
  constructor(io, told) {
    this.#told = told;
    const socket = (this.#socket = io("/dashboard", { reconnectionDelay: firstWait, reconnectionDelayMax: longestWait }));
    told.state({ status: "connecting" });
    socket.onAny((event, payload) => told.event(event, payload));
    socket.on("connect", () => {
      this.#failures = 0;
      told.state({ status: "open" });
    });
    socket.on("disconnect", (reason) => this.#lost(reason));
    socket.on("connect_error", (error) => this.#lost(error.message));
    socket.io.on("reconnect_attempt", () => told.state({ status: "connecting" }));
  }

  retry() {
    clearTimeout(this.#timer);
    this.#socket.disconnect().connect();
  }

  emit(event, payload) {
    this.#socket.volatile.emit(event, payload);
  }

  watch(id, dots, over) {
    const swarm = this.#socket.io.socket(`/swarm/${id}`, { auth: { Watch: true } }); // over the same connection
    swarm.on("dots", dots);
    swarm.on("disconnect", over);
    swarm.on("connect_error", over);
    return () => {
      swarm.off();
      swarm.disconnect();
    };
  }

  /** While the socket is active it comes back by itself; otherwise that is ours to do: the server has ended the room. */
  #lost(reason) {
    if (this.#socket.active) return this.#told.state({ status: "lost", why: why(reason), wait: 0 });
    if (reason === "io client disconnect") return;
    const wait = Math.random() * Math.min(longestWait, firstWait * 2 ** this.#failures++);
    this.#told.state({ status: "lost", why: why(reason), wait });
    this.#timer = setTimeout(() => this.#socket.connect(), wait);
  }
}

function why(reason) {
  const plain = {
    "io server disconnect": "The server is shutting down.",
    "ping timeout": "The server does not answer.",
    "transport close": "The server does not answer.",
    "transport error": "The server does not answer.",
    "xhr poll error": "The server does not answer.",
    "websocket error": "The server does not answer.",
  };
  return plain[reason] ?? reason;
}
