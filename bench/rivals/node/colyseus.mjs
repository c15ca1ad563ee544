// Colyseus over its WebSocket transport. Rooms send bytes, which is the least that it can do for a message: no schema and no
// msgpack.
import { createServer } from "node:http";
import { Server, Room } from "@colyseus/core";
import { WebSocketTransport } from "@colyseus/ws-transport";
import { hostPort } from "./child.mjs";
import { Arena, Hall, Ticker, capacityRoom, seats } from "./games.mjs";

// Rooms have no state to patch, and no timers of their own: 20 times a second they would look for changes.
const never = 24 * 3600 * 1000;

class Bench extends Room {
  autoDispose = false;
  patchRate = never;
  taken = 0;

  onJoin(client) {
    client.sendBytes("seat", Buffer.of(this.taken++ % seats));
  }
}

// kinds are the rooms by name. They tick by the same clock as the other servers on Node, so that all have one rate.
function kinds(spec, ticker, halls) {
  return {
    rooms: class extends Bench {
      maxClients = spec.clients;

      onCreate() {
        const arena = new Arena();
        this.onMessageBytes("input", (client, bytes) => arena.hear(client.userData, bytes));
        ticker.add(() => this.broadcastBytes("state", arena.state)); // it copies
      }

      onJoin(client) {
        client.userData = this.taken % seats;
        super.onJoin(client);
      }
    },
    fanout: class extends Bench {
      onCreate() {
        this.hall = new Hall((bytes) => this.broadcastBytes("broadcast", bytes));
        halls.push(this.hall);
        this.onMessageBytes("seen", (client, bytes) => this.hall.hear(client, bytes));
      }

      onLeave(client) {
        this.hall.leave(client);
      }
    },
    capacity: class extends Bench {
      maxClients = capacityRoom;

      onCreate() {
        this.onMessageBytes("event", (client, bytes) => client.sendBytes("answer", bytes));
      }
    },
    echo: class extends Bench {
      onCreate() {
        this.onMessageBytes("ping", (client, bytes) => client.sendBytes("pong", bytes));
      }
    },
  };
}

export async function start(spec, meter) {
  if (spec.reuse_port) throw new Error("several processes need a Redis for their matchmaking; measure fewer connections");
  const halls = [];
  const http = createServer();
  const server = new Server({
    greet: false,
    gracefullyShutdown: false,
    transport: new WebSocketTransport({
      server: http, perMessageDeflate: false, skipUTF8Validation: true,
      ...(spec.ping_ms > 0 && { pingInterval: spec.ping_ms }),
    }),
  });
  const room = kinds(spec, new Ticker(Math.max(spec.rate, 1), meter), halls)[spec.workload];
  server.define(spec.workload, room);
  const { host, port } = hostPort(spec.addr);
  await server.listen(port, host, 4096);
  const a = http.address();
  return {
    addr: a.family === "IPv6" ? `[${a.address}]:${a.port}` : `${a.address}:${a.port}`,
    broadcast: (burst, window) => halls.forEach((h) => h.pace(burst, window)),
  };
}
