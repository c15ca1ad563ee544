// A client of the Volley wire protocol, version 1, written from docs/protocol.md alone.
//
//   const conn = new Connection('ws://host/volley');        // or tcp://host:port, or tls://host:port
//   const room = conn.join('pong', { options: { name: 'Ann' } });
//   room.on('state', (state) => { … });                     // events
//   room.handle('question', async (q) => 'an answer');      // the server's requests
//   await room.joined;
//   room.emit('move', { DY: 0.5 });
//   const sum = await room.request('add', { a: 1, b: 2 });
//
// When the connection is lost, a new one carries on with its rooms:
//
//   const next = new Connection('ws://host/volley', { resume: conn });

import net from 'node:net';
import tls from 'node:tls';
import { decode, encode } from '@msgpack/msgpack';
import WebSocket from 'ws';

export const VOLLEY = 0, HELLO = 1, WELCOME = 2, JOIN = 3, JOINED = 4, LEAVE = 5, LEFT = 6, PING = 7, PONG = 8, NAMES = 9,
  NOTICE = 10, BYE = 11, RESUMED = 12, RESYNC = 13;
export const how = { joinOrCreate: 0, create: 1, join: 2, byID: 3 };
const REPLY = -1, FAILED = -2;

/** What the server said with a code: why a join, a room, a packet or the connection ended. */
export class VolleyError extends Error {
  constructor(code, reason) {
    super(`${code}: ${reason}`);
    this.code = code;
    this.reason = reason;
  }
}

/** What to do after the connection closed with that code: 'no', 'later' or 'new'. */
export function comeBack(code) {
  if ([1000, 1002, 1003, 1009].includes(code)) return 'no';
  if ([4008, 4011, 4014, 4016].includes(code)) return 'new';
  if ([4006, 4007, 4012].includes(code)) return 'later';
  return code >= 4000 && code <= 4099 ? 'no' : 'later';
}

function deferred() {
  const d = {};
  d.promise = new Promise((resolve, reject) => Object.assign(d, { resolve, reject }));
  d.promise.catch(() => {}); // nobody has to look
  return d;
}

// A transport has send(bytes), close() and cut(), which ends it without a word; it calls up.open(), up.frame(bytes) and, once, up.closed(code, reason).

function webSocket(url, up) {
  const ws = new WebSocket(url, { perMessageDeflate: false });
  ws.on('open', () => up.open());
  ws.on('message', (data, binary) => (binary ? up.frame(data) : ws.close(1003, 'binary messages only')));
  ws.on('error', (err) => { ws.lastError = err; });
  ws.on('close', (code, reason) => up.closed(code, reason.toString() || ws.lastError?.message || ''));
  return { ws, send: (bytes) => ws.send(bytes), close: () => ws.close(1000), cut: () => ws.terminate() };
}

function tcp(url, up) {
  const { protocol, hostname, port } = new URL(url);
  const secure = protocol === 'tls:';
  const socket = (secure ? tls : net).connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) });
  let rest = Buffer.alloc(0), error = '';
  socket.setNoDelay(true);
  socket.on(secure ? 'secureConnect' : 'connect', () => up.open());
  socket.on('data', (chunk) => {
    rest = rest.length ? Buffer.concat([rest, chunk]) : chunk;
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0);
      up.frame(rest.subarray(4, end));
      rest = rest.subarray(end);
    }
  });
  socket.on('error', (err) => { error = err.message; });
  socket.on('close', () => up.closed(1006, error));
  const send = (bytes) => {
    const framed = Buffer.alloc(4 + bytes.length);
    framed.writeUInt32BE(bytes.length, 0);
    framed.set(bytes, 4);
    socket.write(framed);
  };
  const close = () => {
    if (!socket.connecting) send(encode([BYE, 1000, '']));
    socket.end();
  };
  return { socket, send, close, cut: () => socket.destroy() };
}

/** A connection. It says HELLO by itself; joins may be made at once, they are sent behind the HELLO. */
export class Connection {
  #transport;
  #queue = []; // frames until the transport is open
  #welcome = deferred();
  #closed = deferred();
  #pings = new Map(); // stamp → deferred
  #stamp = 0;
  #previous;
  keepsRooms = false; // when it ends they wait for a connection that carries on
  names = []; // the event table
  indices = new Map(); // the other way round
  rooms = new Map(); // channel → Room
  welcome = this.#welcome.promise; // → the facts of WELCOME
  closed = this.#closed.promise; // → {code, reason, delay, comeBack, bye, transport}; never rejected
  bye = null; // the BYE that came
  token = null; // what resumes the session
  onFrame = null; // sees every frame that comes
  answerPings = true;

