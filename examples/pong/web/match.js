// What is known of the match: the seat, the table and the states, from the room's events.
import { botWaits } from "./court.js";
import { Timeline } from "./timeline.js";

const nobody = { Names: ["", ""], Bots: [false, false], Away: [false, false], Score: [0, 0], Winner: -1, Serve: 0, Watch: 0 };

export class Match {
  seat; // -1: we watch
  table;
  timeline;
  bounces; // {tick, side}, not yet shown
  #wait = 1; // how many ticks before the serve it was announced
  botAt = 0; // when a bot will take the empty seat
  #rate;

  /** changed(before) is called when the seat or the table is another; before is the table until then. */
  constructor(room, changed) {
    this.forget(room.rate);
    room.on("seated", (seat) => {
      this.seat = seat;
      changed(this.table);
    });
    room.on("table", (table, { tick }) => {
      const before = this.table;
      this.table = table;
      if (table.Serve !== before.Serve) this.#wait = table.Serve - tick;
      if (table.Names.includes("") && table.Serve !== before.Serve) this.botAt = performance.now() + botWaits;
      changed(before);
    });
    room.on("bounce", (side, { tick }) => this.bounces.push({ tick, side }));
    room.on("state", (state, { tick }) => this.timeline.add(tick, state, performance.now()));
  }

  /** Nothing is known any more: the room tells everything anew. */
  forget(rate) {
    this.#rate = rate;
    this.seat = -1;
    this.table = nobody;
    this.timeline = new Timeline(rate);
    this.bounces = [];
  }

  get waiting() {
    return this.table.Names.includes("");
  }

  get over() {
    return this.table.Winner >= 0;
  }

  /** What is left at this tick of the wait for the serve: seconds, and the share of it from 1 to 0. */
  serveIn(tick) {
    const left = Math.max(0, this.table.Serve - tick);
    return { seconds: left / this.#rate, share: Math.min(1, left / this.#wait) };
  }

  /** How long the whole wait is, in seconds. */
  get wait() {
    return this.#wait / this.#rate;
  }

  /** "waiting" for a player, "serving", "playing" or "over", in the tick that came last. */
  get phase() {
    if (this.waiting) return "waiting";
    if (this.over) return "over";
    return this.table.Serve > (this.timeline.newest?.tick ?? 0) ? "serving" : "playing";
  }
}
