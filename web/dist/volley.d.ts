/**
 * The client of Volley servers: `connect`, join rooms, listen and emit.
 *
 * ```ts
 * const client = await connect("ws://localhost:8080/volley");
 * const room = await client.joinOrCreate("pong", { name: "Ann" });
 * room.on("state", (state) => draw(state));
 * room.emit("move", { DY: 0.5 });
 * ```
 *
 * @packageDocumentation
 */
export { connect } from "./connect.js";
export { Client, type ConnectOptions } from "./client.js";
export type { ClientState, CloseInfo, ReconnectOptions } from "./comeback.js";
export { Room } from "./room.js";
export { VolleyError, type ErrorKind } from "./errors.js";
export { Code, codeName, reconnectRule, type Reconnect } from "./codes.js";
export type { AnyEvents, Answer, EventName, LeaveInfo, Meta, PayloadArgs } from "./events.js";
export type { Question, RejoinInfo, RequestName, RequestOptions } from "./events.js";
export type { Limits } from "./frames.js";
export type { Unsubscribe } from "./listeners.js";
export type { WebSocketClass, WebSocketLike } from "./socket.js";
