import { Alarm, due, now } from "./alarm.js";
import { Code } from "./codes.js";
import { encode } from "./codec.js";
import { describe, FrameError, VolleyError } from "./errors.js";
import { parse, Type, type ServerFacts, type ServerFrame } from "./frames.js";
import { drop, type WebSocketLike } from "./socket.js";

/** How a connection ended. @internal */
export interface Ended {
  readonly code: number;
  readonly reason: string;
  /** How long the server asks to wait, in ms; 0 if it did not say. */
  readonly delay: number;
  /** Where the server asks to come back to; empty: to the same place. */
  readonly address: string;
}

/** Who uses a connection. @internal */
export interface ConnectionOwner {
  /** HELLO, when the socket is open. */
  hello(): Uint8Array<ArrayBuffer>;
  welcome(facts: ServerFacts): void;
  /** Any frame behind WELCOME that the connection does not answer itself. @throws {@link FrameError} */
  frame(frame: ServerFrame): void;
  /** Some time has come that `wakeBy` was told; returns when to look again. */
  ring(): number;
  /** The one end of the connection, whoever ended it. Nothing of it is heard afterwards. */
  ended(end: Ended): void;
}

// How long a server may stay silent when we have reason to think that the network has changed, in ms.
const patience = 4000;

/** One socket, from HELLO to its end. @internal */
export class Connection {
  readonly #socket: WebSocketLike;
  readonly #owner: ConnectionOwner;
  readonly #alarm = new Alarm((late) => this.#ring(late));
  readonly #pings = new Map<number, { sent: number; resolve: (ms: number) => void; reject: (error: VolleyError) => void }>();
  readonly #handshake: ReturnType<typeof setTimeout> | undefined;

  #interval: number | undefined; // of the server's pings, in ms; undefined before WELCOME
  #ended: Ended | undefined;
  #heard = now();
  #probed = Infinity; // when a probe is over
  #stamp = 0;
  #socketError = "";

  /** `timeout`: how long the handshake may take, in ms; 0 is without end. */
  constructor(socket: WebSocketLike, timeout: number, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#owner = owner;
    const expire = () => this.close(Code.HandshakeTimeout, `no WELCOME within ${timeout} ms`);
    if (timeout > 0) this.#handshake = setTimeout(expire, timeout);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.send(owner.hello());
    socket.onmessage = (event: { data: unknown }) => this.#onMessage(event.data);
    // Browsers do not say what went wrong; `ws` does.
    socket.onerror = (event: { message?: unknown }) => {
      if (typeof event.message === "string") this.#socketError = event.message;
    };
    socket.onclose = (event: { code: number; reason: string }) =>
      this.close(event.code, event.reason || this.#socketError);
  }

  /** Whether the server has welcomed us and the end has not come. */
  get open(): boolean {
    return this.#interval !== undefined && !this.#ended;
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    if (!this.#ended) this.#socket.send(frame);
  }

  /** Measures one round trip, in ms. */
  ping(): Promise<number> {
    return new Promise((resolve, reject) => {
      const stamp = ++this.#stamp;
      this.#pings.set(stamp, { sent: now(), resolve, reject });
      this.send(encode([Type.Ping, stamp]));
    });
  }

  /** Asks for a sign of life, and takes the server for dead if none comes soon. */
  probe(): void {
    if (!this.open || this.#probed < Infinity) return;
    this.#probed = now() + patience;
    this.#alarm.by(this.#probed);
    this.send(encode([Type.Ping, 0]));
  }

  /** Rings the owner at `time` or before. */
  wakeBy(time: number): void {
    this.#alarm.by(time);
  }

  /** Ends the connection; the server hears the code as far as a WebSocket lets us. */
  close(code: number, reason: string, delay = 0, address = ""): void {
    if (this.#ended) return;
    this.#ended = { code, reason, delay, address };
    clearTimeout(this.#handshake);
    this.#alarm.stop();
    drop(this.#socket, code, reason);
    for (const ping of this.#pings.values()) ping.reject(new VolleyError("closed", describe(code, reason), code));
    this.#owner.ended(this.#ended);
  }

  #onMessage(data: unknown): void {
    this.#heard = now();
    this.#probed = Infinity;
    try {
      const frame = parse(bytesOf(data));
      if (frame) this.#onFrame(frame);
    } catch (error) {
      // Listeners' exceptions do not come this far: the frame is to blame.
      const code = error instanceof FrameError ? error.code : Code.Malformed;
      this.close(code, `bad frame from the server: ${(error as Error).message}`);
    }
  }

  #onFrame(frame: ServerFrame): void {
    switch (frame.type) {
      case Type.Ping:
        return this.send(encode([Type.Pong, frame.stamp]));
      case Type.Bye:
        return this.close(frame.code, frame.reason, frame.delay, frame.address);
      case Type.Welcome:
        return this.#onWelcome(frame.facts);
    }
    if (!this.open) throw new FrameError(Code.UnexpectedFrame, `frame type ${frame.type} before WELCOME`);
    if (frame.type === Type.Pong) this.#onPong(frame.stamp);
    else this.#owner.frame(frame);
  }

  #onWelcome(facts: ServerFacts): void {
    if (this.open) throw new FrameError(Code.UnexpectedFrame, "a second WELCOME");
    clearTimeout(this.#handshake);
    this.#interval = facts.ping;
    this.#alarm.by(this.#deadAt());
    this.#owner.welcome(facts);
  }

  #onPong(stamp: number): void {
    const ping = this.#pings.get(stamp);
    if (!ping) return;
    this.#pings.delete(stamp);
    ping.resolve(now() - ping.sent);
  }

  /** When the server is taken for dead if it says nothing more. */
  #deadAt(): number {
    return Math.min(this.#interval ? this.#heard + 2.5 * this.#interval : Infinity, this.#probed);
  }

  #ring(late: number): void {
    // A page that slept, or was stopped in a debugger, finds its timers first and what the server
    // sent only after them: it gets another chance to hear it.
    if (late > 1000 && due(this.#deadAt())) {
      this.#heard = now() - 2 * this.#interval!;
      this.#probed = Infinity;
    }
    if (due(this.#deadAt())) {
      return this.close(Code.IdleTimeout, "nothing came from the server for too long");
    }
    const next = Math.min(this.#deadAt(), this.#owner.ring());
    if (next < Infinity) this.#alarm.by(next);
  }
}

function bytesOf(data: unknown): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (data instanceof Uint8Array) return data;
  throw new FrameError(Code.TextMessage, "not a binary message");
}
