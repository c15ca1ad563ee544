/** The part of a WebSocket that the client uses; those of browsers, Node and `ws` have it. */
export interface WebSocketLike {
    binaryType: string;
    onopen: ((event: never) => void) | null;
    onmessage: ((event: never) => void) | null;
    onerror: ((event: never) => void) | null;
    onclose: ((event: never) => void) | null;
    send(data: Uint8Array<ArrayBuffer>): void;
    close(code?: number, reason?: string): void;
}
/** A class of WebSockets. */
export type WebSocketClass = new (url: string) => WebSocketLike;