  /**
   * resume: the connection that this one carries on with, which may be lost or not; its rooms move here when this one is
   * welcomed. token and channels say something else than is true.
   */
  constructor(url, { auth, version = 1, hello = true, resume, token = resume?.token, channels } = {}) {
    const up = {
      open: () => {
        for (const bytes of this.#queue) this.#transport.send(bytes);
        this.#queue = null;
      },
      frame: (bytes) => {
        try {
          this.#frame(decode(bytes));
        } catch (err) { // the frame makes no sense, or a caller's function threw
          this.bye ??= { code: 4000, reason: `this client could not handle a frame: ${err.message}`, delay: 0 };
          this.close();
        }
      },
      closed: (code, reason) => this.#end(code, reason),
    };
    const options = auth === undefined ? {} : { auth };
    if (resume) {
      this.#previous = resume;
      resume.keepsRooms = true; // it may hear that it was replaced before we are welcomed
      options.resume = [token, channels ?? [...resume.rooms].map(([channel, room]) => [channel, room.facts ? room.tick : null])];
    }
    if (hello) this.sendFrame([HELLO, version, options]);
    this.#transport = /^wss?:/.test(url) ? webSocket(url, up) : tcp(url, up);
  }

  get transport() { return this.#transport; }

  sendFrame(frame) { this.sendBytes(encode(frame)); }

  sendBytes(bytes) {
    if (this.#queue) this.#queue.push(bytes);
    else this.#transport.send(bytes);
  }

  /** Asks for a room; its Room is there at once, for handlers and even for packets, its `joined` says how it went. */
  join(name, { how: h = how.joinOrCreate, options = null, channel } = {}) {
    if (channel === undefined) for (channel = 0; this.rooms.has(channel);) channel++;
    const room = new Room(this, channel);
    this.rooms.set(channel, room);
    this.sendFrame([JOIN, channel, h, name, options]);
    return room;
  }

  /** Measures the round trip, in milliseconds. */
  ping() {
    const stamp = ++this.#stamp, d = deferred(), start = performance.now();
    this.#pings.set(stamp, d);
    this.sendFrame([PING, stamp]);
    return d.promise.then(() => performance.now() - start);
  }

  close() {
    this.#transport.close();
    return this.closed;
  }

  /** Ends the connection as a network does that fails. Its rooms wait for who carries on. */
  cut() {
    this.keepsRooms = true;
    this.#transport.cut();
    return this.closed;
  }

  #learn(first, names) {
    names.forEach((name, i) => {
      this.names[first + i] = name;
      this.indices.set(name, first + i);
    });
  }

  #frame(frame) {
    this.onFrame?.(frame);
    const [type, a, b, c, d] = frame;
    switch (type) {
      case VOLLEY: this.#room(a).volley(b, c, d); break;
      case WELCOME:
        this.#learn(0, b.names);
        this.token = b.token;
        if (b.resumed && this.#previous) this.#takeOver();
        this.#welcome.resolve(b);
        break;
      case JOINED: this.#room(a).admitted(b); break;
      case LEFT:
        this.#room(a).end(b, c);
        this.rooms.delete(a);
        break;
      case PING: if (this.answerPings) this.sendFrame([PONG, a]); break;
      case PONG:
        this.#pings.get(a)?.resolve();
        this.#pings.delete(a);
        break;
      case NAMES: this.#learn(a, b); break;
      case NOTICE: this.#room(a).notice(b, c, d); break;
      case RESUMED: this.#room(a).resumed(b); break;
      case RESYNC: this.#room(a).resync(b); break;
      case BYE: this.bye = { code: a, reason: b, delay: c }; break;
      default: throw new Error(`of type ${type}`);
    }
  }

  #takeOver() {
    const { rooms } = this.#previous;
    for (const [channel, room] of rooms) {
      rooms.delete(channel);
      this.rooms.set(channel, room);
      room.move(this);
    }
  }

  #room(channel) {
    const room = this.rooms.get(channel);
    if (!room) throw new Error(`of channel ${channel}, which is not in use`);
    return room;
  }

  #end(transportCode, transportReason) {
    const { code, reason, delay } = this.bye ?? { code: transportCode, reason: transportReason, delay: 0 };
    const err = new VolleyError(code, reason);
    this.#welcome.reject(err);
    for (const d of this.#pings.values()) d.reject(err);
    if (!this.keepsRooms) {
      for (const room of this.rooms.values()) room.end(code, reason);
      this.rooms.clear();
    }
    const transport = { code: transportCode, reason: transportReason };
    this.#closed.resolve({ code, reason, delay, comeBack: comeBack(code), bye: this.bye, transport });
  }
}

