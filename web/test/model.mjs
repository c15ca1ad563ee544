// A network that cuts, a clock that only moves when it is told, and a small server that keeps its
// sessions: for random walks. Everything is decided by one seed.
import { decode, encode } from "@msgpack/msgpack";
import { limits } from "./server.mjs";

/** Whole numbers below n, the same ones for each seed. */
export function randomizer(seed) {
  let x = (seed * 2654435761) >>> 0 || 1;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % n;
  };
}

/** Lets everything happen that needs no timer. It makes few promises: the test runner watches each. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Timers and `performance.now` of a test; time jumps from one timer to the next. */
export class Clock {
  time = 1000;
  #timers = new Map();
  #last = 0;

  #restore;

  /** `random` becomes Math.random. */
  constructor(random) {
    const real = [Math.random, performance.now, globalThis.setTimeout, globalThis.clearTimeout];
    const set = ([a, b, c, d]) => {
      Object.assign(Math, { random: a });
      Object.assign(performance, { now: b });
      Object.assign(globalThis, { setTimeout: c, clearTimeout: d });
    };
    this.#restore = () => set(real);
    set([
      () => random(1000) / 1000,
      () => this.time,
      (run, ms = 0) => (this.#timers.set(++this.#last, { at: this.time + ms, run }), this.#last),
      (id) => this.#timers.delete(id),
    ]);
  }

  /** Gives real time back. */
  restore() {
    this.#restore();
  }

  get timers() {
    return this.#timers.size;
  }

  /** Lets `ms` pass. */
  pass(ms) {
    const end = this.time + ms;
    for (;;) {
      let next;
      for (const [id, timer] of this.#timers) if (timer.at <= end && !(timer.at >= next?.at)) next = { id, ...timer };
      if (!next) break;
      this.#timers.delete(next.id);
      this.time = Math.max(this.time, next.at);
      next.run();
    }
    this.time = end;
  }
}

/** The sockets of one client. Frames wait on their way until the walk lets one through. */
export class Network {
  links = []; // those that are not dead on both sides
  dialled = 0;
  greeted = 0; // the newest link from which the server has heard

  constructor(server) {
    const network = this;
    this.WebSocket = class {
      constructor(url) {
        this.link = { number: ++network.dialled, client: this, up: [], down: [], open: false, gone: false, server: undefined };
        network.links.push(this.link);
      }
      send(data) {
        if (!this.link.open) throw new Error("InvalidStateError");
        if (!this.link.gone) this.link.up.push(new Uint8Array(data));
      }
      close(code) {
        if (code !== 1000 && !(code >= 3000 && code < 5000)) throw new Error(`InvalidAccessError: ${code}`);
        this.link.closed = code;
        this.link.gone = true;
      }
    };
    this.server = server;
  }

  /** The client's newest socket. */
  get last() {
    return this.links.at(-1);
  }

  open(link) {
    link.open = true;
    link.server = this.server.accept((frame) => link.down.push(encode(frame)), () => (link.bye = true));
    link.client.onopen?.({});
  }

  /** One frame arrives at the server, or was lost on the way. */
  up(link) {
    const bytes = link.up.shift();
    // A HELLO that is later than the next connection's takes the session away from that one, which then
    // gets 4013, and stops: that is not walked here. Other frames of old links are passed over anyway.
    if (bytes && link.number >= this.greeted) {
      this.greeted = link.number;
      link.server.receive(decode(bytes));
    }
    this.#bury(link);
  }

  down(link) {
    const bytes = link.down.shift();
    if (bytes && !link.gone) link.client.onmessage?.({ data: bytes.slice().buffer });
  }

  /** The client notices that its connection is gone. What it has sent may still arrive, or may not. */
  cut(link, lost) {
    link.gone = true;
    link.down.length = 0;
    link.up.length = Math.min(link.up.length, lost);
    link.client.onclose?.({ code: 1006, reason: "" });
    this.#bury(link);
  }

  #bury(link) {
    if (link.gone && link.up.length === 0) this.links = this.links.filter((other) => other !== link);
  }
}

/**
 * A server of one client, with sessions as docs/protocol.md has them. It says what it has heard, and
 * throws when the client breaks the protocol.
 */
export class ModelServer {
  sessions = [];
  seats = new Map(); // by the client's number: what was heard and said there; they outlive memberships
  rooms = new Set(); // ids of those that are open
  resumes = 0;
  refusals = 0;

