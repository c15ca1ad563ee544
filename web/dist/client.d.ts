import { type Reconnect } from "./codes.js";
import type { AnyEvents } from "./events.js";
import { type Limits } from "./frames.js";
import { type Unsubscribe } from "./listeners.js";
import { Room } from "./room.js";
import { type WebSocketClass } from "./socket.js";
/** Options of `connect`. Each may be left out. */
export interface ConnectOptions {
    /** Any value, for the server's authentication hook. */
    auth?: unknown;
    /** How long the handshake, and each join, may take, in ms; 0 is without end. 10,000 if not given. */
    timeout?: number;
    /** The class of WebSockets to use instead of the platform's. */
    WebSocket?: WebSocketClass;
    /** How many packets of a room may be unacknowledged before `emit` throws. 4096 if not given. */
    maxUnacked?: number;
    /** The same in bytes. 1 MiB if not given. */
    maxUnackedBytes?: number;
}
/** How and why a connection closed. */
export interface CloseInfo {
    /** The close code: see `Code`. */
    readonly code: number;
    /** Its name, such as "going-away". */
    readonly name: string;
    /** A text for people; may be empty. */
    readonly reason: string;
    /** Whether and how to come back. */
    readonly reconnect: Reconnect;
    /** How many ms the server asks to wait before that; 0 if it did not say. */
    readonly delay: number;
}
/** One connection to a server, and the rooms that it is in. It comes from `connect`. */
export declare class Client {
    #private;
    /** Resolves when the connection is closed; never rejects. */
    readonly closed: Promise<CloseInfo>;
    private constructor();
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
    /** Measures one round trip, in ms. Rejects with a {@link VolleyError} if the connection closes. */
    ping(): Promise<number>;
    /** Calls `listener` once, when the connection is closed, by whichever side. */
    onClose(listener: (info: CloseInfo) => unknown): Unsubscribe;
    /** Calls `listener` with what listeners and handlers throw; without one, `console.error` gets it. */
    onError(listener: (error: unknown) => unknown): Unsubscribe;
    /** Sends what was emitted, leaves all rooms and closes the connection. Harmless when it is closed. */
    close(): void;
}
