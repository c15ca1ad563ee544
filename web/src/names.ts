import { Code } from "./codes.js";
import { FrameError, VolleyError } from "./errors.js";

const utf8 = new TextEncoder();

/** The wire has room for names of 1 to 64 bytes. @throws {@link VolleyError} of kind `invalid`. @internal */
export function checkName(what: string, name: string): void {
  const size = utf8.encode(name).length;
  if (size < 1 || size > 64) throw new VolleyError("invalid", `${what} has 1 to 64 bytes, not ${size}`);
}

/** The server's event table: it only grows, and an index never changes its name. @internal */
export class Names {
  readonly #names: string[] = [];
  readonly #indices = new Map<string, number>();

  /** Puts `names` at `first` and on. @throws {@link FrameError} on a gap or a change. */
  add(first: number, names: readonly string[]): void {
    if (first > this.#names.length) {
      throw new FrameError(Code.UnexpectedFrame, `names begin at ${first}, the table ends at ${this.#names.length}`);
    }
    names.forEach((name, i) => {
      const index = first + i;
      if (index < this.#names.length && this.#names[index] !== name) {
        throw new FrameError(Code.UnexpectedFrame, `event ${index} was renamed`);
      }
      this.#names[index] = name;
      if (!this.#indices.has(name)) this.#indices.set(name, index);
    });
  }

  /** The name of an event that arrived. @throws {@link FrameError} for an index beyond the table. */
  name(event: string | number): string {
    if (typeof event === "string") return event;
    const name = this.#names[event];
    if (name === undefined) throw new FrameError(Code.UnexpectedFrame, `event ${event} is not in the table`);
    return name;
  }

  /** The shortest way to write an event: its index, or its name. @throws {@link VolleyError} for an impossible name. */
  ref(name: string): string | number {
    const index = this.#indices.get(name);
    if (index !== undefined) return index;
    checkName("the name of an event", name);
    return name;
  }
}
