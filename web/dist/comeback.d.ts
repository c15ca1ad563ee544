import { type Reconnect } from "./codes.js";
import type { Room } from "./room.js";
/** How to come back after a lost connection. Each may be left out. */
export interface ReconnectOptions {
    /** Keep trying also when the very first connection cannot be made. False if not given: `connect` rejects. */
    first?: boolean;
    /** How many tries in a row may fail before the client closes. Without end if not given. */
    tries?: number;
    /** The limit of the wait before the first try, in ms; it doubles with each. The wait is anything below it. 500 if not given. */
    minDelay?: number;
    /** Where that limit ends, in ms. 30,000 if not given. */
    maxDelay?: number;
    /**
     * What to do with a room when the server has given up our seat in it: true (if not given) joins it
     * again, false leaves it, a function decides for each.
     */
    rejoin?: boolean | ((room: Room) => boolean);
}
/** How and why a client closed. */
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
/** What a client is doing. */
export type ClientState = 
/** It connects: for the first time (`attempt` 0), or for the n-th time after it was lost. */
{
    readonly status: "connecting";
    readonly attempt: number;
}
/** The server has welcomed it; `resumed`: as the one that was here before, with its seats. */
 | {
    readonly status: "open";
    readonly resumed: boolean;
}
/** The connection is lost, with that code, and try number `attempt` begins in `delay` ms; Infinity while the page is put away. */
 | {
    readonly status: "reconnecting";
    readonly attempt: number;
    readonly delay: number;
    readonly code: number;
    readonly reason: string;
}
/** It is closed for good. */
 | ({
    readonly status: "closed";
} & CloseInfo);
