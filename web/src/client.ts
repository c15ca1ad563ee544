import { Channels, How } from "./channels.js";
import { Code } from "./codes.js";
import { encode } from "./codec.js";
import { Comeback, type ClientState, type CloseInfo, type ReconnectOptions } from "./comeback.js";
import type { Ended } from "./connection.js";
import { describe, VolleyError } from "./errors.js";
import type { AnyEvents } from "./events.js";
import { Type, type ChannelFrame, type Limits, type ServerFacts, type ServerFrame } from "./frames.js";
import { Listeners, type Unsubscribe } from "./listeners.js";
import { measure } from "./measure.js";
import { checkName, Names } from "./names.js";
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

/** Who waits for `connect`. */
interface Started {
  resolve(client: Client): void;
  reject(error: unknown): void;
}

/**
 * A session on a server, and the rooms that it is in. It comes from `connect`.
 *
 * It outlives its connection: when that is lost it connects again, with growing waits, and carries on
 * with the same rooms. It is closed by `close`, by a code that says not to come back, or when `reconnect`
 * allows no more tries.
 */
export class Client {
  /** Resolves when the client is closed for good; never rejects. */
  readonly closed: Promise<CloseInfo>;

  readonly #options: ConnectOptions;
  readonly #comeback: Comeback;
  readonly #channels: Channels;
  readonly #states: Listeners<[state: ClientState]>;
  readonly #closes: Listeners<[info: CloseInfo]>;
  readonly #errors: Listeners<[error: unknown]>;

  #state!: ClientState;
  #facts: ServerFacts | undefined;
  #names = new Names();
  readonly #started: Started;
  #resolveClosed!: (info: CloseInfo) => void;
  #end: CloseInfo | undefined;
  #rtt: number | undefined;

  private constructor(url: string, WebSocket: WebSocketClass, options: ConnectOptions, started: Started) {
    this.#options = options;
    this.#started = started;
    this.#errors = new Listeners((error) => console.error(error));
    const report = (error: unknown) => this.#report(error);
    this.#closes = new Listeners(report);
    this.#states = new Listeners(report);
    if (options.onState) this.#states.add(options.onState);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#channels = this.#newChannels();
    const { auth, timeout = 10_000, reconnect = true } = options;
    const how = typeof reconnect === "object" ? reconnect : reconnect ? {} : undefined;
    this.#comeback = this.#newComeback({ url, WebSocket, auth, timeout, reconnect: how });
  }

  /** @internal */
  static _start(url: string, WebSocket: WebSocketClass, options: ConnectOptions): Promise<Client> {
    return new Promise((resolve, reject) => new Client(url, WebSocket, options, { resolve, reject }));
  }

  /** What the client is doing. */
  get state(): ClientState {
    return this.#state;
  }

  /** The session's public name, as the server's logs have it. */
  get sid(): string {
    return this.#facts!.sid;
  }

  /** What the server allows. */
  get limits(): Limits {
    return this.#facts!.limits;
  }

  /** The last round trip that `ping` measured, in ms; undefined before the first. */
  get rtt(): number | undefined {
    return this.#rtt;
  }

  /** The rooms that this client is in. */
  get rooms(): Room[] {
    return this.#channels.rooms;
  }

  /**
   * Joins an open room of this kind, or creates one. `options` is what the game expects of a newcomer.
   *
   * Rejects with a {@link VolleyError} of kind `refused` with a code 4101–4109, `timeout`, `closed`,
   * or `invalid`; so do the other three.
   */
  joinOrCreate<Server extends object = AnyEvents, ClientEvents extends object = AnyEvents>(
    kind: string,
    options?: unknown,
  ): Promise<Room<Server, ClientEvents>> {
    return this.#join(How.JoinOrCreate, kind, options);
  }

  /** Creates a room of this kind and joins it. */
  create<Server extends object = AnyEvents, ClientEvents extends object = AnyEvents>(
    kind: string,
    options?: unknown,
  ): Promise<Room<Server, ClientEvents>> {
    return this.#join(How.Create, kind, options);
  }

  /** Joins an open room of this kind; refused with `Code.NoSuchRoom` if there is none. */
  join<Server extends object = AnyEvents, ClientEvents extends object = AnyEvents>(
    kind: string,
    options?: unknown,
  ): Promise<Room<Server, ClientEvents>> {
    return this.#join(How.Join, kind, options);
  }

  /** Joins the room with this id; refused with `Code.NoSuchRoom` if there is none. */
  joinById<Server extends object = AnyEvents, ClientEvents extends object = AnyEvents>(
    id: string,
    options?: unknown,
  ): Promise<Room<Server, ClientEvents>> {
    return this.#join(How.ById, id, options);
  }

