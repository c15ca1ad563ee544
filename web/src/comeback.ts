import { now } from "./alarm.js";
import { backoff } from "./backoff.js";
import { Code, codeName, reconnectRule, type Reconnect } from "./codes.js";
import { encode } from "./codec.js";
import { Connection, type Ended } from "./connection.js";
import { VolleyError } from "./errors.js";
import { Type, version, type ServerFacts, type ServerFrame } from "./frames.js";
import { measure } from "./measure.js";
import { watchPage } from "./page.js";
import type { Room } from "./room.js";
import { address, type WebSocketClass } from "./socket.js";

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
  | { readonly status: "connecting"; readonly attempt: number }
  /** The server has welcomed it; `resumed`: as the one that was here before, with its seats. */
  | { readonly status: "open"; readonly resumed: boolean }
  /** The connection is lost, with that code, and try number `attempt` begins in `delay` ms; Infinity while the page is put away. */
  | { readonly status: "reconnecting"; readonly attempt: number; readonly delay: number; readonly code: number; readonly reason: string }
  /** It is closed for good. */
  | ({ readonly status: "closed" } & CloseInfo);

/** What is alike for all connections of a client. @internal */
export interface Dialling {
  readonly url: string;
  readonly WebSocket: WebSocketClass;
  /** A value, or a function that returns one or promises it. */
  readonly auth: unknown;
  /** Of each handshake, in ms; 0 is without end. */
  readonly timeout: number;
  /** Undefined: never come back. */
  readonly reconnect: ReconnectOptions | undefined;
}

/** Whose connections these are. @internal */
export interface ComebackOwner {
  /** What HELLO says about the channels. */
  resume(): unknown;
  /** A connection that carries on (`facts.resumed`), or a new session after `before`. */
  welcome(facts: ServerFacts, before: Ended | undefined): void;
  /** @throws {@link FrameError} */
  frame(frame: ServerFrame): void;
  ring(): number;
  /** Sends what waits: the page goes away. */
  flush(): void;
  /** The connection that was welcomed is gone. */
  cut(): void;
  state(state: ClientState): void;
  /** It is over. `error`: what the code does not say. */
  closed(info: CloseInfo, error: unknown): void;
  report(error: unknown): void;
}

/** After how long a connection counts as good, in ms: the next loss is a new one. */
const steady = 10_000;

/** One connection after the other, until it is over. @internal */
export class Comeback {
  readonly #dialling: Dialling;
  readonly #owner: ComebackOwner;
  readonly #unwatch: () => void;

  #connection: Connection | undefined;
  /** When the server welcomed us on it. */
  #welcomed: number | undefined;
  /** Of dialling; what an older one brings is late. */
  #turn = 0;
  /** Until the next try. In Node it keeps the process alive, as an open connection does. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;
  #asleep = false;

  /** The server has welcomed us once. */
  #known = false;
  /** What the last WELCOME gave us to come back with. */
  #token: string | undefined;
  /** Where to dial, in turn: where the server has sent us to, and where the user has. */
  #addresses: string[];
  #tries = 0; // since the connection was last good
  #notBefore = 0; // until when the server has asked for peace
  #last: Ended | undefined; // how the last connection ended

