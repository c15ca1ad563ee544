// The overlay with latency and tick.
import { traffic } from "./bytes.js";

const rows = ["round trip", "tick", "ticks/s", "frames/s", "received"];

export class Stats {
  #box = document.querySelector("#stats");
  #cells;
  #connection;
  #ticks = 0;
  #frames = 0;
  #received = 0;
  #timer;
  #last;

  constructor(connection) {
    this.#connection = connection;
    this.#cells = rows.map((name) => {
      const row = document.createElement("div");
      const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
      dt.textContent = name;
      dd.textContent = "–";
      row.append(dt, dd);
      this.#box.append(row);
      return dd;
    });
  }

  tick() {
    this.#ticks++;
  }

  frame() {
    this.#frames++;
  }

  /** Shows or hides the overlay, and returns whether it is shown. */
  toggle() {
    this.#box.hidden = !this.#box.hidden;
    clearInterval(this.#timer);
    if (!this.#box.hidden) {
      this.#restart();
      this.#connection.client?.ping().catch(() => {});
      this.#timer = setInterval(() => this.#measure(), 1000);
    }
    return !this.#box.hidden;
  }

  #restart() {
    this.#ticks = this.#frames = 0;
    this.#received = traffic.received;
    this.#last = performance.now();
  }

  #measure() {
    const { client, room } = this.#connection;
    const seconds = (performance.now() - this.#last) / 1000;
    const kilobytes = (traffic.received - this.#received) / seconds / 1000;
    const values = [
      client?.rtt === undefined ? "–" : `${client.rtt.toFixed(1)} ms`,
      room ? String(room.tick) : "–",
      (this.#ticks / seconds).toFixed(0),
      (this.#frames / seconds).toFixed(0),
      `${kilobytes.toFixed(1)} kB/s`,
    ];
    values.forEach((value, i) => (this.#cells[i].textContent = value));
    this.#restart();
    client?.ping().catch(() => {}); // a connection that closes is told of elsewhere
  }
}
