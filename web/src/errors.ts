import { codeName } from "./codes.js";

/**
 * Why something failed.
 *
 * - `connect`: the connection could not be made, or the handshake was refused; `code` says why.
 * - `closed`: the connection closed; `code` says why.
 * - `left`: this client is no longer in the room; `code` says why.
 * - `refused`: the server refused a join, or dropped the packet of a request; `code` says why.
 * - `remote`: the other side answered a request with an error; the message is its text.
 * - `timeout`: no answer came in time.
 * - `invalid`: an argument cannot be sent; nothing was sent.
 * - `full`: too much is unanswered or unacknowledged; nothing was sent.
 * - `lost`: after a lost connection nobody can tell any more whether the request was processed.
 */
export type ErrorKind =
  | "connect"
  | "closed"
  | "left"
  | "refused"
  | "remote"
  | "timeout"
  | "invalid"
  | "full"
  | "lost";

/** The one error that this package throws and rejects with. */
export class VolleyError extends Error {
  override readonly name = "VolleyError";
  /** What went wrong, for programs. */
  readonly kind: ErrorKind;
  /** The code of the protocol (see `Code`), or 0 where none applies. */
  readonly code: number;

  constructor(kind: ErrorKind, message: string, code = 0) {
    super(message);
    this.kind = kind;
    this.code = code;
  }
}

/** One line for people: the code, its name, and the reason if there is one. @internal */
export function describe(code: number, reason: string): string {
  return `${code} ${codeName(code)}${reason && `: ${reason}`}`;
}

/**
 * A frame of the server that breaks the protocol. It never leaves this package: the client closes
 * the connection with its code. @internal
 */
export class FrameError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