  constructor(dialling: Dialling, owner: ComebackOwner) {
    this.#dialling = dialling;
    this.#owner = owner;
    this.#addresses = [dialling.url];
    this.#unwatch = watchPage({
      wake: () => this.#wake(),
      hide: (kept) => this.#hide(kept),
      show: () => this.#show(),
    });
    void this.#dial();
  }

  /** The connection, if the server has welcomed us on it. */
  get connection(): Connection | undefined {
    return this.#welcomed === undefined ? undefined : this.#connection;
  }

  /** Tries now, if a try is due later. */
  retry(): void {
    if (this.#timer !== undefined) void this.#dial();
  }

  /** Ends everything. `error`: what the code does not say. */
  close(code: number, reason: string, delay = 0, error?: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#unwatch();
    this.#drop(code, reason);
    this.#owner.closed({ code, name: codeName(code), reason, reconnect: reconnectRule(code), delay }, error);
  }

  async #dial(): Promise<void> {
    this.#stop();
    const turn = this.#turn;
    this.#owner.state({ status: "connecting", attempt: this.#tries });
    if (turn !== this.#turn) return; // a listener has closed us
    const { auth, timeout, WebSocket } = this.#dialling;
    const token = this.#token;
    const url = this.#addresses[Math.max(0, this.#tries - 1) % this.#addresses.length]!;
    try {
      const value = token === undefined && typeof auth === "function" ? await (auth as () => unknown)() : auth;
      if (turn !== this.#turn) return;
      if (token === undefined) measure(value, "auth", 62);
      const hello = () => (token !== undefined ? { resume: [token, this.#owner.resume()] } : value === undefined ? {} : { auth: value });
      this.#connection = new Connection(open(WebSocket, url), timeout, {
        hello: () => encode([Type.Hello, version, hello()]),
        welcome: (facts) => this.#onWelcome({ ...facts, resumed: facts.resumed && token !== undefined }, url),
        frame: (frame) => this.#owner.frame(frame),
        ring: () => this.#owner.ring(),
        ended: (end) => turn === this.#turn && this.#onEnded(end, token !== undefined),
      });
    } catch (error) {
      if (turn !== this.#turn) return;
      // At first it is the caller's fault; later it may pass.
      if (!this.#known) return this.close(Code.Normal, "", 0, error);
      this.#owner.report(error);
      this.#onEnded({ code: 1006, reason: (error as Error).message, delay: 0, address: "" }, false);
    }
  }

  #onWelcome(facts: ServerFacts, url: string): void {
    const { url: first } = this.#dialling;
    this.#addresses = url === first ? [url] : [url, first];
    this.#token = facts.token;
    this.#known = true;
    this.#welcomed = now();
    // With our first word the old token ends. Until then a HELLO of ours that is late on its way, on a
    // connection that we have given up, could take the session away from this one.
    if (facts.resumed) this.#connection!.send(encode([Type.Ping, 0]));
    this.#owner.welcome(facts, this.#last);
    if (this.connection) this.#owner.state({ status: "open", resumed: facts.resumed });
  }

  /** A connection ended, or a try failed; `resuming`: its HELLO had a token. */
  #onEnded(end: Ended, resuming: boolean): void {
    const { reconnect } = this.#dialling;
    const rule = reconnectRule(end.code);
    if (this.#welcomed !== undefined && now() - this.#welcomed >= steady) this.#tries = 0;
    const tries = this.#tries;
    const last = !reconnect || tries >= (reconnect.tries ?? Infinity) || (!this.#known && !reconnect.first);
    if (last || rule === "no") return this.close(end.code, end.reason, end.delay);
    // Otherwise the token is tried, also when a new session is due: a server that has not heard from us for
    // long, or was not read by us, may still keep our seats, and would keep them from us as well.
    if (end.code === Code.ResumeFailed || end.code === Code.BadSequence) this.#token = undefined;
    if (end.address) this.#redirect(end.address);
    const refused = resuming && end.code === Code.ResumeFailed; // the next try is another one: without the token
    const atOnce = rule === "new" && (tries === 0 || refused);
    const { minDelay = 500, maxDelay = 30_000 } = reconnect;
    const wait = atOnce ? 0 : end.delay + backoff(tries, Math.random(), minDelay, maxDelay);
    this.#notBefore = now() + end.delay;
    this.#tries++;
    this.#wait(Math.min(wait, 0x7fffffff), end);
  }

  #redirect(to: string): void {
    try {
      this.#addresses = [address(to), this.#dialling.url];
    } catch {
      // Not an address: the same place, then.
    }
  }

  /** Waits for the next try; Infinity: until somebody else begins it. */
  #wait(delay: number, end: Ended): void {
    this.#drop(end.code, end.reason);
    this.#last = end;
    if (delay < Infinity) this.#timer = setTimeout(() => void this.#dial(), delay);
    this.#owner.state({ status: "reconnecting", attempt: this.#tries, delay, code: end.code, reason: end.reason });
  }

  /** Lets go of what there is. */
  #drop(code: number, reason: string): void {
    this.#stop();
    const open = this.connection !== undefined;
    this.#welcomed = undefined;
    this.#connection?.close(code, reason); // nobody hears of it: the turn is another
    this.#connection = undefined;
    if (open) this.#owner.cut();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#turn++;
  }

  #wake(): void {
    if (this.#timer === undefined) this.connection?.probe();
    else if (now() >= this.#notBefore) this.retry();
  }

  // A page that is put away must not keep a seat that others could have: it leaves, and joins again
  // when it is back.
  #hide(kept: boolean): void {
    this.#owner.flush();
    const end = { code: Code.Normal, reason: "the page is gone", delay: 0, address: "" };
    if (!kept || !this.#known || !this.#dialling.reconnect) return this.close(end.code, end.reason);
    this.#asleep = true;
    this.#token = undefined;
    this.#tries = 1;
    this.#wait(Infinity, end);
  }

  #show(): void {
    if (this.#asleep) void this.#dial();
    this.#asleep = false;
  }
}

function open(WebSocket: WebSocketClass, url: string): InstanceType<WebSocketClass> {
  try {
    return new WebSocket(url);
  } catch (cause) {
    // Not an address, or a page that may not connect there.
    throw new VolleyError("invalid", `cannot connect: ${(cause as Error).message}`);
  }
}
