/**
 * The time in milliseconds, from a clock that never jumps. @internal
 */
export const now = (): number => performance.now();

// Timers come a little late, and `performance.now` may be coarse: what is due within this many
// milliseconds is due.
const slack = 2;

/**
 * One timer for everything that a client must do by some time: it is set for the earliest of them,
 * and whoever rings looks at all of them. It does not keep a Node process alive.
 * @internal
 */
export class Alarm {
  readonly #ring: (late: number) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #at = Infinity;

  /** `ring` is told how many milliseconds late it is. */
  constructor(ring: (late: number) => void) {
    this.#ring = ring;
  }

  /** Rings at `time` or before. */
  by(time: number): void {
    if (time >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = time;
    // The longest delay that timers take; then it rings early, which is harmless.
    const delay = Math.min(Math.max(0, Math.ceil(time - now())), 0x7fffffff);
    const timer = setTimeout(() => {
      this.#at = Infinity;
      this.#ring(now() - time);
    }, delay);
    this.#timer = timer;
    (timer as { unref?: () => void }).unref?.();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#at = -Infinity;
  }
}

/** Whether `time` has come. @internal */
export const due = (time: number): boolean => now() + slack >= time;