  constructor({ random, forgetful = 0 }) {
    this.random = random;
    this.forgetful = forgetful; // of 100 resumed channels, how many get RESYNC
    this.names = ["n", "r", "q", "snap"];
  }

  accept(send, bye) {
    const conn = { send, bye, session: undefined, dead: false };
    return { receive: (frame) => conn.dead || this.#receive(conn, frame), conn };
  }

  /** Forgets all sessions, and with `restart` all rooms. Returns the connection that this closes. */
  forget(restart) {
    const { conn } = this.sessions.at(-1);
    conn.dead = true;
    for (const session of this.sessions) session.tokens = [];
    if (restart) this.rooms.clear();
  }

  #receive(conn, frame) {
    const [type, channel] = frame;
    if (!conn.session) {
      if (type !== 1) throw new Error(`the first frame is of type ${type}`);
      return this.#hello(conn, frame[2]);
    }
    const { session } = conn;
    session.tokens = [session.token]; // it has heard WELCOME
    const m = session.channels.get(channel);
    switch (type) {
      case 0:
        return m && this.#volley(m, frame);
      case 3: {
        if (m) throw new Error(`channel ${channel} is in use`);
        const [, , how, name, options] = frame;
        session.ended.delete(channel);
        session.channels.set(channel, { channel, how, name, options, arrived: 0, ack: 0, inbox: [], log: [], joined: undefined, tick: 0 });
        return;
      }
      case 5:
        if (!m) return;
        // What came before LEAVE is heard; the room acknowledges nothing more.
        this.#drain(m);
        session.channels.delete(channel);
        session.ended.set(channel, 4100);
        return conn.send([6, channel, 4100, ""]);
      case 7:
        return conn.send([8, channel]);
      case 8:
        return;
      default:
        throw new Error(`frame type ${type}`);
    }
  }

  #hello(conn, { resume, auth }) {
    if (!resume) {
      const sid = `s${this.sessions.length}`;
      const session = { sid, auth, channels: new Map(), ended: new Map() };
      this.sessions.push(session);
      return this.#welcome(conn, session, undefined);
    }
    const [token, channels] = resume;
    const session = this.sessions.find((s) => s.tokens.includes(token));
    if (!session) {
      this.refusals++;
      conn.dead = true;
      conn.bye();
      return conn.send([11, 4014, "resume failed", 0, ""]);
    }
    this.resumes++;
    if (session.conn) session.conn.dead = true;
    this.#welcome(conn, session, token);
    const listed = new Map(channels);
    if (listed.size !== channels.length) throw new Error("a channel is listed twice");
    for (const [channel] of [...session.channels]) {
      if (!listed.has(channel)) session.channels.delete(channel);
    }
    for (const [channel, tick] of channels) this.#resume(conn, session, channel, tick);
  }

