// uWebSockets.js, in a package that carries its binaries. A room is a topic that its sockets subscribe to; what is published
// goes out at the end of the loop's turn, several messages to a socket in one write.
import uWS from "uwebsockets";
import { hostPort } from "./child.mjs";
import { Lobby } from "./games.mjs";

export function start(spec, meter) {
  const app = uWS.App();
  const newLine = (topic) => ({
    add: (socket) => socket.subscribe(topic),
    delete: () => {}, // a closed socket has no topics
    broadcast: (bytes) => app.publish(topic, bytes, true, false),
  });
  const lobby = new Lobby(spec, meter, newLine, (socket, bytes) => socket.send(bytes, true, false));
  app.ws("/*", {
    compression: uWS.DISABLED,
    maxPayloadLength: 64 << 10,
    maxBackpressure: 1 << 20,
    idleTimeout: 120,
    upgrade: (res, req, context) => res.upgrade(
      { kind: req.getUrl().slice(1), place: null },
      req.getHeader("sec-websocket-key"), req.getHeader("sec-websocket-protocol"),
      req.getHeader("sec-websocket-extensions"), context,
    ),
    open: (socket) => {
      const own = socket.getUserData();
      own.place = lobby.enter(own.kind, socket);
      socket.send(Buffer.of(own.place.seat), true, false);
    },
    message: (socket, message) => socket.getUserData().place.hear(new Uint8Array(message)),
    close: (socket) => socket.getUserData().place.leave(),
  });
  return new Promise((resolve, reject) => {
    const { host, port } = hostPort(spec.addr);
    app.listen(host, port, spec.reuse_port ? 0 : uWS.LIBUS_LISTEN_EXCLUSIVE_PORT, (token) => {
      if (!token) return reject(new Error(`cannot listen on ${spec.addr}`));
      const addr = host.includes(":") ? `[${host}]` : host;
      resolve({
        addr: `${addr}:${uWS.us_socket_local_port(token)}`,
        broadcast: (burst, window) => lobby.broadcast(burst, window),
      });
    });
  });
}
