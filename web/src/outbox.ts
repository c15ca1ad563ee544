import { VolleyError } from "./errors.js";
import { overhead, type Limits } from "./frames.js";

interface Entry {
  readonly bytes: Uint8Array;
  readonly elements: number;
}

// How much may be on its way at once, each packet counted with what a room's inbox counts beside its
// bytes. It is half of what a room of default size takes from one client in one tick: more would close
// the connection, above all when a full outbox is sent again. The rest follows as the room acknowledges.
const window = 64 << 10;
const cost = (entry: Entry) => entry.bytes.length + 64;

/** Packets that leave in one frame; `seq` is the number of the first. @internal */
export interface Batch {
  readonly seq: number;
  readonly packets: readonly Uint8Array[];
}

/** What an outbox may hold: packets, and bytes of them. @internal */
export interface OutboxBound {
  readonly packets: number;
  readonly bytes: number;
}

/**
 * The packets of one room that the server has not processed yet, in order: first those that were
 * sent, then those that wait for the next flush. Everything that is numbered lives here and nowhere
 * else, so that what must be sent again after a lost connection is simply what is still here.
 * @internal
 */
export class Outbox {
  readonly #bound: OutboxBound;
  readonly #limits: Limits;
  #entries: Entry[] = [];
  #bytes = 0;
  /** The number of #entries[0]. */
  #first = 1;
  /** The number of the first packet that was not sent in this connection. */
  #unsent = 1;
  /** The last number that was sent in any connection. */
  #sent = 0;
  /** What is on its way: the cost of the packets from #first to #unsent. */
  #flying = 0;

  constructor(limits: Limits, bound: OutboxBound) {
    this.#limits = limits;
    this.#bound = bound;
  }

  /** The number of the last packet put in; 0 before the first. */
  get last(): number {
    return this.#first + this.#entries.length - 1;
  }

  /** The number that the next packet to be sent has; those below were sent in this connection, or need not be. */
  get unsent(): number {
    return this.#unsent;
  }

  /**
   * Puts a packet in and numbers it.
   * @throws {@link VolleyError} of kind `full` when the server has too many to acknowledge.
   */
  push(bytes: Uint8Array, elements: number): number {
    const { packets, bytes: most } = this.#bound;
    if (this.#entries.length >= packets || (this.#bytes > 0 && this.#bytes + bytes.length > most)) {
      throw new VolleyError(
        "full",
        `${this.#entries.length} packets (${this.#bytes} bytes) are unacknowledged: emit less often, or drop input while room.seq runs ahead of room.ack`,
      );
    }
    this.#entries.push({ bytes, elements });
    this.#bytes += bytes.length;
    return this.last;
  }

  /** How many packets the server has not processed yet, or has not told us so. */
  get size(): number {
    return this.#entries.length;
  }

  /** The next packets to send, as many as one frame may hold; undefined when no more may be sent now. */
  take(): Batch | undefined {
    const start = this.#unsent - this.#first;
    let bytes = overhead.bytes;
    let elements = overhead.elements;
    let end = start;
    for (; end < this.#entries.length && end - start < this.#limits.packets; end++) {
      const entry = this.#entries[end]!;
      bytes += entry.bytes.length;
      elements += entry.elements;
      // One packet always fits: emit refused what would not.
      if (end > start && (bytes > this.#limits.frame || elements > this.#limits.elements)) break;
      if (end > 0 && this.#flying + cost(entry) > window) break;
      this.#flying += cost(entry);
    }
    if (end === start) return undefined;
    const seq = this.#unsent;
    this.#unsent = this.#first + end;
    this.#sent = Math.max(this.#sent, this.#unsent - 1);
    return { seq, packets: this.#entries.slice(start, end).map((entry) => entry.bytes) };
  }

  /** Forgets the packets up to number `ack`, which the server has processed. */
  trim(ack: number): void {
    const n = ack - this.#first + 1;
    if (n <= 0) return;
    for (const entry of this.#entries.splice(0, n)) {
      this.#bytes -= entry.bytes.length;
      this.#flying -= cost(entry);
    }
    this.#first += n;
  }

  /**
   * A new connection: packet `seq` was the last that reached the server, so what comes after it is
   * sent again. Returns false if that cannot be.
   */
  rewind(seq: number): boolean {
    if (seq < this.#first - 1 || seq > this.#sent) return false;
    this.#unsent = seq + 1;
    this.#flying = this.#entries.slice(0, this.#unsent - this.#first).reduce((sum, entry) => sum + cost(entry), 0);
    return true;
  }
}
