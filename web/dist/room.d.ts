import type { Answer, AnyEvents, EventName, LeaveInfo, Meta, PayloadArgs, Question } from "./events.js";
import type { RejoinInfo, RequestName, RequestOptions } from "./events.js";
import { type Unsubscribe } from "./listeners.js";
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
export declare class Room<Server extends object = AnyEvents, Client extends object = AnyEvents> {
    #private;
    /** Resolves when this client is no longer in the room; never rejects. */
    readonly left: Promise<LeaveInfo>;
    /** The room's id; others join it by `joinById`. Another one after `onRejoin` if the room was gone. */
    get id(): string;
    /** The kind of the room. */
    get kind(): string;
    /** This client's number in the room, never 0. It changes with `onRejoin`. */
    get clientId(): number;
    /** Ticks a second; 0 for a room that runs only when something happens. */
    get rate(): number;
    /** The last tick that was processed: its packets are being dispatched or were. */
    get tick(): number;
    /** The number of our last packet that the room has processed; 0 before the first. */
    get ack(): number;
    /** The number of the last packet that we emitted; 0 before the first. */
    get seq(): number;
    /**
     * Whether this client is in the room and has not begun to leave it. That stays so while the connection
     * is lost and may come back: what is emitted then waits.
     */
    get joined(): boolean;
    /** Whether what is emitted leaves now: `joined`, and the connection stands. */
    get connected(): boolean;
    /** Calls `listener` with each event of this name. */
    on<K extends EventName<Server>>(event: K, listener: (payload: Server[K], meta: Meta) => unknown): Unsubscribe;
    /** Calls `listener` with the next event of this name only. */
    once<K extends EventName<Server>>(event: K, listener: (payload: Server[K], meta: Meta) => unknown): Unsubscribe;
    /** Calls `listener` with every event, after the listeners of its name. Requests are not events. */
    onAny(listener: (event: EventName<Server>, payload: Server[EventName<Server>], meta: Meta) => unknown): Unsubscribe;
    /** Calls `listener` after each frame of the room, when its packets were dispatched. */
    onVolley(listener: (tick: number, ack: number) => unknown): Unsubscribe;
    /**
     * Calls `listener` once when this client is no longer in the room: with a code 4100–4109, or with
     * the close code of the connection.
     */
    onLeave(listener: (code: number, reason: string) => unknown): Unsubscribe;
    /** Calls `listener` when the server dropped our packet number `seq`. */
    onNotice(listener: (code: number, reason: string, seq: number) => unknown): Unsubscribe;
    /**
     * Calls `listener` when this client was away, or read too slowly, for longer than the room remembers:
     * forget what you know of the room's state; the events that follow, from `tick` on, tell it anew.
     * What was emitted is not affected; unanswered requests that may have been processed fail as `lost`.
     */
    onResync(listener: (tick: number) => unknown): Unsubscribe;
    /**
     * Calls `listener` when the server had given up our seat and this client has joined again, by itself
     * and with the same options: the same room, or if that is gone or full, one as it was asked for at
     * first. Everything begins anew: the state, `seq`, `ack` and `clientId`; unanswered requests have
     * failed as `lost`.
     */
    onRejoin(listener: (info: RejoinInfo) => unknown): Unsubscribe;
    /**
     * Answers the server's requests of this name: with what `handler` returns or resolves to. What it
     * throws is sent as the failure's text, so it should hold no secrets.
     *
     * @throws {@link VolleyError} of kind `invalid` if the event has a handler already.
     */
    handle<K extends RequestName<Server>>(event: K, handler: (payload: Question<Server[K]>) => Answer<Server[K]> | PromiseLike<Answer<Server[K]>>): Unsubscribe;
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
    emit<K extends EventName<Client>>(event: K, ...args: PayloadArgs<Client[K]>): number;
    /**
     * Sends a request and waits for its reply. Several requests of one turn, and its events, leave as
     * one frame.
     *
     * Rejects with a {@link VolleyError} of kind `remote` with the room's text, `timeout`, `refused` if
     * the server dropped the packet, `full` if `limits.requests` are unanswered, `lost` if after a lost
     * connection nobody can tell whether it was processed, `left` or `closed` when the room or the client
     * ends, and as {@link emit} throws.
     */
    request<K extends RequestName<Client>>(event: K, ...args: [...PayloadArgs<Question<Client[K]>>, options?: RequestOptions]): Promise<Answer<Client[K]>>;
    /** Sends what was emitted so far, instead of at the end of the turn. */
    flush(): void;
    /**
     * Leaves the room. Events may still arrive until it resolves, which it does however the room ends;
     * it never rejects.
     */
    leave(): Promise<void>;
}
