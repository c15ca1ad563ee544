/** Takes away what `on` and its like have added; calling it twice is harmless. */
export type Unsubscribe = () => void;

/**
 * The listeners of one event. One that throws, or whose promise rejects, does not keep the others
 * from being called; it is reported.
 * @internal
 */
export class Listeners<Args extends unknown[]> {
  // Replaced and never changed, so that a listener may add and remove while a call is under way.
  #list: readonly ((...args: Args) => unknown)[] = [];
  readonly #report: (error: unknown) => void;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  get empty(): boolean {
    return this.#list.length === 0;
  }

  add(listener: (...args: Args) => unknown): Unsubscribe {
    // A wrapper of its own, so that the same function may be added twice and removed once.
    const own = (...args: Args) => listener(...args);
    this.#list = [...this.#list, own];
    return () => {
      this.#list = this.#list.filter((other) => other !== own);
    };
  }

  call(...args: Args): void {
    for (const listener of this.#list) {
      try {
        const result = listener(...args);
        if (result instanceof Promise) result.catch(this.#report);
      } catch (error) {
        this.#report(error);
      }
    }
  }
}
