import { Code } from "./codes.js";
import { decode, encode, Encoded } from "./codec.js";
import { FrameError } from "./errors.js";

/** The frame types of the protocol, the first element of every frame. @internal */
export const Type = {
  Volley: 0,
  Hello: 1,
  Welcome: 2,
  Join: 3,
  Joined: 4,
  Leave: 5,
  Left: 6,
  Ping: 7,
  Pong: 8,
  Names: 9,
  Notice: 10,
  Bye: 11,
  Resumed: 12,
  Resync: 13,
} as const;

/** The version of the protocol that this client speaks. @internal */
export const version = 1;

/** What a server allows, from its WELCOME. */
export interface Limits {
  /** Bytes in one frame of ours. */
  readonly frame: number;
  /** Packets in one frame of ours. */
  readonly packets: number;
  /** Nesting in one frame of ours, the frame itself included. */
  readonly depth: number;
  /** Values in one frame of ours, the frame itself and map keys included. */
  readonly elements: number;
  /** Rooms that one connection may be in at once. */
  readonly rooms: number;
  /** Unanswered requests at once, in each room. */
  readonly requests: number;
}

/** One packet of a VOLLEY; `event` is a name, or an index into the event table. @internal */
export type Packet =
  | { readonly kind: "event"; readonly event: string | number; readonly payload: unknown }
  | { readonly kind: "request"; readonly event: string | number; readonly payload: unknown; readonly id: number }
  | { readonly kind: "reply"; readonly payload: unknown; readonly id: number }
  | { readonly kind: "failure"; readonly text: string; readonly id: number };

/** @internal */
export interface VolleyFrame {
  readonly type: typeof Type.Volley;
  readonly channel: number;
  readonly tick: number;
  readonly ack: number;
  readonly packets: readonly Packet[];
}
/** @internal */
export interface LeftFrame {
  readonly type: typeof Type.Left;
  readonly channel: number;
  readonly code: number;
  readonly reason: string;
}
/** @internal */
export interface NoticeFrame {
  readonly type: typeof Type.Notice;
  readonly channel: number;
  readonly code: number;
  readonly reason: string;
  readonly seq: number;
}
/** @internal */
export interface ResumedFrame {
  readonly type: typeof Type.Resumed;
  readonly channel: number;
  readonly seq: number;
}
/** @internal */
export interface ResyncFrame {
  readonly type: typeof Type.Resync;
  readonly channel: number;
  readonly tick: number;
}
/** @internal */
export interface JoinedFrame {
  readonly type: typeof Type.Joined;
  readonly channel: number;
  readonly facts: RoomFacts;
}
/** @internal */
export interface ByeFrame {
  readonly type: typeof Type.Bye;
  readonly code: number;
  readonly reason: string;
  readonly delay: number;
  readonly address: string;
}
/** The facts of JOINED. @internal */
export interface RoomFacts {
  readonly room: string;
  readonly kind: string;
  readonly client: number;
  readonly tick: number;
  readonly rate: number;
  readonly acks: number;
}
/** The facts of WELCOME. @internal */
export interface ServerFacts {
  readonly sid: string;
  /** What resumes the session; undefined: nothing does. */
  readonly token: string | undefined;
  readonly resumed: boolean;
  readonly ping: number;
  readonly names: readonly string[];
  readonly limits: Limits;
}

/** A frame of the server, with every type checked. @internal */
export type ServerFrame =
  | VolleyFrame
  | LeftFrame
  | NoticeFrame
  | { readonly type: typeof Type.Welcome; readonly facts: ServerFacts }
  | JoinedFrame
  | ResumedFrame
  | ResyncFrame
  | { readonly type: typeof Type.Ping; readonly stamp: number }
  | { readonly type: typeof Type.Pong; readonly stamp: number }
  | { readonly type: typeof Type.Names; readonly first: number; readonly names: readonly string[] }
  | ByeFrame;

/** A frame about one channel. @internal */
export type ChannelFrame = VolleyFrame | LeftFrame | NoticeFrame | JoinedFrame | ResumedFrame | ResyncFrame;

/**
 * Reads one frame of the server.
 *
 * @returns undefined for a frame type that this version does not know.
 * @throws {@link FrameError} with the close code that the frame deserves.
 * @internal
 */
