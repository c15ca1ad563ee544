// Never run: `npm run check` compiles it against the types that are shipped.
import { Client, Code, connect, Room, VolleyError, type ClientState } from "volley-client";

interface ServerEvents {
  state: { Ball: [number, number] };
  seat: number;
  over: undefined;
  ready(round: number): boolean;
}
interface ClientEvents {
  move: { DY: number };
  jump: undefined;
  score(player: number): number;
  reset(): string;
}

export async function typed(): Promise<void> {
  const client: Client = await connect("ws://localhost/volley", { auth: { token: "t" }, timeout: 5000, WebSocket });
  const room: Room<ServerEvents, ClientEvents> = await client.joinOrCreate<ServerEvents, ClientEvents>("pong");

  room.on("state", (state, { tick, ack }) => state.Ball[0] + tick + ack);
  room.once("seat", (seat) => seat.toFixed());
  room.onAny((event: "state" | "seat" | "over", payload, meta) => [event, payload, meta.tick]);
  room.handle("ready", (round) => round.toFixed() !== "");
  room.handle("ready", async (round) => round > 1);
  const seq: number = room.emit("move", { DY: 0.5 });
  room.emit("jump");
  const score: number = await room.request("score", 1, { timeout: 5 });
  const reset: string = await room.request("reset", undefined);
  await room.request("reset");
  room.onLeave((code) => code === Code.Kicked);
  client.onClose(({ reconnect, delay }) => [reconnect === "later", delay, seq, score, reset]);

  room.onResync((tick) => tick.toFixed());
  room.onRejoin(({ lost }) => [lost.toFixed(), room.connected, room.clientId]);
  client.onState((state) => text(state));
  client.retry();

  // @ts-expect-error there is no such event
  room.on("stat", () => {});
  // @ts-expect-error the payload is missing
  room.emit("move");
  // @ts-expect-error the payload is of another type
  room.emit("move", { DX: 1 });
  // @ts-expect-error a request is no event
  room.emit("score", 1);
  // @ts-expect-error an event is no request
  await room.request("move", { DY: 1 });
  // @ts-expect-error a handler must answer with the reply's type
  room.handle("ready", (round) => round);
}

export async function untyped(client: Client): Promise<unknown> {
  const room = await client.joinById("r1", { name: "Ann" });
  room.on("anything", (payload) => payload.of.any.shape);
  room.onAny((event, payload) => [event.length, payload.anything]);
  room.emit("move", { DY: 1 });
  room.emit("jump");
  room.handle("ask", (q) => q.whatever);
  const reply = await room.request("score", 1, { timeout: 0 });
  return reply.anything instanceof VolleyError;
}

function text(state: ClientState): string {
  switch (state.status) {
    case "connecting":
      return `try ${state.attempt}`;
    case "open":
      return state.resumed ? "carried on" : "connected";
    case "reconnecting":
      return `${state.code} ${state.reason}, try ${state.attempt} in ${state.delay} ms`;
    case "closed":
      return `${state.name}: ${state.reason}`;
  }
}

export async function options(): Promise<void> {
  await connect("/volley", { reconnect: false });
  const rejoin = (room: Room) => room.kind === "pong";
  await connect("/volley", { auth: async () => "ticket", reconnect: { first: true, tries: 5, minDelay: 1, maxDelay: 2, rejoin }, onState: text });
  // @ts-expect-error there is no such option
  await connect("/volley", { reconnect: { often: true } });
}
