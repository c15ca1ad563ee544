// The way to the server by Volley's own client. It comes back by itself when the connection is lost, and nothing that was sent is
// lost or comes twice; what remains here is to say how things stand.
import { codeName, connect } from "/volley.js";
import { start } from "./app.js";

class Native {
  via = "volley";
  #client; // a promise of it
  #told;

  /** told(state): "connecting", "open" or "lost". */
  constructor(told) {
    this.#told = told;
  }

  /**
   * Joins the room with that id. seat.event(name, payload) is called with what the room says, seat.over(code, text) once when we
   * are not in it, or no longer.
   */
  join(id, hello, seat) {
    let room;
    let left = false;
    const joining = this.#connected().then((client) => client.joinById(id, hello));
    joining.then(
      (joined) => {
        if (left) return joined.leave();
        room = joined;
        room.onAny((event, payload) => seat.event(event, payload));
        room.onLeave((code, reason) => left || seat.over(codeName(code), reason));
      },
      (error) => left || seat.over(codeName(error.code), error.message.replace(/^\d+ [a-z-]+(: )?/, "")),
    );
    return {
      /** Sends what only counts while it is new. */
      emit: (event, payload) => room?.connected && room.emit(event, payload),
      /** Resolves to {value} or {error}, as the room answers, or to undefined when it may or may not have heard. */
      async request(event, payload) {
        try {
          return { value: await room.request(event, payload, { timeout: 0 }) };
        } catch (error) {
          return error.kind === "remote" || error.kind === "refused" ? { error: error.message } : undefined;
        }
      },
      leave() {
        left = true;
        room?.leave();
      },
    };
  }

  #connected() {
    const client = (this.#client ??= connect(undefined, {
      reconnect: { first: true, maxDelay: 4000 },
      onState: ({ status, attempt }) => this.#told(status === "open" || (status === "connecting" && !attempt) ? status : "lost"),
    }));
    const again = () => client === this.#client && (this.#client = undefined);
    client.then((c) => c.onClose(again), again);
    return client;
  }
}

start(Native);
