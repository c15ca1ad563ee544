// A server that the bench measures beside Volley: `node --expose-gc serve.mjs NAME`. It talks to its parent as bench/plug.go
// says. Without a line on its standard input it only loads the server's libraries, and ends: so the bench learns whether they
// work here.
process.env.NODE_ENV = "production";
console.log = console.info = console.error; // standard output is for answers

const servers = {
  ws: () => import("./ws.mjs"),
  uwebsockets: () => import("./uwebsockets.mjs"),
  socketio: () => import("./socketio.mjs"),
  "socketio-msgpack": () => import("./socketio-msgpack.mjs"),
  colyseus: () => import("./colyseus.mjs"),
};

const { child } = await import("./child.mjs");
const { start } = await servers[process.argv[2]]();
child(start);
