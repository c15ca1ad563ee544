import { Alarm, due, now } from "./alarm.js";
import { Code, codeName, reconnectRule, type Reconnect } from "./codes.js";
import { encode } from "./codec.js";
import { describe, FrameError, VolleyError } from "./errors.js";
import type { AnyEvents } from "./events.js";
import { parse, Type, version, type Limits, type ServerFacts, type ServerFrame } from "./frames.js";
import { Listeners, type Unsubscribe } from "./listeners.js";
import { measure } from "./measure.js";
import { checkName, Names } from "./names.js";
import type { OutboxBound } from "./outbox.js";
import { Room, type Link } from "./room.js";
import { drop, type WebSocketClass, type WebSocketLike } from "./socket.js";

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

/** How to join: the numbers of JOIN. */
const How = { JoinOrCreate: 0, Create: 1, Join: 2, ById: 3 } as const;

interface Joining {
  readonly resolve: (room: Room) => void;
  readonly reject: (error: VolleyError) => void;
}

/** Who owns a channel: a join that waits for JOINED, a room, or a join that was given up. */
type Membership = Joining | Room | "abandoned";

interface Pinging {
  readonly sent: number;
  readonly resolve: (ms: number) => void;
  readonly reject: (error: VolleyError) => void;
}

/** One connection to a server, and the rooms that it is in. It comes from `connect`. */
export class Client {
  /** Resolves when the connection is closed; never rejects. */
  readonly closed: Promise<CloseInfo>;

  readonly #socket: WebSocketLike;
  readonly #options: ConnectOptions;
  readonly #bound: OutboxBound;
  readonly #names = new Names();
  readonly #channels = new Map<number, Membership>();
  readonly #pings = new Map<number, Pinging>();
  readonly #closes: Listeners<[info: CloseInfo]>;
  readonly #errors: Listeners<[error: unknown]>;
  readonly #alarm = new Alarm((late) => this.#ring(late));

  #facts: ServerFacts | undefined;
  #welcomed!: { resolve: () => void; reject: (error: VolleyError) => void };
  #resolveClosed!: (info: CloseInfo) => void;
  #end: CloseInfo | undefined;
  #heard = now();
  #stamp = 0;
  #rtt: number | undefined;
  #socketError = "";

