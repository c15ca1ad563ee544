import { Code } from "./codes.js";
import { encode, Encoded } from "./codec.js";
import { describe, FrameError, VolleyError } from "./errors.js";
import { Type, type ChannelFrame, type JoinedFrame, type LeftFrame, type Limits, type ResumedFrame } from "./frames.js";
import { Room } from "./room.js";
import type { Link } from "./seat.js";

/** How to join: the numbers of JOIN. @internal */
export const How = { JoinOrCreate: 0, Create: 1, Join: 2, ById: 3 } as const;

/** What a JOIN asks for: a kind, or for `How.ById` a room. */
interface Wanted {
  readonly how: number;
  readonly name: string;
}

/** One use of a channel, from the first JOIN to the last LEFT, over all connections. */
interface Membership {
  /** What was asked for at first, and with which options. */
  readonly first: Wanted;
  readonly options: Encoded;
  /** The JOIN that has no answer yet. */
  pending: Wanted | undefined;
  /** Whether it went out in this session. */
  sent: boolean;
  /** Whether this connection's HELLO named the channel, and the answer is still to come. */
  asked: boolean;
  /** Undefined until the first JOINED. */
  room: Room | undefined;
  /** Who waits for that; undefined if they gave up. */
  waiting: { resolve(room: Room): void; reject(error: VolleyError): void } | undefined;
}

/** What the channels need of the client. @internal */
export interface ChannelsOwner {
  readonly link: Omit<Link, "release">;
  /** Sends, if the server has welcomed us. */
  send(frame: Uint8Array<ArrayBuffer>): void;
  readonly open: boolean;
  /** Whether to join this room again when the server has forgotten that we were in it. */
  rejoin(room: Room): boolean;
}

/** The rooms of a client, and the joins that wait for one, by channel. @internal */
export class Channels {
  readonly #owner: ChannelsOwner;
  readonly #link: Link;
  readonly #members = new Map<number, Membership>();

  constructor(owner: ChannelsOwner) {
    this.#owner = owner;
    // Not a copy: some of it changes.
    this.#link = Object.create(owner.link, { release: { value: (channel: number) => this.#members.delete(channel) } });
  }

