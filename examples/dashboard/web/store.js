// What the server has told, as columns that charts draw: a row for each sample, and a row of nulls where nothing was measured.

export class Store {
  period = 500; // ms, as all times here but those of rows
  span = 120_000;
  hole = 2_000; // longer than this without a sample is a gap
  about; // the server, as its history tells: Started, Go, Cores

  /** When each row was measured, in Unix seconds. */
  times = [];

  #columns = new Map(); // by name; as long as times
  #now = {}; // the newest values
  #ahead = 0; // the server's clock before this one, in ms

  /** The server's time, in ms. */
  get clock() {
    return Date.now() + this.#ahead;
  }

  /** The time that charts show: since the server began, or the last two minutes. From and to, in seconds. */
  get window() {
    const now = this.clock / 1000;
    const young = this.about ? now - Math.min(this.about.Started / 1000, this.times[0] ?? now) : 0;
    return [now - Math.min(this.span / 1000, Math.max(young, 10)), now];
  }

  /** The newest value; null: not known. */
  value(name) {
    return this.#now[name] ?? null;
  }

  column(name) {
    let column = this.#columns.get(name);
    if (!column) this.#columns.set(name, (column = new Array(this.times.length).fill(null)));
    return column;
  }

  /** Takes what the server remembers. What only we remember, of a server before, stays, with a gap behind it. */
  begin({ Period, Span, Changes, ...about }) {
    this.period = Period;
    this.span = Span;
    this.about = about;
    const from = Changes?.[0]?.At ?? Infinity;
    this.#cut(this.times.findIndex((t) => t * 1000 > from - Period / 2));
    this.#now = {};
    for (const change of Changes ?? []) this.add(change);
  }

  /** Takes a sample: what has changed since the one before, which was taken at Since. */
  add({ At, Since, Values }) {
    this.#ahead = At - Date.now();
    const last = this.times.length ? this.times.at(-1) * 1000 : undefined;
    if (At <= last) return;
    const before = last && Math.max(last, Since);
    if (before > last) this.#row(before, this.#now); // it had no news
    if (At - before > this.hole) this.#row((before + At) / 2, {});
    Object.assign(this.#now, Values);
    this.#row(At, this.#now);
    const old = this.times.findIndex((t) => t * 1000 > At - this.span - 2 * this.period);
    if (old > 0) {
      this.times.splice(0, old);
      for (const column of this.#columns.values()) column.splice(0, old);
    }
  }

  #row(at, values) {
    for (const name of Object.keys(values)) this.column(name);
    this.times.push(at / 1000);
    for (const [name, column] of this.#columns) column.push(values[name] ?? null);
  }

  /** Forgets the rows from one on; -1: none. */
  #cut(from) {
    if (from < 0) return;
    this.times.length = from;
    for (const column of this.#columns.values()) column.length = from;
  }
}