  /** Measures one round trip, in ms. Rejects with a {@link VolleyError} if there is no connection, or it is lost. */
  async ping(): Promise<number> {
    const connection = this.#comeback.connection;
    if (!connection) throw this.#end ? this.#gone() : new VolleyError("closed", "there is no connection at present");
    return (this.#rtt = await connection.ping());
  }

  /** Tries to connect at once, instead of after the wait of the state `reconnecting`. */
  retry(): void {
    this.#comeback.retry();
  }

  /** Calls `listener` with each new state. */
  onState(listener: (state: ClientState) => unknown): Unsubscribe {
    return this.#states.add(listener);
  }

  /** Calls `listener` once, when the client is closed for good, by whichever side. */
  onClose(listener: (info: CloseInfo) => unknown): Unsubscribe {
    return this.#closes.add(listener);
  }

  /** Calls `listener` with what listeners and handlers throw; without one, `console.error` gets it. */
  onError(listener: (error: unknown) => unknown): Unsubscribe {
    return this.#errors.add(listener);
  }

  /** Sends what was emitted, leaves all rooms and closes for good. Harmless when it is closed. */
  close(): void {
    for (const room of this.rooms) room.flush();
    this.#comeback.close(Code.Normal, "");
  }

  async #join<S extends object, C extends object>(how: number, name: string, options: unknown): Promise<Room<S, C>> {
    if (this.#end) throw this.#gone();
    checkName(how === How.ById ? "the id of a room" : "the name of a kind", name);
    measure(options, "options", this.limits.depth - 1);
    const room = await this.#channels.join({ how, name }, options, this.#options.timeout ?? 10_000);
    return room as unknown as Room<S, C>;
  }

  #newChannels(): Channels {
    const client = this;
    const { maxUnacked = 4096, maxUnackedBytes = 1 << 20, reconnect } = this.#options;
    const rejoin = (typeof reconnect === "object" ? reconnect.rejoin : undefined) ?? true;
    const send = (frame: Uint8Array<ArrayBuffer>) => this.#comeback.connection?.send(frame);
    return new Channels({
      get open() {
        return client.#comeback.connection !== undefined;
      },
      send,
      rejoin: (room) => (typeof rejoin === "function" ? rejoin(room) : rejoin),
      link: {
        get open() {
          return client.#end === undefined;
        },
        get limits() {
          return client.limits;
        },
        get names() {
          return client.#names;
        },
        bound: { packets: maxUnacked, bytes: maxUnackedBytes },
        send,
        sendLeave: (channel) => send(encode([Type.Leave, channel])),
        wakeBy: (time) => this.#comeback.connection?.wakeBy(time),
        report: (error) => this.#report(error),
      },
    });
  }

  #newComeback(dialling: ConstructorParameters<typeof Comeback>[0]): Comeback {
    return new Comeback(dialling, {
      resume: () => this.#channels.resume(),
      welcome: (facts, before) => this.#onWelcome(facts, before),
      frame: (frame) => this.#onFrame(frame),
      ring: () => this.#ring(),
      flush: () => this.rooms.forEach((room) => room.flush()),
      cut: () => this.#channels.cut(),
      state: (state) => this.#setState(state),
      closed: (info, error) => this.#onClosed(info, error),
      report: (error) => this.#report(error),
    });
  }

  #setState(state: ClientState): void {
    this.#state = state;
    this.#states.call(state);
  }

  #onWelcome(facts: ServerFacts, before: Ended | undefined): void {
    this.#facts = facts;
    // The table is the server's: one that resumes us has the same, perhaps with more in it.
    if (!facts.resumed) this.#names = new Names();
    this.#names.add(0, facts.names);
    if (facts.resumed) this.#channels.resumed();
    else if (before) this.#channels.begin(before.code, before.reason, facts.limits);
    this.#started.resolve(this);
  }

  #onFrame(frame: ServerFrame): void {
    if (frame.type === Type.Names) this.#names.add(frame.first, frame.names);
    else this.#channels.frame(frame as ChannelFrame);
  }

  /** Acknowledges what is due, and returns when to look again. */
  #ring(): number {
    let next = Infinity;
    for (const room of this.rooms) {
      room._seat.ackIfDue();
      next = Math.min(next, room._seat.ackDue);
    }
    return next;
  }

  #report(error: unknown): void {
    if (this.#errors.empty) console.error(error);
    else this.#errors.call(error);
  }

  #gone(): VolleyError {
    const { code, reason } = this.#end!;
    return new VolleyError("closed", `the connection closed: ${describe(code, reason)}`, code);
  }

  #onClosed(info: CloseInfo, error: unknown): void {
    this.#end = info;
    const { code, reason } = info;
    this.#started.reject(
      error ?? new VolleyError(code === Code.HandshakeTimeout ? "timeout" : "connect", describe(code, reason), code),
    );
    this.#channels.end(code, reason);
    this.#resolveClosed(info);
    this.#setState({ status: "closed", ...info });
    this.#closes.call(info);
  }
}
