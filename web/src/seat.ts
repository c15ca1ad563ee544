import { due, now } from "./alarm.js";
import { Code } from "./codes.js";
import { encode } from "./codec.js";
import { FrameError, VolleyError } from "./errors.js";
import { overhead, volley, type Limits, type RoomFacts } from "./frames.js";
import { measure } from "./measure.js";
import type { Names } from "./names.js";
import { Outbox, type OutboxBound } from "./outbox.js";

/** What a room needs of its client. @internal */
export interface Link {
  /** The client is not closed; it may be offline. */
  readonly open: boolean;
  readonly limits: Limits;
  readonly names: Names;
  readonly bound: OutboxBound;
  send(frame: Uint8Array<ArrayBuffer>): void;
  sendLeave(channel: number): void;
  /** Looks at the acknowledgements that are due no later than `time`. */
  wakeBy(time: number): void;
  /** Tells the user about an exception of theirs. */
  report(error: unknown): void;
  /** The room is over and its channel is free. */
  release(channel: number): void;
}

/**
 * The numbers of one membership, from JOINED on, over all connections that resume it: which packets of
 * ours the server has, and which ticks of the room we have.
 * @internal
 */
export class Seat {
  readonly facts: RoomFacts;
  /** The last tick that was processed. */
  tick: number;
  /** The last packet of ours that the room has processed. */
  ack = 0;
  /** The newest tick that arrived, which may be ahead of `tick` while the room holds its steps. */
  newest: number;
  /** When the ticks that were processed must be acknowledged; Infinity if they are. */
  ackDue = Infinity;

  readonly #link: Link;
  readonly #channel: number;
  readonly #outbox: Outbox;
  /** Frames of ours may leave: the server has answered JOIN or HELLO about this channel, and was not told LEAVE. */
  #live = true;
  #leaving = false;
  #flushing = false;
  /** The last tick that the server heard from us. */
  #told: number;

  constructor(link: Link, channel: number, facts: RoomFacts) {
    this.#link = link;
    this.#channel = channel;
    this.facts = facts;
    this.tick = this.newest = this.#told = facts.tick;
    this.#outbox = new Outbox(link.limits, link.bound);
  }

  get live(): boolean {
    return this.#live;
  }

  get leaving(): boolean {
    return this.#leaving;
  }

  /** The number of our last packet. */
  get seq(): number {
    return this.#outbox.last;
  }

  /** How many packets are unacknowledged. */
  get unacked(): number {
    return this.#outbox.size;
  }

  /** Encodes a packet, numbers it and sees to it that it leaves. @throws {@link VolleyError} */
  push(what: string, ref: string | number, payload: unknown, id?: number): number {
    const { limits } = this.#link;
    const values = measure(payload, what, limits.depth - overhead.depth);
    const packet = encode(id === undefined ? [ref, payload] : [ref, payload, id]);
    const elements = values + 3; // the array, the event and the id
    if (packet.length + overhead.bytes > limits.frame) {
      throw new VolleyError("invalid", `${what} has ${packet.length} bytes; a frame may have ${limits.frame}`);
    }
    if (elements + overhead.elements > limits.elements) {
      throw new VolleyError("invalid", `${what} holds ${values} values; a frame may hold ${limits.elements}`);
    }
    const seq = this.#outbox.push(packet, elements);
    this.#flushSoon();
    return seq;
  }

  /** Sends what may be sent now. */
  flush(): void {
    if (!this.#live) return;
    for (let batch = this.#outbox.take(); batch; batch = this.#outbox.take()) this.#send(batch.seq, batch.packets);
    // What did not fit goes first, with the acknowledgements to come.
    if (!this.#leaving || this.#waiting) return;
    this.cut(); // LEAVE is our last word
    this.#link.sendLeave(this.#channel);
  }

  /** Sends LEAVE behind what was pushed. */
  leave(): void {
    this.#leaving = true;
    this.flush();
  }

  /** A frame of this tick came, which acknowledges packet `ack`. @throws {@link FrameError} */
  arrived(tick: number, ack: number): void {
    if (tick < this.newest) throw new FrameError(Code.UnexpectedFrame, `tick ${tick} came after tick ${this.newest}`);
    if (ack >= this.#outbox.unsent) {
      throw new FrameError(Code.UnexpectedFrame, `packet ${ack} was acknowledged and never sent`);
    }
    this.newest = tick;
  }

  /** The room begins to process a tick. */
  begin(tick: number, ack: number): void {
    this.tick = tick;
    if (ack > this.ack) this.ack = ack;
    this.#outbox.trim(this.ack);
  }

  /** The room has processed the tick. */
  done(): void {
    if (this.#waiting) this.#flushSoon(); // there is room for more on the way
    // Half of the time that the server gives us, so that the way there fits in as well.
    if (this.tick > this.#told && this.ackDue === Infinity && this.#live) this.ackDue = now() + this.facts.acks / 2;
    this.ackIfDue(); // timers of hidden pages hardly run; frames still arrive
    if (this.ackDue < Infinity) this.#link.wakeBy(this.ackDue);
  }

  /** Acknowledges the ticks that were processed, if it is time. */
  ackIfDue(): void {
    if (!due(this.ackDue)) return;
    this.flush();
    if (this.ackDue < Infinity) this.#send(this.#outbox.unsent, []);
  }

  /** Nothing leaves until the server has answered about this channel. */
  cut(): void {
    this.#live = false;
    this.ackDue = Infinity;
  }

  /** A new connection carries on; packet `seq` was our last to reach the server. @throws {@link FrameError} */
  resume(seq: number): void {
    if (!this.#outbox.rewind(seq)) {
      throw new FrameError(Code.UnexpectedFrame, `the room resumes after packet ${seq}, which cannot be`);
    }
    this.#live = true;
    this.#told = this.newest; // HELLO said so
    this.flush();
  }

  /** Something was pushed that has not left. */
  get #waiting(): boolean {
    return this.#outbox.unsent <= this.#outbox.last;
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.flush();
    });
  }

  #send(seq: number, packets: readonly Uint8Array[]): void {
    this.#link.send(volley(this.#channel, seq, this.tick, packets));
    this.#told = this.tick;
    this.ackDue = Infinity;
  }
}
