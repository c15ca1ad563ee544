// A tiny server that speaks the protocol, for tests over real sockets: one kind, "echo", whose rooms
// send back what they get. It shares no code with the client: it uses msgpack on its own.
import { once } from "node:events";
import { decode, encode } from "@msgpack/msgpack";
import { WebSocketServer } from "ws";

export async function startServer() {
  const wss = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  await once(wss, "listening");
  const frames = [];
  wss.on("connection", (socket) => {
    let tick = 100;
    const send = (frame) => socket.send(encode(frame));
    socket.on("message", (data, binary) => {
      if (!binary) return socket.close(1003, "");
      const frame = decode(data);
      frames.push(frame);
      const [type, channel] = frame;
      switch (type) {
        case 1:
          send([2, 1, welcome()]);
          return;
        case 3:
          if (frame[3] !== (frame[2] === 3 ? "r1" : "echo")) return send([6, channel, 4104, "no such kind"]);
          send([4, channel, { room: "r1", kind: "echo", client: 7, tick, rate: 0, acks: 1000 }]);
          // At once, in the same packet of the network if it likes: nobody may lose it.
          send([0, channel, ++tick, 0, [["hello", frame[4]]]]);
          return;
        case 0: {
          const packets = frame[4].map(([event, payload, id]) =>
            id === undefined ? [event, payload] : event === "fail" ? [-2, "it failed", id] : [-1, payload, id],
          );
          send([0, channel, ++tick, frame[2] + packets.length - 1, packets]);
          return;
        }
        case 5:
          return send([6, channel, 4100, ""]);
        case 7:
          return send([8, channel]);
        default:
          socket.close(4002, `frame type ${type}`);
      }
    });
  });
  return {
    url: `ws://127.0.0.1:${wss.address().port}/volley`,
    frames,
    sockets: wss.clients,
    async close() {
      for (const socket of wss.clients) socket.terminate();
      wss.close();
      await once(wss, "close");
    },
  };
}

export function welcome(overrides = {}) {
  return { sid: "s1", ping: 25000, names: ["move", "state"], limits: limits(), ...overrides };
}

export function limits(overrides = {}) {
  return { frame: 65536, packets: 256, depth: 16, elements: 4096, rooms: 8, requests: 16, ...overrides };
}
