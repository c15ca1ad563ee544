// Everything around the canvas: names, notes, the banner, what to say when the connection is lost.
const $ = (selector) => document.querySelector(selector);

const sides = [".side.left", ".side.right"].map((s) => ({
  box: $(s),
  name: $(`${s} .name`),
  mark: $(`${s} small`),
}));

const setText = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

/** The names, the score for who listens, and the banner. */
export function showTable(table, seat) {
  sides.forEach(({ box, name, mark }, side) => {
    const own = side === seat;
    box.classList.toggle("empty", !table.Names[side]);
    setText(name, table.Names[side] || "free");
    setText(mark, own ? "you" : table.Bots[side] ? "bot" : table.Away[side] ? "away" : "");
    name.disabled = !own;
    name.title = own ? "Change your name; a new match begins" : "";
  });
  setText($("#watching"), table.Watch ? `watching: ${table.Watch}` : "");
  const [a, b] = table.Score;
  setText($("#score"), `${table.Names[0] || "nobody"} ${a}, ${table.Names[1] || "nobody"} ${b}`);

  const over = table.Winner >= 0;
  const banner = $("#banner");
  if (over) {
    banner.dataset.side = table.Winner;
    setText($("#winner"), table.Winner === seat ? "You win" : `${table.Names[table.Winner]} wins`);
    $("#rematch").hidden = seat < 0;
  }
  banner.hidden = !over;
}

export const showNote = (text) => setText($("#note"), text);

/** Why there is no game, and what happens next, which is not read out each second; undefined: there is one. */
export function showLost(text, again = "") {
  $("#lost").hidden = text === undefined;
  setText($("#lost h1"), again ? "Reconnecting…" : "Connection lost");
  if (text !== undefined) setText($("#why"), text);
  setText($("#again"), again);
}

/** Lets the player write another name over their own. */
export function editNames(current, done) {
  for (const { name } of sides) {
    name.addEventListener("click", () => {
      const field = Object.assign(document.createElement("input"), {
        className: "name-field", value: current(), maxLength: 12, spellcheck: false, autocomplete: "off", enterKeyHint: "done",
      });
      field.setAttribute("aria-label", "Your name");
      let ended = false; // taking the field away makes it lose the focus, which would end it again
      const end = (keep) => {
        if (ended) return;
        ended = true;
        field.replaceWith(name);
        if (keep) done(field.value);
      };
      field.addEventListener("keydown", (e) => {
        if (e.key === "Enter") end(true);
        if (e.key === "Escape") end(false);
      });
      field.addEventListener("blur", () => end(true));
      name.replaceWith(field);
      field.select();
    });
  }
}

/** A button, and a key that does the same. */
export function command(selector, code, action) {
  const button = $(selector);
  const run = () => {
    const pressed = action();
    if (pressed !== undefined) button.setAttribute("aria-pressed", pressed);
  };
  button.addEventListener("click", () => {
    run();
    button.blur(); // so that the space bar and Enter do not press it again in the game
  });
  addEventListener("keydown", (e) => {
    if (e.code !== code || e.repeat || e.ctrlKey || e.metaKey || e.altKey || e.target instanceof HTMLInputElement) return;
    run();
  });
  return button;
}
