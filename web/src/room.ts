import { Code } from "./codes.js";
import { describe, VolleyError } from "./errors.js";
import type { Answer, AnyEvents, EventName, LeaveInfo, Meta, PayloadArgs, Question } from "./events.js";
import type { RejoinInfo, RequestName, RequestOptions } from "./events.js";
import { Type, type NoticeFrame, type Packet, type ResyncFrame, type RoomFacts, type VolleyFrame } from "./frames.js";
import { Listeners, type Unsubscribe } from "./listeners.js";
import { Requests } from "./requests.js";
import { Seat, type Link } from "./seat.js";

type Handler = (payload: unknown) => unknown;

/**
 * This client's membership in one room: `Server` are the events that the room sends, `Client` those
 * that it takes. Rooms come from the methods of `Client`.
 *
 * A room outlives its connection. While the connection is lost, what is emitted waits; when it is back,
 * the room carries on where it was, and every event, request and reply arrives exactly once and in
 * order, in both directions. Two things may happen instead, and are told: `onResync`, if we were away
 * for longer than the room remembers, and `onRejoin`, if the server had given up our seat.
 *
 * Events that arrive before the code that awaited the join had its turn are not lost: they are held
 * until the next macrotask. So add the listeners in the turn that got the room, before any other
 * `await` on something that takes longer than a promise that is resolved already.
 */
export class Room<Server extends object = AnyEvents, Client extends object = AnyEvents> {
  /** Resolves when this client is no longer in the room; never rejects. */
  readonly left: Promise<LeaveInfo>;

  /** Of the present membership: a client that had to join again has another one, in the same room. @internal */
  _seat: Seat;

  readonly #link: Link;
  readonly #channel: number;
  readonly #requests = new Requests();
  readonly #handlers = new Map<string, Handler>();
  readonly #listeners = new Map<string, Listeners<[payload: unknown, meta: Meta]>>();
  readonly #any: Listeners<[event: string, payload: unknown, meta: Meta]>;
  readonly #volleys: Listeners<[tick: number, ack: number]>;
  readonly #leaves: Listeners<[code: number, reason: string]>;
  readonly #notices: Listeners<[code: number, reason: string, seq: number]>;
  readonly #resyncs: Listeners<[tick: number]>;
  readonly #rejoins: Listeners<[info: RejoinInfo]>;

  /** Steps that wait until the code that awaited the join had its turn; null from then on. */
  #held: (() => void)[] | null = [];
  /** RESUMED's number, until the first VOLLEY after it. */
  #reached: number | undefined;
  /** Replies were lost; the next VOLLEY says up to where. */
  #resyncing = false;
  #end: LeaveInfo | undefined;
  #resolveLeft!: (info: LeaveInfo) => void;

