/** The events of a room whose types were not given: any name, any payload. */
export type AnyEvents = Record<string, any>;
type IsAny<T> = 0 extends 1 & T ? true : false;
type Fn = (...args: any[]) => unknown;
/** The names of an interface's plain events. */
export type EventName<M> = {
    [K in keyof M & string]: IsAny<M[K]> extends true ? K : M[K] extends Fn ? never : K;
}[keyof M & string];
/** The names of an interface's requests: its members that are functions. */
export type RequestName<M> = {
    [K in keyof M & string]: IsAny<M[K]> extends true ? K : M[K] extends Fn ? K : never;
}[keyof M & string];
/** What a request carries. */
export type Question<T> = IsAny<T> extends true ? T : T extends Fn ? Parameters<T>[0] : never;
/** What a request is answered with. */
export type Answer<T> = IsAny<T> extends true ? T : T extends Fn ? Awaited<ReturnType<T>> : never;
/** A payload as an argument: it may be left out where it may be undefined. */
export type PayloadArgs<P> = undefined extends P ? [payload?: P] : [payload: P];
/** What goes with a packet. */
export interface Meta {
    /** The tick of the frame that brought the packet. */
    readonly tick: number;
    /** The number of our last packet that the room had processed by then. */
    readonly ack: number;
}
/** Why and how a room was left: one of the codes 4100–4109, or the close code of the connection. */
export interface LeaveInfo {
    readonly code: number;
    readonly reason: string;
}
/** What became of a room's old membership when its client had to join again. */
export interface RejoinInfo {
    /**
     * How many packets, emitted before, were unacknowledged and are dropped. The server has processed
     * some of them, all or none: nobody can tell any more.
     */
    readonly lost: number;
}
/** Options of one request. */
export interface RequestOptions {
    /**
     * How long to wait for the reply, in ms, times without a connection included; 0 waits as long as the
     * room lasts. 10,000 if not given.
     */
    timeout?: number;
}
export {};
