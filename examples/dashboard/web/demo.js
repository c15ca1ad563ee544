// The controls of the demo. They show what the server says, and ask it for something else.
const patience = 1500; // ms for which a wish is shown although the server says otherwise

export class Controls {
  #wish = {}; // what was asked for and when, by Rooms and Bots
  #demo;
  #emit;

  constructor(emit) {
    this.#emit = emit;
    for (const control of document.querySelectorAll(".control")) {
      const name = control.dataset.of;
      const range = control.querySelector("input");
      range.addEventListener("input", () => this.#ask(name, range.valueAsNumber));
      for (const button of control.querySelectorAll("button")) {
        button.addEventListener("click", () => this.#ask(name, range.valueAsNumber + Number(button.dataset.step)));
      }
    }
    for (const button of document.querySelectorAll("[data-disturb]")) {
      button.addEventListener("click", () => emit("disturb", button.dataset.disturb));
    }
    this.enable(false);
  }

  /** The server says what there is; undefined: as before. */
  show(demo = this.#demo) {
    if (!demo) return;
    this.#demo = demo;
    for (const name of ["Rooms", "Bots"]) {
      const wish = this.#wish[name];
      if (wish && (demo[name] === wish.value || performance.now() - wish.since > patience)) delete this.#wish[name];
      this.#set(name, this.#wish[name]?.value ?? demo[name]);
    }
  }

  enable(on) {
    for (const part of document.querySelectorAll("#demo button, #demo input")) part.disabled = !on;
    if (on) this.show();
  }

  #ask(name, wanted) {
    if (!this.#demo) return;
    const [least, most] = name === "Rooms" ? [0, this.#demo.MaxRooms] : [1, this.#demo.MaxBots];
    const value = Math.max(least, Math.min(most, wanted));
    this.#wish[name] = { value, since: performance.now() };
    setTimeout(() => this.show(), patience + 50);
    this.#set(name, value);
    const of = (other) => this.#wish[other]?.value ?? this.#demo[other];
    this.#emit("ask", { Rooms: of("Rooms"), Bots: of("Bots") });
  }

  #set(name, value) {
    const control = document.querySelector(`[data-of=${name}]`);
    const range = control.querySelector("input");
    range.max = name === "Rooms" ? this.#demo.MaxRooms : this.#demo.MaxBots;
    range.value = value;
    control.querySelector("output").textContent = value;
    control.querySelector("[data-step='-1']").disabled = range.disabled || value <= Number(range.min);
    control.querySelector("[data-step='1']").disabled = range.disabled || value >= Number(range.max);
  }
}
