import { type ClientState, type CloseInfo, type ReconnectOptions } from "./comeback.js";
import type { AnyEvents } from "./events.js";
import { type Limits } from "./frames.js";
import { type Unsubscribe } from "./listeners.js";
import type { Room } from "./room.js";
import type { WebSocketClass } from "./socket.js";
/** Options of `connect`. Each may be left out. */
export interface ConnectOptions {
    /**
     * Any value, for the server's authentication hook; or a function that returns one or promises it,
     * which is called for each new session.
     */
    auth?: unknown;
    /** How long each handshake, and each join, may take, in ms; 0 is without end. 10,000 if not given. */
    timeout?: number;
    /** The class of WebSockets to use instead of the platform's. */
    WebSocket?: WebSocketClass;
    /** How many packets of a room may be unacknowledged before `emit` throws. 4096 if not given. */
    maxUnacked?: number;
    /** The same in bytes. 1 MiB if not given. */
    maxUnackedBytes?: number;
    /** Whether and how to come back when the connection is lost. True if not given. */
    reconnect?: boolean | ReconnectOptions;
    /** Called with each state from the first on; see `Client.onState`. */
    onState?: (state: ClientState) => unknown;
}
/**
 * A session on a server, and the rooms that it is in. It comes from `connect`.
 *
 * It outlives its connection: when that is lost it connects again, with growing waits, and carries on
 * with the same rooms. It is closed by `close`, by a code that says not to come back, or when `reconnect`
 * allows no more tries.
 */
export declare class Client {
    #private;
    /** Resolves when the client is closed for good; never rejects. */
    readonly closed: Promise<CloseInfo>;
    private constructor();
    /** What the client is doing. */
    get state(): ClientState;
    /** The session's public name, as the server's logs have it. */
    get sid(): string;
    /** What the server allows. */
    get limits(): Limits;
    /** The last round trip that `ping` measured, in ms; undefined before the first. */
    get rtt(): number | undefined;
    /** The rooms that this client is in. */
    get rooms(): Room[];
    /**
     * Joins an open room of this kind, or creates one. `options` is what the game expects of a newcomer.
     *
     * Rejects with a {@link VolleyError} of kind `refused` with a code 4101–4109, `timeout`, `closed`,
     * or `invalid`; so do the other three.
     */
    joinOrCreate<Server extends object = AnyEvents, ClientEvents extends object = AnyEvents>(kind: string, options?: unknown): Promise<Room<Server, ClientEvents>>;
    /** Creates a room of this kind and joins it. */
    create<Server extends object = AnyEvents, ClientEvents extends object = AnyEvents>(kind: string, options?: unknown): Promise<Room<Server, ClientEvents>>;
    /** Joins an open room of this kind; refused with `Code.NoSuchRoom` if there is none. */
    join<Server extends object = AnyEvents, ClientEvents extends object = AnyEvents>(kind: string, options?: unknown): Promise<Room<Server, ClientEvents>>;
    /** Joins the room with this id; refused with `Code.NoSuchRoom` if there is none. */
    joinById<Server extends object = AnyEvents, ClientEvents extends object = AnyEvents>(id: string, options?: unknown): Promise<Room<Server, ClientEvents>>;
    /** Measures one round trip, in ms. Rejects with a {@link VolleyError} if there is no connection, or it is lost. */
    ping(): Promise<number>;
    /** Tries to connect at once, instead of after the wait of the state `reconnecting`. */
    retry(): void;
    /** Calls `listener` with each new state. */
    onState(listener: (state: ClientState) => unknown): Unsubscribe;
    /** Calls `listener` once, when the client is closed for good, by whichever side. */
    onClose(listener: (info: CloseInfo) => unknown): Unsubscribe;
    /** Calls `listener` with what listeners and handlers throw; without one, `console.error` gets it. */
    onError(listener: (error: unknown) => unknown): Unsubscribe;
    /** Sends what was emitted, leaves all rooms and closes for good. Harmless when it is closed. */
    close(): void;
}