export function parse(bytes: Uint8Array): ServerFrame | undefined {
  let value: unknown;
  try {
    value = decode(bytes);
  } catch (cause) {
    throw new FrameError(Code.Malformed, `not one msgpack value: ${(cause as Error).message}`);
  }
  if (!Array.isArray(value)) throw new FrameError(Code.Malformed, "the frame is not an array");
  const f = value as unknown[];
  const type = int(f[0], "frame type");
  switch (type) {
    case Type.Volley:
      return {
        type,
        channel: int(f[1], "channel"),
        tick: int(f[2], "tick"),
        ack: int(f[3], "ack"),
        packets: list(f[4], "packets").map(packet),
      };
    case Type.Welcome:
      if (int(f[1], "version") !== version) {
        throw new FrameError(Code.UnsupportedVersion, `the server answered in version ${f[1]}`);
      }
      return { type, facts: serverFacts(map(f[2], "facts")) };
    case Type.Joined:
      return { type, channel: int(f[1], "channel"), facts: roomFacts(map(f[2], "facts")) };
    case Type.Left:
      return { type, channel: int(f[1], "channel"), code: int(f[2], "code"), reason: str(f[3], "reason") };
    case Type.Ping:
    case Type.Pong:
      return { type, stamp: int(f[1], "stamp") };
    case Type.Names:
      return { type, first: int(f[1], "first"), names: strings(f[2], "names") };
    case Type.Notice:
      return {
        type,
        channel: int(f[1], "channel"),
        code: int(f[2], "code"),
        reason: str(f[3], "reason"),
        seq: int(f[4], "seq"),
      };
    case Type.Bye:
      return {
        type,
        code: int(f[1], "code"),
        reason: str(f[2], "reason"),
        delay: int(f[3], "delay"),
        address: f[4] === undefined ? "" : str(f[4], "address"),
      };
    case Type.Resumed:
      return { type, channel: int(f[1], "channel"), seq: int(f[2], "seq") };
    case Type.Resync:
      return { type, channel: int(f[1], "channel"), tick: int(f[2], "tick") };
    case Type.Hello:
    case Type.Join:
    case Type.Leave:
      throw new FrameError(Code.UnexpectedFrame, `frame type ${type} is for servers only`);
    default:
      return undefined;
  }
}

function packet(value: unknown): Packet {
  const p = list(value, "packet");
  const [event, payload] = p;
  if (p.length < 2) bad("packet", p);
  if (event === -1) return { kind: "reply", payload, id: id(p[2]) };
  if (event === -2) return { kind: "failure", text: str(payload, "text"), id: id(p[2]) };
  const known = typeof event === "string" ? event : int(event, "event");
  return p.length === 2
    ? { kind: "event", event: known, payload }
    : { kind: "request", event: known, payload, id: id(p[2]) };
}

function serverFacts(m: Record<string, unknown>): ServerFacts {
  const l = map(m.limits, "limits");
  return {
    sid: str(m.sid, "sid"),
    token: m.token === undefined ? undefined : str(m.token, "token"),
    resumed: m.resumed === true,
    ping: int(m.ping, "ping"),
    names: strings(m.names, "names"),
    limits: {
      frame: int(l.frame, "limits.frame"),
      packets: int(l.packets, "limits.packets"),
      depth: int(l.depth, "limits.depth"),
      elements: int(l.elements, "limits.elements"),
      rooms: int(l.rooms, "limits.rooms"),
      requests: int(l.requests, "limits.requests"),
    },
  };
}

function roomFacts(m: Record<string, unknown>): RoomFacts {
  return {
    room: str(m.room, "room"),
    kind: str(m.kind, "kind"),
    client: int(m.client, "client"),
    tick: int(m.tick, "tick"),
    rate: int(m.rate, "rate"),
    acks: int(m.acks, "acks"),
  };
}

function int(value: unknown, what: string): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : bad(what, value);
}

/** The id of a request: a number from 1. */
function id(value: unknown): number {
  return int(value, "id") || bad("id", value);
}

function str(value: unknown, what: string): string {
  return typeof value === "string" ? value : bad(what, value);
}

function list(value: unknown, what: string): readonly unknown[] {
  return Array.isArray(value) ? value : bad(what, value);
}

function strings(value: unknown, what: string): readonly string[] {
  return list(value, what).map((item) => str(item, what));
}

function map(value: unknown, what: string): Record<string, unknown> {
  const plain = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return plain ? (value as Record<string, unknown>) : bad(what, value);
}

function bad(what: string, value: unknown): never {
  const got = value === undefined ? "missing" : Array.isArray(value) ? "an array" : typeof value;
  throw new FrameError(Code.Malformed, `${what} is wrong (${got})`);
}

/** The most bytes that `volley` puts before the packets, and the values and levels that it adds. @internal */
export const overhead = { bytes: 1 + 1 + 9 + 9 + 9 + 5, elements: 6, depth: 3 };

/**
 * A VOLLEY of ours around packets that are encoded already: a packet is encoded once, when it is
 * emitted, however often it is sent.
 * @internal
 */
export function volley(
  channel: number,
  seq: number,
  tick: number,
  packets: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  return encode([Type.Volley, channel, seq, tick, packets.map((bytes) => new Encoded(bytes))]);
}
