// Socket.IO over WebSocket alone, as its documentation tunes it. Its rooms encode a message once for all.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { listen } from "./child.mjs";
import { Lobby } from "./games.mjs";

// The events that the bench sends and waits for, by kind of room.
const events = {
  rooms: ["input", "state"],
  fanout: ["seen", "broadcast"],
  capacity: ["event", "answer"],
  echo: ["ping", "pong"],
};

// startWith makes a server with a parser; undefined is the default one.
export async function startWith(parser, spec, meter) {
  const http = createServer();
  const io = new Server(http, {
    ...(parser && { parser }),
    transports: ["websocket"],
    allowUpgrades: false,
    perMessageDeflate: false,
    httpCompression: false,
    serveClient: false,
    maxHttpBufferSize: 64 << 10,
    ...(spec.ping_ms > 0 && { pingInterval: spec.ping_ms }),
  });
  io.engine.on("connection", (raw) => {
    raw.request = null; // the memory of the upgrade
  });
  const [hears, says] = events[spec.workload];
  const newLine = (name) => ({
    add: (socket) => socket.join(name),
    delete: () => {}, // a socket that goes has left its rooms
    broadcast: (bytes) => io.to(name).emit(says, bytes),
  });
  const lobby = new Lobby(spec, meter, newLine, (socket, bytes) => socket.emit(says, bytes));
  io.on("connection", (socket) => {
    const place = lobby.enter(spec.workload, socket);
    socket.on(hears, (bytes) => place.hear(bytes));
    socket.on("disconnect", () => place.leave());
    socket.emit("seat", place.seat);
  });
  return { addr: await listen(http, spec), broadcast: (burst, window) => lobby.broadcast(burst, window) };
}

export const start = (spec, meter) => startWith(undefined, spec, meter);
