// A look into one room of the demo.
const canvas = document.querySelector("#swarm");
const note = document.querySelector("#swarm-note");
const pen = canvas.getContext("2d");
const field = 100; // as in swarm.go
const fade = 14; // states that a trail lasts

export class Swarm {
  #id;
  #end;
  #trail = [];
  states = 0;

  /** Looks at the room with that id, unless it does so already; "": at none. */
  show(id, connection) {
    if (id === this.#id) return;
    this.stop();
    if (!id) return;
    this.#id = id;
    this.#end = connection.watch(
      id,
      (list) => this.#draw(list ?? []),
      () => this.stop(), // it is over; another one may be named
    );
  }

  stop() {
    this.#end?.();
    this.#end = this.#id = undefined;
    this.#trail = [];
    note.textContent = "no room";
    pen.clearRect(0, 0, canvas.width, canvas.height);
  }

  #draw(list) {
    this.states++;
    this.#trail.push(list);
    if (this.#trail.length > fade) this.#trail.shift();
    const text = `one room, ${list.length} bot${list.length === 1 ? "" : "s"}`;
    if (note.textContent !== text) note.textContent = text;
    const size = Math.round(canvas.clientWidth * devicePixelRatio);
    if (canvas.width !== size) canvas.width = canvas.height = size;
    pen.clearRect(0, 0, size, size);
    pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--first");
    const unit = size / (field + 6);
    const quiet = matchMedia("(prefers-reduced-motion: reduce)").matches;
    for (const [age, dots] of this.#trail.entries()) {
      const newest = age === this.#trail.length - 1;
      if (quiet && !newest) continue;
      pen.globalAlpha = newest ? 1 : (0.35 * (age + 1)) / this.#trail.length;
      for (const [x, y] of dots) {
        pen.beginPath();
        pen.arc((x + 3) * unit, (y + 3) * unit, (newest ? 2.6 : 1) * unit, 0, 2 * Math.PI);
        pen.fill();
      }
    }
    pen.globalAlpha = 1;
  }
}
