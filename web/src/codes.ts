/**
 * The codes of the protocol: WebSocket close codes and the codes of BYE, LEFT and NOTICE are one
 * table. The wire name of a code is its key in kebab case (`RoomFull` is "room-full"); a test holds
 * this table against docs/protocol.md.
 */
export const Code = {
  Normal: 1000,
  GoingAway: 1001,
  WebsocketProtocol: 1002,
  TextMessage: 1003,
  TooBig: 1009,
  Internal: 1011,
  Overloaded: 1013,
  Malformed: 4000,
  UnsupportedVersion: 4001,
  UnexpectedFrame: 4002,
  TooComplex: 4003,
  BadPayload: 4004,
  UnknownEvent: 4005,
  RateLimited: 4006,
  HandshakeTimeout: 4007,
  IdleTimeout: 4008,
  Unauthorized: 4009,
  SlowConsumer: 4011,
  InboxFull: 4012,
  Replaced: 4013,
  ResumeFailed: 4014,
  BadChannel: 4015,
  BadSequence: 4016,
  TooManyRequests: 4017,
  Left: 4100,
  RoomFull: 4101,
  RoomLocked: 4102,
  NoSuchRoom: 4103,
  NoSuchKind: 4104,
  JoinRefused: 4105,
  Kicked: 4106,
  RoomClosed: 4107,
  RoomFailed: 4108,
  TooManyRooms: 4109,
} as const;

/**
 * What to do after the connection closed with some code. `no`: it would happen again; `later`:
 * connect again after the server's delay, or with exponential back-off and full jitter; `new`:
 * connect again at once, as a new session.
 */
export type Reconnect = "no" | "later" | "new";

// RFC 6455 reserves these for what no peer sent: the connection broke, or the close frame was empty.
const lost = 1006;
const noStatus = 1005;

const names = new Map<number, string>(
  Object.entries(Code).map(([key, code]) => [code, key.replace(/(?<=.)[A-Z]/g, "-$&").toLowerCase()]),
);
names.set(lost, "connection-lost").set(noStatus, "no-status");

/** The name of a code, such as "idle-timeout"; "unknown" for a code that the protocol does not list. */
export function codeName(code: number): string {
  return names.get(code) ?? "unknown";
}

const never = new Set<number>([Code.Normal, Code.WebsocketProtocol, Code.TextMessage, Code.TooBig]);
const later = new Set<number>([Code.RateLimited, Code.HandshakeTimeout, Code.InboxFull]);
const anew = new Set<number>([Code.IdleTimeout, Code.SlowConsumer, Code.ResumeFailed, Code.BadSequence]);

/** Whether to come back after a close with this code; unknown codes follow the protocol's rule for them. */
export function reconnectRule(code: number): Reconnect {
  if (anew.has(code)) return "new";
  if (never.has(code)) return "no";
  return code >= 4000 && code < 4100 && !later.has(code) ? "no" : "later";
}
