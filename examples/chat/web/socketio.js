// The way to the server by socket.io-client, as npm ships it: one connection, and in it a namespace for each room.
import "/socket.io/socket.io.js";
import { start } from "./app.js";

const { Manager } = globalThis.io;
const patience = 10_000; // ms for an acknowledgement

class SocketIO {
  via = "socket.io";
  #manager = new Manager(location.origin, { autoConnect: false, reconnectionDelay: 500, reconnectionDelayMax: 4000 });
  #sockets = new Set();

  /** told(state): "connecting", "open" or "lost". */
  constructor(told) {
    const manager = this.#manager;
    manager.on("open", () => told("open"));
    manager.on("close", (reason) => told(reason === "forced close" ? "connecting" : "lost")); // forced: we are in no room
    manager.on("error", () => told("lost"));
    // A page that goes away says so. One that the browser keeps for its back button comes back.
    addEventListener("pagehide", () => this.#sockets.forEach((socket) => socket.disconnect()));
    addEventListener("pageshow", ({ persisted }) => persisted && this.#sockets.forEach((socket) => socket.connect()));
  }

  /** As Native's. seat.back() is called when the room goes on after the connection was lost. */
  join(id, hello, seat) {
    const socket = this.#manager.socket(`/chat/${id}`);
    socket.off().offAny();
    socket.auth = (give) => give(hello);
    let why; // we are no longer in the room
    const over = ({ name = "closed" } = {}, text = "") => {
      this.#sockets.delete(socket);
      socket.off().offAny();
      seat.over(name, text);
    };
    socket.onAny((event, payload) => {
      if (event === "volley:left") why = payload;
      else seat.event(event, payload);
    });
    socket.on("connect", () => socket.recovered && seat.back());
    socket.on("disconnect", (reason) => reason === "io server disconnect" && over(why, why?.reason));
    socket.on("connect_error", (error) => {
      if (socket.active) return; // it tries again by itself
      over(error.data ?? { name: "no-such-room" }, error.message);
    });
    this.#sockets.add(socket);
    socket.connect();
    return {
      emit: (event, payload) => socket.connected && socket.emit(event, payload),
      async request(event, payload) {
        if (!socket.connected) return undefined;
        try {
          const value = await socket.timeout(patience).emitWithAck(event, payload);
          return value?.error ? { error: value.error } : { value };
        } catch {
          return undefined;
        }
      },
      leave: () => {
        this.#sockets.delete(socket);
        socket.off().offAny();
        socket.disconnect();
      },
    };
  }
}

start(SocketIO);
