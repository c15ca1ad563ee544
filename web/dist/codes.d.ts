/**
 * The codes of the protocol: WebSocket close codes and the codes of BYE, LEFT and NOTICE are one
 * table. The wire name of a code is its key in kebab case (`RoomFull` is "room-full"); a test holds
 * this table against docs/protocol.md.
 */
export declare const Code: {
    readonly Normal: 1000;
    readonly GoingAway: 1001;
    readonly WebsocketProtocol: 1002;
    readonly TextMessage: 1003;
    readonly TooBig: 1009;
    readonly Internal: 1011;
    readonly Overloaded: 1013;
    readonly Malformed: 4000;
    readonly UnsupportedVersion: 4001;
    readonly UnexpectedFrame: 4002;
    readonly TooComplex: 4003;
    readonly BadPayload: 4004;
    readonly UnknownEvent: 4005;
    readonly RateLimited: 4006;
    readonly HandshakeTimeout: 4007;
    readonly IdleTimeout: 4008;
    readonly Unauthorized: 4009;
    readonly SlowConsumer: 4011;
    readonly InboxFull: 4012;
    readonly Replaced: 4013;
    readonly ResumeFailed: 4014;
    readonly BadChannel: 4015;
    readonly BadSequence: 4016;
    readonly TooManyRequests: 4017;
    readonly Left: 4100;
    readonly RoomFull: 4101;
    readonly RoomLocked: 4102;
    readonly NoSuchRoom: 4103;
    readonly NoSuchKind: 4104;
    readonly JoinRefused: 4105;
    readonly Kicked: 4106;
    readonly RoomClosed: 4107;
    readonly RoomFailed: 4108;
    readonly TooManyRooms: 4109;
};
/**
 * What to do after the connection closed with some code. `no`: it would happen again; `later`:
 * connect again after the server's delay, or with exponential back-off and full jitter; `new`:
 * connect again at once, as a new session.
 */
export type Reconnect = "no" | "later" | "new";
/** The name of a code, such as "idle-timeout"; "unknown" for a code that the protocol does not list. */
export declare function codeName(code: number): string;
/** Whether to come back after a close with this code; unknown codes follow the protocol's rule for them. */
export declare function reconnectRule(code: number): Reconnect;
