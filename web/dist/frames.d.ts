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
