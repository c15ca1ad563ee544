// One card: its numbers, and a chart of them by uPlot.
const { uPlot } = window;

const height = 92;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The next of 1, 2, 5, 10, 20, … that is not below v. */
export function round(v) {
  const unit = 10 ** Math.floor(Math.log10(v));
  return [1, 2, 5, 10].find((n) => n * unit >= v * 0.999999) * unit;
}

export class Card {
  #card;
  #store;
  #plot;
  #box;
  #numbers = new Map(); // by a figure's name
  #top;
  #bottom;
  #hovered;

  /** hovered(time) is told which time somebody points at, in seconds; undefined: none. */
  constructor(card, store, hovered) {
    this.#card = card;
    this.#store = store;
    this.#hovered = hovered;
    this.element = document.createElement("article");
    this.element.className = "card";
    const title = document.createElement("h3");
    title.textContent = card.title;
    const numbers = document.createElement("dl");
    for (const [i, [name, label]] of Object.entries(card.series).entries()) numbers.append(this.#number(name, label, i));
    this.#box = document.createElement("div");
    this.#box.className = "plot";
    this.#box.setAttribute("role", "img");
    this.#top = document.createElement("span");
    this.#bottom = document.createElement("span");
    for (const [mark, at] of [[this.#top, "top"], [this.#bottom, "bottom"]]) {
      mark.className = `mark ${at}`;
      mark.setAttribute("aria-hidden", "true");
    }
    const words = document.createElement("div");
    words.append(title, numbers);
    this.element.append(words, this.#box);
    this.#box.append(this.#top, this.#bottom);
  }

  get names() {
    return Object.keys(this.#card.series);
  }

  #number(name, label, i) {
    const box = document.createElement("div");
    box.className = i ? "second" : "first";
    const value = document.createElement("dd");
    value.textContent = "–";
    value.dataset.figure = name;
    const text = document.createElement("dt");
    text.textContent = label;
    box.append(text, value);
    this.#numbers.set(name, value);
    return box;
  }

  /** Makes the chart, once the card is in the page. */
  start() {
    const line = (name, i) => ({
      label: name,
      stroke: () => colour(i ? "--second" : "--first"),
      fill: i ? undefined : () => colour("--first-fill"),
      width: 1.5,
      points: { show: false },
    });
    this.#plot = new uPlot(
      {
        width: this.#box.clientWidth,
        height,
        padding: [16, 0, 2, 0],
        legend: { show: false },
        axes: [{ show: false }, { show: false }],
        scales: { x: { time: false, range: () => this.#store.window }, y: { range: (_, low, high) => this.#range(low, high) } },
        series: [{}, ...this.names.map(line)],
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 7, width: 1 }, sync: { key: "cards" } },
        hooks: { setCursor: [(u) => this.#point(u)] },
      },
      this.#data(),
      this.#box,
    );
    new ResizeObserver(() => this.#plot.setSize({ width: this.#box.clientWidth, height })).observe(this.#box);
  }

  /** Shows the newest, and nothing newer than now. */
  draw() {
    this.#plot?.setData(this.#data());
    if (this.#plot?.cursor.idx == null) this.#tell(undefined);
  }

  /** Draws anew in other colours. */
  recolour() {
    this.#plot?.redraw();
  }

  /** Says in words what the chart shows, for those who do not see it. */
  describe() {
    const { title, series, format } = this.#card;
    const parts = Object.entries(series).map(([name, label]) => {
      const known = this.#store.column(name).filter((v) => v !== null);
      if (!known.length) return `${label} not known`;
      return `${label} ${format(this.#store.value(name))}, between ${format(Math.min(...known))} and ${format(Math.max(...known))}`;
    });
    this.#box.setAttribute("aria-label", `${title} in the last two minutes: ${parts.join("; ")}`);
  }

  #data() {
    return [this.#store.times, ...this.names.map((name) => this.#store.column(name))];
  }

  #range(low, high) {
    const { share, least, format } = this.#card;
    const to = share ? 100 : round(Math.max(least, high ?? 0));
    const from = share ? Math.min(90, Math.floor((low ?? 100) / 10) * 10) : 0;
    this.#top.textContent = format(to);
    this.#bottom.textContent = from ? format(from) : "";
    return [from, to];
  }

  /** Somebody points at a time, here or in another card. */
  #point(u) {
    const at = u.cursor.idx;
    this.#tell(at ?? undefined);
    this.#hovered(at == null ? undefined : this.#store.times[at]);
  }

  #tell(at) {
    for (const [name, box] of this.#numbers) {
      const text = this.#card.format(at === undefined ? this.#store.value(name) : this.#store.column(name)[at]);
      if (box.textContent !== text) box.textContent = text;
    }
  }
}