  /** @internal */
  constructor(link: Link, channel: number, facts: RoomFacts) {
    this.#link = link;
    this.#channel = channel;
    this._seat = new Seat(link, channel, facts);
    this.#any = new Listeners(link.report);
    this.#volleys = new Listeners(link.report);
    this.#leaves = new Listeners(link.report);
    this.#notices = new Listeners(link.report);
    this.#resyncs = new Listeners(link.report);
    this.#rejoins = new Listeners(link.report);
    this.left = new Promise((resolve) => {
      this.#resolveLeft = resolve;
    });
    setTimeout(() => this.#letGo(), 0);
  }

  /** The room's id; others join it by `joinById`. Another one after `onRejoin` if the room was gone. */
  get id(): string {
    return this._seat.facts.room;
  }

  /** The kind of the room. */
  get kind(): string {
    return this._seat.facts.kind;
  }

  /** This client's number in the room, never 0. It changes with `onRejoin`. */
  get clientId(): number {
    return this._seat.facts.client;
  }

  /** Ticks a second; 0 for a room that runs only when something happens. */
  get rate(): number {
    return this._seat.facts.rate;
  }

  /** The last tick that was processed: its packets are being dispatched or were. */
  get tick(): number {
    return this._seat.tick;
  }

  /** The number of our last packet that the room has processed; 0 before the first. */
  get ack(): number {
    return this._seat.ack;
  }

  /** The number of the last packet that we emitted; 0 before the first. */
  get seq(): number {
    return this._seat.seq;
  }

  /**
   * Whether this client is in the room and has not begun to leave it. That stays so while the connection
   * is lost and may come back: what is emitted then waits.
   */
  get joined(): boolean {
    return this.#end === undefined && !this._seat.leaving && this.#link.open;
  }

  /** Whether what is emitted leaves now: `joined`, and the connection stands. */
  get connected(): boolean {
    return this._seat.live && this.joined;
  }

  /** Calls `listener` with each event of this name. */
  on<K extends EventName<Server>>(
    event: K,
    listener: (payload: Server[K], meta: Meta) => unknown,
  ): Unsubscribe {
    let listeners = this.#listeners.get(event);
    if (!listeners) this.#listeners.set(event, (listeners = new Listeners(this.#link.report)));
    return listeners.add(listener as (payload: unknown, meta: Meta) => unknown);
  }

  /** Calls `listener` with the next event of this name only. */
  once<K extends EventName<Server>>(
    event: K,
    listener: (payload: Server[K], meta: Meta) => unknown,
  ): Unsubscribe {
    const off = this.on(event, (payload, meta) => {
      off();
      return listener(payload, meta);
    });
    return off;
  }

  /** Calls `listener` with every event, after the listeners of its name. Requests are not events. */
  onAny(
    listener: (event: EventName<Server>, payload: Server[EventName<Server>], meta: Meta) => unknown,
  ): Unsubscribe {
    return this.#any.add(listener as (event: string, payload: unknown, meta: Meta) => unknown);
  }

  /** Calls `listener` after each frame of the room, when its packets were dispatched. */
  onVolley(listener: (tick: number, ack: number) => unknown): Unsubscribe {
    return this.#volleys.add(listener);
  }

  /**
   * Calls `listener` once when this client is no longer in the room: with a code 4100–4109, or with
   * the close code of the connection.
   */
  onLeave(listener: (code: number, reason: string) => unknown): Unsubscribe {
    return this.#leaves.add(listener);
  }

  /** Calls `listener` when the server dropped our packet number `seq`. */
  onNotice(listener: (code: number, reason: string, seq: number) => unknown): Unsubscribe {
    return this.#notices.add(listener);
  }

  /**
   * Calls `listener` when this client was away, or read too slowly, for longer than the room remembers:
   * forget what you know of the room's state; the events that follow, from `tick` on, tell it anew.
   * What was emitted is not affected; unanswered requests that may have been processed fail as `lost`.
   */
  onResync(listener: (tick: number) => unknown): Unsubscribe {
    return this.#resyncs.add(listener);
  }

  /**
   * Calls `listener` when the server had given up our seat and this client has joined again, by itself
   * and with the same options: the same room, or if that is gone or full, one as it was asked for at
   * first. Everything begins anew: the state, `seq`, `ack` and `clientId`; unanswered requests have
   * failed as `lost`.
   */
  onRejoin(listener: (info: RejoinInfo) => unknown): Unsubscribe {
    return this.#rejoins.add(listener);
  }

  /**
   * Answers the server's requests of this name: with what `handler` returns or resolves to. What it
   * throws is sent as the failure's text, so it should hold no secrets.
   *
   * @throws {@link VolleyError} of kind `invalid` if the event has a handler already.
   */
  handle<K extends RequestName<Server>>(
    event: K,
    handler: (payload: Question<Server[K]>) => Answer<Server[K]> | PromiseLike<Answer<Server[K]>>,
  ): Unsubscribe {
    if (this.#handlers.has(event)) throw new VolleyError("invalid", `"${event}" has a handler already`);
    const own: Handler = (payload) => handler(payload as Question<Server[K]>);
    this.#handlers.set(event, own);
    return () => {
      if (this.#handlers.get(event) === own) this.#handlers.delete(event);
    };
  }

  /**
   * Sends an event. All that is emitted in one turn leaves as one frame; the payload is encoded at
   * once, so it may be changed afterwards. While the connection is lost it waits; for what only counts
   * while it is new, look at `connected` first.
   *
   * Numbers must be finite; integers beyond 2^53 are exact only as bigint. Binary data is a
   * Uint8Array, a time is a Date, an undefined member of an object is left out.
   *
   * @returns the packet's number; the room has processed it when `ack` reaches it.
   * @throws {@link VolleyError} of kind `invalid` for a payload that cannot be sent, `full` if too
   * much is unacknowledged, `left` or `closed` if this client is not in the room.
   */
  emit<K extends EventName<Client>>(event: K, ...args: PayloadArgs<Client[K]>): number {
    this.#checkJoined();
    return this._seat.push(event, this.#link.names.ref(event), args[0]);
  }

  /**
   * Sends a request and waits for its reply. Several requests of one turn, and its events, leave as
   * one frame.
   *
   * Rejects with a {@link VolleyError} of kind `remote` with the room's text, `timeout`, `refused` if
   * the server dropped the packet, `full` if `limits.requests` are unanswered, `lost` if after a lost
   * connection nobody can tell whether it was processed, `left` or `closed` when the room or the client
   * ends, and as {@link emit} throws.
   */
  async request<K extends RequestName<Client>>(
    event: K,
    ...args: [...PayloadArgs<Question<Client[K]>>, options?: RequestOptions]
  ): Promise<Answer<Client[K]>> {
    const [payload, options] = args as unknown as [unknown, RequestOptions?];
    this.#checkJoined();
    if (this.#requests.size >= this.#link.limits.requests) {
      throw new VolleyError("full", `${this.#requests.size} requests are unanswered already`, Code.TooManyRequests);
    }
    const id = this.#requests.nextId();
    const seq = this._seat.push(event, this.#link.names.ref(event), payload, id);
    return (await this.#requests.wait(id, event, seq, options?.timeout ?? 10_000)) as Answer<Client[K]>;
  }

  /** Sends what was emitted so far, instead of at the end of the turn. */
  flush(): void {
    this._seat.flush();
  }

  /**
   * Leaves the room. Events may still arrive until it resolves, which it does however the room ends;
   * it never rejects.
   */
  async leave(): Promise<void> {
    if (this.joined) this._seat.leave();
    await this.left;
  }

  /** A frame of this room came. @throws {@link FrameError} @internal */
  _receive(frame: VolleyFrame | NoticeFrame | ResyncFrame): void {
    switch (frame.type) {
      case Type.Volley: {
        // All that can be wrong with the frame is found now, when the connection can be blamed.
        this._seat.arrived(frame.tick, frame.ack);
        const packets = frame.packets.map((p) =>
          p.kind === "event" || p.kind === "request" ? { ...p, event: this.#link.names.name(p.event) } : p,
        );
        this.#reached = undefined;
        return this.#step(() => this.#onVolley(frame.tick, frame.ack, packets));
      }
      case Type.Notice:
        return this.#step(() => this.#onNotice(frame));
      case Type.Resync: {
        this._seat.arrived(frame.tick, 0);
        const reached = this.#reached;
        return this.#step(() => this.#onResync(frame.tick, reached));
      }
    }
  }

  /** A new connection carries on; packet `seq` was our last to reach the server. @throws {@link FrameError} @internal */
  _resumed(seq: number): void {
    this._seat.resume(seq);
    this.#reached = seq;
  }

  /** The server had forgotten us, and we have joined again. @internal */
  _rejoined(facts: RoomFacts): void {
    this.#letGo(); // what is held belongs to the old membership
    const { unacked, leaving } = this._seat;
    this._seat = new Seat(this.#link, this.#channel, facts);
    this.#reached = undefined;
    this.#resyncing = false;
    this.#requests.failAll(lostRequest);
    this.#rejoins.call({ lost: unacked });
    if (leaving) this._seat.leave();
  }

  /** The room is over for this client. @internal */
  _end(code: number, reason: string): void {
    if (this.#end) return;
    // From here on nothing more is sent: the channel is no longer ours.
    const end = (this.#end = { code, reason });
    this._seat.cut();
    this.#link.release(this.#channel);
    this.#step(() => {
      this.#requests.failAll(() => this.#gone());
      this.#resolveLeft(end);
      this.#leaves.call(code, reason);
    });
  }

  /** Does one step of the room's history now, or in its turn if steps are held. */
  #step(step: () => void): void {
    if (this.#held) this.#held.push(step);
    else step();
  }

  #letGo(): void {
    // A step runs the user's listeners, but none of them can add to #held: frames do not arrive
    // within a turn. Listeners' exceptions are caught where they are called.
    const held = this.#held ?? [];
    this.#held = null;
    for (const step of held) step();
  }

  #onVolley(tick: number, ack: number, packets: readonly Packet[]): void {
    const seat = this._seat;
    seat.begin(tick, ack);
    const meta: Meta = { tick, ack: seat.ack };
    for (const packet of packets) this.#dispatch(packet, meta);
    if (this.#resyncing) {
      this.#resyncing = false;
      this.#requests.failThrough(seat.ack, lostRequest);
    }
    this.#volleys.call(tick, seat.ack);
    seat.done();
  }

  #onResync(tick: number, reached: number | undefined): void {
    this._seat.begin(tick, 0);
    // Lost are the replies to what the room had processed: the next VOLLEY tells how much that was. What
    // had arrived before RESUMED counts as processed.
    if (reached !== undefined) this.#requests.failThrough(reached, lostRequest);
    this.#resyncing = true;
    this.#resyncs.call(tick);
  }

  #dispatch(packet: Packet, meta: Meta): void {
    switch (packet.kind) {
      case "event": {
        const event = packet.event as string;
        this.#listeners.get(event)?.call(packet.payload, meta);
        this.#any.call(event, packet.payload, meta);
        return;
      }
      case "request":
        return void this.#answer(packet.event as string, packet.payload, packet.id);
      case "reply":
        return this.#requests.reply(packet.id, packet.payload);
      case "failure":
        return this.#requests.fail(packet.id, new VolleyError("remote", packet.text));
    }
  }

  async #answer(event: string, payload: unknown, id: number): Promise<void> {
    const handler = this.#handlers.get(event);
    if (!handler) return this.#reply(-2, "no handler", id);
    const asked = this._seat;
    let ref: -1 | -2 = -1;
    let reply: unknown;
    try {
      reply = await handler(payload);
    } catch (error) {
      ref = -2;
      reply = error instanceof Error ? error.message : String(error);
    }
    if (asked === this._seat) this.#reply(ref, reply, id); // in another membership nobody waits for it
  }

  #reply(ref: -1 | -2, payload: unknown, id: number): void {
    if (!this.joined) return; // nobody waits for it any more
    try {
      this._seat.push(ref === -1 ? "reply" : "failure", ref, payload, id);
    } catch (error) {
      this.#link.report(error);
      // The asker must not wait for nothing, but if even this cannot be sent, the outbox is full.
      if (payload !== "cannot reply") this.#reply(-2, "cannot reply", id);
    }
  }

  #onNotice({ code, reason, seq }: NoticeFrame): void {
    const error = new VolleyError("refused", describe(code, reason), code);
    this.#requests.failPacket(seq, error);
    // Nobody listens: a mistyped event name must not be silent.
    if (this.#notices.empty) console.warn(`volley: packet ${seq} was dropped: ${error.message}`);
    this.#notices.call(code, reason, seq);
  }

  #checkJoined(): void {
    if (!this.joined) throw this.#gone();
  }

  #gone(): VolleyError {
    const { code, reason } = this.#end ?? { code: this._seat.leaving ? Code.Left : 0, reason: "" };
    if (code >= Code.Left && code < 4200) return new VolleyError("left", `not in the room: ${describe(code, reason)}`, code);
    return new VolleyError("closed", code ? `the connection closed: ${describe(code, reason)}` : "the connection is closed", code);
  }
}

const lostRequest = () => new VolleyError("lost", "the connection was lost, and whether the request was processed cannot be told any more");