  get rooms(): Room[] {
    return [...this.#members.values()].flatMap((m) => m.room ?? []);
  }

  /** Sends a JOIN, now or when there is a connection; `timeout` in ms, 0 for none. */
  async join(wanted: Wanted, options: unknown, timeout: number): Promise<Room> {
    const channel = this.#free();
    const member: Membership = {
      first: wanted, options: new Encoded(encode(options)), pending: wanted, sent: false, asked: false, room: undefined, waiting: undefined,
    };
    const { limits } = this.#owner.link;
    const size = joinFrame(channel, member).length;
    if (size > limits.frame) throw new VolleyError("invalid", `the join has ${size} bytes; a frame may have ${limits.frame}`);
    this.#members.set(channel, member);
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      return await new Promise<Room>((resolve, reject) => {
        member.waiting = { resolve, reject };
        const expire = () => {
          // The server may still let us in: the channel stays taken until it says LEFT.
          member.waiting = undefined;
          if (!member.sent) this.#members.delete(channel);
          reject(new VolleyError("timeout", `no answer to the join within ${timeout} ms`));
        };
        if (timeout > 0) timer = setTimeout(expire, timeout);
        this.#send(channel, member);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** What HELLO says about each channel that the server may know. */
  resume(): [channel: number, tick: number | null][] {
    const list: [number, number | null][] = [];
    for (const [channel, m] of this.#members) {
      m.asked = m.sent || !m.pending;
      if (m.asked) list.push([channel, m.pending ? null : m.room!._seat.newest]);
    }
    return list;
  }

  /** The connection is gone; the session may not be. */
  cut(): void {
    for (const room of this.rooms) room._seat.cut();
  }

  /** A connection that carries on the session. */
  resumed(): void {
    for (const [channel, m] of this.#members) this.#send(channel, m);
  }

  /** A new session, after one that ended with that code: the server knows nothing of us. */
  begin(code: number, reason: string, limits: Limits): void {
    for (const [channel, m] of [...this.#members]) {
      m.sent = m.asked = false;
      if (m.room) {
        if (channel >= limits.rooms) m.room._end(Code.TooManyRooms, "");
        else if (m.room._seat.leaving) m.room._end(Code.Left, "");
        else if (!this.#again(m)) m.room._end(code, reason);
      } else if (!m.waiting) this.#members.delete(channel);
      if (this.#members.get(channel) === m) this.#send(channel, m);
    }
  }

  /** The client is closed. */
  end(code: number, reason: string): void {
    for (const m of [...this.#members.values()]) {
      if (m.room) m.room._end(code, reason);
      else m.waiting?.reject(new VolleyError("closed", `the connection closed: ${describe(code, reason)}`, code));
    }
    this.#members.clear();
  }

  /** A frame about a channel. @throws {@link FrameError} */
  frame(frame: ChannelFrame): void {
    const m = this.#members.get(frame.channel);
    if (!m) throw misplaced(frame, "which has no room");
    switch (frame.type) {
      case Type.Joined:
        return this.#onJoined(m, frame);
      case Type.Left:
        return this.#onLeft(m, frame);
      case Type.Resumed:
        return this.#onResumed(m, frame);
    }
    // Of a room that we do not want any more, anything may come until LEFT.
    if (m.room && !m.pending) m.room._receive(frame);
    else if (m.waiting || m.room) throw misplaced(frame, "where a JOIN waits");
  }

  #onJoined(m: Membership, frame: JoinedFrame): void {
    const { channel, facts } = frame;
    if (!m.pending) throw misplaced(frame, "where no join waits");
    m.asked = false;
    // Nobody waits any more: leave. The join stays pending, for HELLO, until the server says LEFT.
    if (!m.room && !m.waiting) return this.#owner.send(encode([Type.Leave, channel]));
    m.pending = undefined;
    if (m.room) return m.room._rejoined(facts);
    m.room = new Room(this.#link, channel, facts);
    m.waiting!.resolve(m.room);
    m.waiting = undefined;
  }

  #onResumed(m: Membership, frame: ResumedFrame): void {
    if (!m.asked || m.pending) throw misplaced(frame, "which was not to be resumed");
    m.asked = false;
    m.room!._resumed(frame.seq);
  }

  #onLeft(m: Membership, { channel, code, reason }: LeftFrame): void {
    // Only in answer to HELLO it means: this JOIN never arrived, or this membership cannot be resumed.
    const unknown = m.asked && code === Code.ResumeFailed;
    m.asked = m.sent = false;
    if (unknown && (m.pending ? m.room || m.waiting : this.#again(m))) return this.#send(channel, m);
    if (m.room) {
      // The room that we were in is gone or has no seat: a new one, as the user has asked for it at first.
      const { first, pending } = m;
      const elsewhere = code === Code.NoSuchRoom || code === Code.RoomFull || code === Code.RoomLocked;
      if (pending && pending !== first && first.how !== How.ById && elsewhere) {
        m.pending = first;
        return this.#send(channel, m);
      }
      return unknown && m.room._seat.leaving ? m.room._end(Code.Left, "") : m.room._end(code, reason);
    }
    this.#members.delete(channel);
    m.waiting?.reject(new VolleyError("refused", describe(code, reason), code));
  }

  /** Makes this a membership that is to be joined again, if its user wants that. */
  #again(m: Membership): boolean {
    const room = m.room!;
    if (!room.joined || !this.#owner.rejoin(room)) return false;
    room._seat.cut();
    m.pending = { how: How.ById, name: room.id };
    return true;
  }

  /** Sends the JOIN of a membership, if it has one that is not out and there is a connection. */
  #send(channel: number, m: Membership): void {
    if (!m.pending || m.sent || !this.#owner.open) return;
    m.sent = true;
    this.#owner.send(joinFrame(channel, m));
  }

  #free(): number {
    let channel = 0;
    while (this.#members.has(channel)) channel++;
    if (channel >= this.#owner.link.limits.rooms) {
      throw new VolleyError("refused", `this client is in ${channel} rooms already`, Code.TooManyRooms);
    }
    return channel;
  }
}

function joinFrame(channel: number, { pending, options }: Membership): Uint8Array<ArrayBuffer> {
  return encode([Type.Join, channel, pending!.how, pending!.name, options]);
}

function misplaced(frame: ChannelFrame, why: string): FrameError {
  return new FrameError(Code.BadChannel, `frame type ${frame.type} on channel ${frame.channel}, ${why}`);
}
