import { VolleyError } from "./errors.js";

interface Open {
  readonly seq: number;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: VolleyError) => void;
  readonly timer: ReturnType<typeof setTimeout> | undefined;
}

/** Our requests of one room that have no answer yet, by id. @internal */
export class Requests {
  readonly #open = new Map<number, Open>();
  #last = 0;

  get size(): number {
    return this.#open.size;
  }

  /** The id for the next request; it is never used twice in a room. */
  nextId(): number {
    return ++this.#last;
  }

  /** Waits for the answer to a request that went out as packet `seq`; `timeout` in ms, 0 for none. */
  wait(id: number, event: string, seq: number, timeout: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const expire = () =>
        this.fail(id, new VolleyError("timeout", `no reply to "${event}" within ${timeout} ms`));
      const timer = timeout > 0 ? setTimeout(expire, timeout) : undefined;
      this.#open.set(id, { seq, resolve, reject, timer });
    });
  }

  /** The reply came. One that nobody waits for any more is ignored, as the protocol says. */
  reply(id: number, payload: unknown): void {
    this.#take(id)?.resolve(payload);
  }

  fail(id: number, error: VolleyError): void {
    this.#take(id)?.reject(error);
  }

  /** The server dropped packet `seq`: if it was a request, there will be no answer. */
  failPacket(seq: number, error: VolleyError): void {
    for (const [id, open] of this.#open) if (open.seq === seq) this.fail(id, error);
  }

  /** No answer will come to what was sent up to packet `seq`. */
  failThrough(seq: number, error: () => VolleyError): void {
    for (const [id, open] of [...this.#open]) if (open.seq <= seq) this.fail(id, error());
  }

  failAll(error: () => VolleyError): void {
    for (const id of [...this.#open.keys()]) this.fail(id, error());
  }

  #take(id: number): Open | undefined {
    const open = this.#open.get(id);
    if (open) clearTimeout(open.timer);
    this.#open.delete(id);
    return open;
  }
}
