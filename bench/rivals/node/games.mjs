// The rooms that the bench's workloads need, as bench/games.go has them. A room here knows no sockets: a client is whatever
// the server has for one.

const stateSize = 200;
const stampSize = 8;
export const seats = stateSize / stampSize - 1;
export const capacityRoom = 10; // clients that share a room of the workload capacity

// Ticker runs rooms at one rate. They are in the order of their next ticks, so one timer serves all.
export class Ticker {
  #rooms = [];
  #next = 0;
  #period;
  #meter;
  #armed = false;

  constructor(rate, meter) {
    this.#period = 1000 / rate;
    this.#meter = meter;
  }

  // add gives a room its first tick a period from now, which is after everybody else's next one.
  add(tick) {
    this.#rooms.splice(this.#next++, 0, { tick, due: performance.now() + this.#period });
    if (!this.#armed) this.#arm();
  }

  #arm() {
    this.#armed = true;
    const wait = this.#rooms[this.#next % this.#rooms.length].due - performance.now();
    if (wait > 0) setTimeout(this.#run, Math.ceil(wait));
    else setImmediate(this.#run); // sockets first
  }

  #run = () => {
    const now = performance.now();
    for (let n = this.#rooms.length; n > 0; n--) {
      this.#next %= this.#rooms.length;
      const r = this.#rooms[this.#next];
      if (r.due > now) break;
      this.#next++;
      this.#meter.tick(performance.now() - r.due);
      r.due += this.#period;
      if (r.due <= now) { // a whole period late: what was missed is not made up for
        this.#meter.skip(Math.ceil((now - r.due) / this.#period));
        r.due = now + this.#period;
      }
      r.tick();
    }
    this.#arm();
  };
}

// Arena is a room of the workload rooms: inputs in, a state per tick out, with the stamp of each seat's last input.
export class Arena {
  state = Buffer.alloc(stateSize);

  hear(seat, bytes) {
    this.state.set(bytes.subarray(0, stampSize), seat * stampSize);
  }

  // snapshot is a copy, since a socket may keep what the kernel did not take, while the state goes on.
  snapshot() {
    return Buffer.from(this.state);
  }
}

// Hall is a room of the workload fanout: it broadcasts as fast as those of its listeners take it who say what they have.
export class Hall {
  #seen = new Map();
  #sent = 0;
  #burst = 0;
  #window = 0;
  #posted = false;
  #broadcast;

  constructor(broadcast) {
    this.#broadcast = broadcast;
  }

  hear(client, bytes) {
    const at = bytes.byteOffset + stampSize;
    this.#seen.set(client, Number(new DataView(bytes.buffer, at, 8).getBigUint64(0, true)));
    this.#pump();
  }

  leave(client) {
    this.#seen.delete(client);
  }

  pace(burst, window) {
    this.#burst = burst;
    this.#window = Math.max(window, burst);
    this.#pump();
  }

  #pump() {
    if (this.#posted || this.#burst === 0 || this.#sent + this.#burst > this.#slowest() + this.#window) return;
    for (let i = 0; i < this.#burst; i++) {
      const b = Buffer.alloc(stateSize);
      b.writeBigInt64LE(process.hrtime.bigint(), 0);
      b.writeBigInt64LE(BigInt(++this.#sent), stampSize);
      this.#broadcast(b);
    }
    this.#posted = true;
    setImmediate(this.#again);
  }

  #again = () => {
    this.#posted = false;
    this.#pump();
  };

  #slowest() {
    let least = this.#sent;
    for (const n of this.#seen.values()) if (n < least) least = n;
    return least;
  }
}

// Place is where a client is. hear takes what comes from it, leave is for when it goes.
class Place {
  constructor(room, client, seat) {
    this.room = room;
    this.client = client;
    this.seat = seat;
  }

  hear(bytes) {
    this.room.hear(this, bytes);
  }

  leave() {
    this.room.line.delete(this.client);
    this.room.hall?.leave(this.client);
  }
}

// Lobby puts clients into rooms of one kind, which fill up one after the other. newLine(name) makes a room's line to its
// clients: it has add(client), delete(client) and broadcast(bytes). reply(client, bytes) is a word to one of them.
export class Lobby {
  #spec;
  #ticker;
  #newLine;
  #reply;
  #room;
  #count = 0;
  #halls = [];

  constructor(spec, meter, newLine, reply) {
    this.#spec = spec;
    this.#newLine = newLine;
    this.#reply = reply;
    this.#ticker = new Ticker(Math.max(spec.rate, 1), meter);
  }

  // enter returns the client's place.
  enter(kind, client) {
    if (!this.#room || this.#room.taken === this.#room.size) this.#room = this.#open(kind);
    const room = this.#room;
    room.line.add(client);
    return new Place(room, client, room.taken++ % seats);
  }

  broadcast(burst, window) {
    for (const h of this.#halls) h.pace(burst, window);
  }

  #open(kind) {
    const line = this.#newLine(`${kind}${this.#count++}`);
    const room = { line, taken: 0, size: Infinity, hall: null, hear: null };
    switch (kind) {
      case "rooms": {
        const arena = new Arena();
        room.size = this.#spec.clients;
        room.hear = (place, bytes) => arena.hear(place.seat, bytes);
        this.#ticker.add(() => line.broadcast(arena.snapshot()));
        return room;
      }
      case "fanout":
        room.hall = new Hall((bytes) => line.broadcast(bytes));
        this.#halls.push(room.hall);
        room.hear = (place, bytes) => room.hall.hear(place.client, bytes);
        return room;
      case "capacity":
      case "echo":
        if (kind === "capacity") room.size = capacityRoom;
        room.hear = (place, bytes) => this.#reply(place.client, bytes);
        return room;
      default:
        throw new Error(`there is no kind of room called ${kind}`);
    }
  }
}
