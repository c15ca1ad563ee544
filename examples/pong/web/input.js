// What the player wants: keys, mouse and touch, as a height on the court.
import { clamp, height, reach } from "./court.js";

const up = new Set(["ArrowUp", "KeyW"]);
const down = new Set(["ArrowDown", "KeyS"]);
const thumb = 1.5; // a thumb beside the court moves the paddle so much further than itself

const typing = (event) => event.target instanceof HTMLInputElement;

export class Input {
  #court;
  #held = new Set();
  #steered = false; // by keys, which are up now
  #wanted;
  #drag; // of a touch beside the court: where it was

  constructor(court) {
    this.#court = court;
    addEventListener("keydown", (e) => this.#key(e, true));
    addEventListener("keyup", (e) => this.#key(e, false));
    addEventListener("blur", () => this.#held.clear());
    addEventListener("pointerdown", (e) => this.#press(e));
    addEventListener("pointermove", (e) => this.#move(e));
  }

  /** Forgets where the paddle was to go. */
  reset() {
    this.#wanted = undefined;
    this.#steered = false;
  }

  /** The wanted height, with the paddle at y; undefined until the player has moved. */
  wanted(y) {
    let way = 0;
    for (const key of this.#held) way += up.has(key) ? -1 : 1;
    if (way !== 0) {
      this.#steered = true;
      return way < 0 ? reach : height - reach;
    }
    if (this.#steered) {
      this.#steered = false;
      this.#wanted = y; // it stays where it was let go
    }
    return this.#wanted;
  }

  #key(event, pressed) {
    if (!(up.has(event.code) || down.has(event.code))) return;
    if (!pressed) return void this.#held.delete(event.code);
    if (typing(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.#held.add(event.code);
  }

  #press(event) {
    this.#drag = undefined;
    if (event.pointerType === "mouse" || event.target.closest?.("button, input")) return;
    const box = this.#court.getBoundingClientRect();
    if (event.clientY >= box.top && event.clientY <= box.bottom) return this.#move(event);
    this.#drag = event.clientY;
  }

  #move(event) {
    const box = this.#court.getBoundingClientRect();
    if (event.pointerType === "mouse") {
      if (event.movementX || event.movementY) this.#wanted = ((event.clientY - box.top) / box.height) * height;
    } else if (this.#drag === undefined) {
      this.#wanted = ((event.clientY - box.top) / box.height) * height;
    } else {
      const moved = ((event.clientY - this.#drag) / box.height) * height * thumb;
      this.#wanted = clamp((this.#wanted ?? height / 2) + moved, reach, height - reach);
      this.#drag = event.clientY;
    }
    this.#steered = false;
  }
}