  #welcome(conn, session, used) {
    conn.session = session;
    session.conn = conn;
    session.token = `${session.sid}/${used ? Number(used.split("/")[1]) + 1 : 0}`;
    session.tokens = used ? [used, session.token] : [session.token];
    conn.send([2, 1, { sid: session.sid, token: session.token, resumed: used !== undefined, ping: 25000, names: this.names, limits: limits() }]);
  }

  #resume(conn, session, channel, tick) {
    const m = session.channels.get(channel);
    if (!m) return conn.send([6, channel, tick === null ? 4014 : session.ended.get(channel) ?? 4014, ""]);
    if (tick === null) {
      if (m.joined) conn.send([4, channel, m.joined]);
      m.cursor = m.joined?.tick;
      m.live = m.joined !== undefined;
      return;
    }
    conn.send([12, channel, m.arrived]);
    m.live = true;
    m.cursor = tick;
    if (this.random(100) < this.forgetful) {
      this.#resync(conn, m);
    }
  }

  /** What was said so far is forgotten; the next tick tells where things stand. */
  #resync(conn, m) {
    m.cursor = m.tick;
    conn.send([13, m.channel, m.tick]);
    m.seat.resyncs++;
    m.pending = [["snap", m.seat.said]];
  }

  #volley(m, [, , seq, tick, packets]) {
    if (!m.joined) throw new Error("a VOLLEY before JOINED");
    if (seq > m.arrived + 1) throw new Error(`a gap: ${seq} after ${m.arrived}`);
    if (tick > m.tick) throw new Error("a tick that was not");
    for (const packet of packets) if (seq++ > m.arrived) (m.inbox.push(packet), m.arrived++);
    m.log = m.log.filter((entry) => entry.tick > tick);
  }

  #drain(m) {
    for (const [event, payload, id] of m.inbox.splice(0)) {
      m.ack++;
      const name = typeof event === "number" && event >= 0 ? this.names[event] : event;
      if (name === "n") m.seat.heard.push(payload);
      else if (name === "r") {
        m.seat.heard.push(payload);
        this.say(m, [-1, payload * 2, id]);
      } else if (name === -1) m.seat.answers.push([id, payload]);
      else throw new Error(`event ${name}`);
    }
  }

  say(m, packet) {
    m.pending = [...(m.pending ?? []), packet];
  }

  /** Runs one tick of every room of the session; with `quiet` nothing new is said. */
  tick(session, quiet = false) {
    for (const m of [...session.channels.values()]) {
      if (!m.joined && !this.#admit(session, m)) continue;
      // It has read too slowly.
      if (!quiet && m.live && !session.conn.dead && this.random(500) < this.forgetful) this.#resync(session.conn, m);
      this.#drain(m);
      for (let n = quiet ? 0 : this.random(3); n > 0; n--) {
        // Events and questions of one row of numbers.
        if (this.random(4)) this.say(m, [this.random(2) ? "n" : 0, m.seat.said++]);
        else m.seat.asked.push([++m.seat.ids, m.seat.said]), this.say(m, [2, m.seat.said++, m.seat.ids]);
      }
      m.tick++;
      if (m.pending) m.log.push({ tick: m.tick, packets: m.pending });
      m.pending = undefined;
      // A slow connection gets several ticks in one frame.
      if (m.live && !session.conn.dead && (quiet || this.random(3))) this.#flush(session.conn, m);
    }
  }

  #flush(conn, m) {
    const packets = m.log.filter((entry) => entry.tick > m.cursor).flatMap((entry) => entry.packets);
    m.cursor = m.tick;
    conn.send([0, m.channel, m.tick, m.ack, packets]);
  }

  #admit(session, m) {
    if (m.how === 3 && !this.rooms.has(m.name)) {
      session.channels.delete(m.channel);
      session.ended.set(m.channel, 4103);
      if (!session.conn.dead) session.conn.send([6, m.channel, 4103, ""]);
      return false;
    }
    const client = this.seats.size + 1;
    const room = m.how === 3 ? m.name : `r${client}`;
    this.rooms.add(room);
    m.seat = { room, options: m.options, heard: [], said: 0, asked: [], answers: [], ids: 0, resyncs: 0 };
    this.seats.set(client, m.seat);
    m.joined = { room, kind: m.how === 3 ? "pong" : m.name, client, tick: m.tick, rate: 20, acks: 1000 };
    m.live = true;
    m.cursor = m.tick;
    session.conn.send([4, m.channel, m.joined]);
    return true;
  }
}