  private constructor(socket: WebSocketLike, options: ConnectOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#bound = { packets: options.maxUnacked ?? 4096, bytes: options.maxUnackedBytes ?? 1 << 20 };
    this.#closes = new Listeners((error) => this.#report(error));
    this.#errors = new Listeners((error) => console.error(error));
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** Does the handshake on a socket that is about to open. @internal */
  static async _start(socket: WebSocketLike, options: ConnectOptions): Promise<Client> {
    const client = new Client(socket, options);
    const { auth, timeout = 10_000 } = options;
    const expire = () => client.#finish("timeout", Code.HandshakeTimeout, `no WELCOME within ${timeout} ms`);
    const timer = timeout > 0 ? setTimeout(expire, timeout) : undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        client.#welcomed = { resolve, reject };
        client.#listen(encode([Type.Hello, version, auth === undefined ? {} : { auth }]));
      });
    } finally {
      clearTimeout(timer);
    }
    return client;
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
    return [...this.#channels.values()].filter((m) => m instanceof Room);
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

  /** Measures one round trip, in ms. Rejects with a {@link VolleyError} if the connection closes. */
  ping(): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#end) return reject(this.#gone());
      const stamp = ++this.#stamp;
      this.#pings.set(stamp, { sent: now(), resolve, reject });
      this.#send(encode([Type.Ping, stamp]));
    });
  }

  /** Calls `listener` once, when the connection is closed, by whichever side. */
  onClose(listener: (info: CloseInfo) => unknown): Unsubscribe {
    return this.#closes.add(listener);
  }

  /** Calls `listener` with what listeners and handlers throw; without one, `console.error` gets it. */
  onError(listener: (error: unknown) => unknown): Unsubscribe {
    return this.#errors.add(listener);
  }

  /** Sends what was emitted, leaves all rooms and closes the connection. Harmless when it is closed. */
  close(): void {
    for (const room of this.rooms) room.flush();
    this.#finish("closed", Code.Normal, "");
  }

  #listen(hello: Uint8Array<ArrayBuffer>): void {
    const socket = this.#socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#send(hello);
    socket.onmessage = (event: { data: unknown }) => this.#onMessage(event.data);
    // Browsers do not say what went wrong; `ws` does.
    socket.onerror = (event: { message?: unknown }) => {
      if (typeof event.message === "string") this.#socketError = event.message;
    };
    socket.onclose = (event: { code: number; reason: string }) =>
      this.#finish("closed", event.code, event.reason || this.#socketError);
  }

  #onMessage(data: unknown): void {
    this.#heard = now();
    try {
      const frame = parse(bytesOf(data));
      if (frame) this.#onFrame(frame);
    } catch (error) {
      // Listeners' exceptions do not come this far: the frame is to blame.
      const code = error instanceof FrameError ? error.code : Code.Malformed;
      this.#finish("closed", code, `bad frame from the server: ${(error as Error).message}`);
    }
  }

  #onFrame(frame: ServerFrame): void {
    switch (frame.type) {
      case Type.Ping:
        return this.#send(encode([Type.Pong, frame.stamp]));
      case Type.Bye:
        return this.#finish("closed", frame.code, frame.reason, frame.delay);
      case Type.Welcome:
        return this.#onWelcome(frame.facts);
    }
    if (!this.#facts) throw new FrameError(Code.UnexpectedFrame, `frame type ${frame.type} before WELCOME`);
    switch (frame.type) {
      case Type.Pong:
        return this.#onPong(frame.stamp);
      case Type.Names:
        return this.#names.add(frame.first, frame.names);
      case Type.Joined:
        return this.#onJoined(frame);
      case Type.Left:
        if (this.#onRefused(frame)) return;
        break;
    }
    const room = this.#channels.get(frame.channel);
    if (room instanceof Room) room._receive(frame);
    else if (room !== "abandoned") {
      throw new FrameError(Code.BadChannel, `frame type ${frame.type} on channel ${frame.channel}, which has no room`);
    }
  }

  #onWelcome(facts: ServerFacts): void {
    if (this.#facts) throw new FrameError(Code.UnexpectedFrame, "a second WELCOME");
    this.#facts = facts;
    this.#names.add(0, facts.names);
    this.#alarm.by(this.#deadAt());
    this.#welcomed.resolve();
  }

  #onPong(stamp: number): void {
    const ping = this.#pings.get(stamp);
    if (!ping) return;
    this.#pings.delete(stamp);
    this.#rtt = now() - ping.sent;
    ping.resolve(this.#rtt);
  }

  #onJoined({ channel, facts }: ServerFrame & { type: typeof Type.Joined }): void {
    const joining = this.#channels.get(channel);
    if (joining === "abandoned") return this.#send(encode([Type.Leave, channel]));
    if (!joining || joining instanceof Room) {
      throw new FrameError(Code.BadChannel, `JOINED on channel ${channel}, where no join waits`);
    }
    const room = new Room(this.#link, channel, facts);
    this.#channels.set(channel, room);
    joining.resolve(room);
  }

  /** Takes a LEFT that belongs to no room: a refusal, or the end of a join that was given up. */
  #onRefused({ channel, code, reason }: ServerFrame & { type: typeof Type.Left }): boolean {
    const joining = this.#channels.get(channel);
    if (!joining || joining instanceof Room) return false;
    this.#channels.delete(channel);
    if (joining !== "abandoned") {
      joining.reject(new VolleyError("refused", describe(code, reason), code));
    }
    return true;
  }

  async #join<S extends object, C extends object>(how: number, name: string, options: unknown): Promise<Room<S, C>> {
    if (this.#end) throw this.#gone();
    checkName(how === How.ById ? "the id of a room" : "the name of a kind", name);
    measure(options, "options", this.limits.depth - 1);
    const channel = this.#freeChannel();
    const frame = encode([Type.Join, channel, how, name, options]);
    if (frame.length > this.limits.frame) {
      throw new VolleyError("invalid", `the join has ${frame.length} bytes; a frame may have ${this.limits.frame}`);
    }
    const { timeout = 10_000 } = this.#options;
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      return await new Promise<Room<S, C>>((resolve, reject) => {
        this.#channels.set(channel, { resolve: resolve as (room: object) => void, reject });
        const expire = () => {
          // The server may still let us in: the channel stays taken until it says LEFT.
          this.#channels.set(channel, "abandoned");
          reject(new VolleyError("timeout", `no answer to the join within ${timeout} ms`));
        };
        if (timeout > 0) timer = setTimeout(expire, timeout);
        this.#send(frame);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #freeChannel(): number {
    let channel = 0;
    while (this.#channels.has(channel)) channel++;
    if (channel >= this.limits.rooms) {
      throw new VolleyError("refused", `this connection is in ${channel} rooms already`, Code.TooManyRooms);
    }
    return channel;
  }

  /** What rooms see of this client. */
  readonly #link: Link = ((client: Client): Link => ({
    get open() {
      return client.#end === undefined;
    },
    get limits() {
      return client.limits;
    },
    names: client.#names,
    get bound() {
      return client.#bound;
    },
    send: (frame) => client.#send(frame),
    sendLeave: (channel) => client.#send(encode([Type.Leave, channel])),
    wakeBy: (time) => client.#alarm.by(time),
    report: (error) => client.#report(error),
    release: (channel) => void client.#channels.delete(channel),
  }))(this);

  #send(frame: Uint8Array<ArrayBuffer>): void {
    if (!this.#end) this.#socket.send(frame);
  }

  #report(error: unknown): void {
    if (this.#errors.empty) console.error(error);
    else this.#errors.call(error);
  }

  /** When a server that has been silent so far must be taken for dead. */
  #deadAt(): number {
    const { ping } = this.#facts!;
    return ping > 0 ? this.#heard + 2.5 * ping : Infinity;
  }

  #ring(late: number): void {
    // A page that slept, or was stopped in a debugger, finds its timers first and what the server
    // sent only after them: it gets another chance to hear it.
    if (late > 1000 && due(this.#deadAt())) this.#heard = now() - 2 * this.#facts!.ping;
    if (due(this.#deadAt())) {
      return this.#finish("closed", Code.IdleTimeout, "nothing came from the server for two and a half ping intervals");
    }
    let next = this.#deadAt();
    for (const room of this.rooms) {
      room._ackIfDue();
      next = Math.min(next, room._ackDue);
    }
    if (next < Infinity) this.#alarm.by(next);
  }

  #gone(): VolleyError {
    const { code, reason } = this.#end!;
    return new VolleyError("closed", `the connection closed: ${describe(code, reason)}`, code);
  }

  /** The one end of a connection, whoever ended it. */
  #finish(kind: "closed" | "timeout", code: number, reason: string, delay = 0): void {
    if (this.#end) return;
    this.#end = { code, name: codeName(code), reason, reconnect: reconnectRule(code), delay };
    this.#alarm.stop();
    drop(this.#socket, code, reason);
    if (!this.#facts) {
      const error = new VolleyError(kind === "timeout" ? kind : "connect", describe(code, reason), code);
      this.#welcomed.reject(error);
    }
    for (const member of [...this.#channels.values()]) {
      if (member instanceof Room) member._end(code, reason);
      else if (member !== "abandoned") member.reject(this.#gone());
    }
    for (const ping of this.#pings.values()) ping.reject(this.#gone());
    this.#resolveClosed(this.#end);
    this.#closes.call(this.#end);
  }
}

function bytesOf(data: unknown): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (data instanceof Uint8Array) return data;
  throw new FrameError(Code.TextMessage, "not a binary message");
}
