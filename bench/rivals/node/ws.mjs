// ws, the WebSocket library for Node. It has no rooms: a set of sockets is one.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { listen } from "./child.mjs";
import { Lobby } from "./games.mjs";

const binary = { binary: true, compress: false };

class Line extends Set {
  broadcast(bytes) {
    for (const socket of this) socket.send(bytes, binary);
  }
}

// Listeners are shared: one for each socket would be memory of each socket.
function heard(bytes) {
  this.place.hear(bytes);
}

function closed() {
  this.place.leave();
}

function failed() {} // it closes as well

export async function start(spec, meter) {
  const lobby = new Lobby(spec, meter, () => new Line(), (socket, bytes) => socket.send(bytes, binary));
  const http = createServer();
  const server = new WebSocketServer({
    server: http, perMessageDeflate: false, clientTracking: false, skipUTF8Validation: true, maxPayload: 64 << 10,
  });
  server.on("connection", (socket, request) => {
    socket.place = lobby.enter(request.url.slice(1), socket);
    socket.on("message", heard);
    socket.on("close", closed);
    socket.on("error", failed);
    socket.send(Buffer.of(socket.place.seat), binary);
  });
  return { addr: await listen(http, spec), broadcast: (burst, window) => lobby.broadcast(burst, window) };
}