/** A membership of one room. */
export class Room {
  #conn;
  #joined = deferred();
  #ended = deferred();
  #events = new Map(); // name → functions
  #handlers = new Map(); // name → function
  #requests = new Map(); // id → {d, seq}
  #id = 0;
  #ackTimer;
  #unacked = []; // our packets that the room has not processed, as far as we know; the last is number seq
  #silent = false; // this connection has not said yet which of them have arrived
  #arrived = 0; // and that is what it said
  #over = null; // the VolleyError that ended the membership
  #acknowledged = 0; // the last tick we told the server of
  seq = 0; // of our last packet
  ack = 0; // the last packet of ours that the room has processed
  tick = 0; // the last tick we processed
  joined = this.#joined.promise; // → the facts of JOINED; rejected by a VolleyError if refused
  ended = this.#ended.promise; // → {code, reason}; never rejected
  onNotice = null; // (code, reason, seq)
  onResync = null; // (tick)
  onVolley = null; // (tick, ack, packets), before they are handled

  constructor(conn, channel) {
    this.#conn = conn;
    this.channel = channel;
  }

  on(event, fn) { // one event may have several functions
    this.#events.set(event, [...(this.#events.get(event) ?? []), fn]);
    return this;
  }

  handle(event, fn) { // the result, or the promised one, is the reply; a throw is the refusal
    this.#handlers.set(event, fn);
    return this;
  }

  emit(event, payload = null) { return this.send([[this.#name(event), payload]]); }

  request(event, payload = null) {
    const id = ++this.#id, d = deferred();
    this.#requests.set(id, { d, seq: this.seq + 1 });
    this.send([[this.#name(event), payload, id]]);
    return d.promise;
  }

  /** Sends packets in one frame and returns the sequence number of the last. None: it only acknowledges. */
  send(packets) {
    if (this.#over) throw this.#over;
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    this.#acknowledged = this.tick;
    if (!this.#silent) this.#conn.sendFrame([VOLLEY, this.channel, this.seq + 1, this.tick, packets]);
    this.#unacked.push(...packets);
    this.seq += packets.length;
    return this.seq;
  }

  leave() {
    if (!this.#over) this.#conn.sendFrame([LEAVE, this.channel]);
    return this.ended;
  }

  #name(event) { return this.#conn.indices.get(event) ?? event; }

  // What follows is for the connection.

  /** The connection is another one. */
  move(conn) {
    this.#conn = conn;
    this.#silent = this.facts !== undefined;
  }

  resumed(seq) {
    this.#silent = false;
    this.#arrived = seq;
    const again = this.#unacked.slice(this.#unacked.length - (this.seq - seq));
    if (seq < this.seq) this.#conn.sendFrame([VOLLEY, this.channel, seq + 1, this.tick, again]);
  }

  resync(tick) {
    this.tick = tick;
    for (const [id, request] of this.#requests) {
      if (request.seq > this.#arrived) continue;
      this.#requests.delete(id);
      request.d.reject(new Error('lost'));
    }
    this.onResync?.(tick);
  }

  admitted(facts) {
    this.#silent = false;
    this.facts = facts;
    this.#joined.resolve(facts);
  }

  volley(tick, ack, packets) {
    this.onVolley?.(tick, ack, packets);
    if (tick < this.tick) throw new Error(`of tick ${tick} after tick ${this.tick}`);
    this.ack = ack;
    this.#unacked.splice(0, this.#unacked.length - (this.seq - ack));
    for (const packet of packets) this.#packet(packet);
    this.tick = tick;
    if (tick > this.#acknowledged) this.#ackTimer ??= setTimeout(() => this.send([]), this.facts.acks / 2);
  }

  #packet([event, payload, id]) {
    if (event === REPLY || event === FAILED) {
      const request = this.#requests.get(id);
      this.#requests.delete(id);
      if (event === REPLY) request?.d.resolve(payload);
      else request?.d.reject(new Error(payload));
      return;
    }
    const name = typeof event === 'string' ? event : this.#conn.names[event];
    if (name === undefined) throw new Error(`of event ${event}, which has no name`);
    if (id !== undefined) this.#answer(name, payload, id);
    else for (const fn of this.#events.get(name) ?? []) fn(payload);
  }

  async #answer(name, payload, id) {
    let packet;
    try {
      const fn = this.#handlers.get(name);
      if (!fn) throw new Error('no handler');
      packet = [REPLY, (await fn(payload)) ?? null, id];
    } catch (err) {
      packet = [FAILED, String(err.message), id];
    }
    if (!this.#over) this.send([packet]);
  }

  notice(code, reason, seq) {
    for (const [id, request] of this.#requests) {
      if (request.seq !== seq) continue;
      this.#requests.delete(id);
      request.d.reject(new VolleyError(code, reason));
    }
    this.onNotice?.(code, reason, seq);
  }

  end(code, reason) {
    clearTimeout(this.#ackTimer);
    this.#over = new VolleyError(code, reason);
    this.#joined.reject(this.#over);
    for (const { d } of this.#requests.values()) d.reject(this.#over);
    this.#requests.clear();
    this.#ended.resolve({ code, reason });
  }
}
