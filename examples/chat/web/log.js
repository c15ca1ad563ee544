// What was said, as one sees it. What has not changed stays as it is, so that a screen reader says only what is new.
import { avatar, day, h, listed, time, unseen } from "./dom.js";
import { mentions, nodes } from "./words.js";

const together = 5 * 60_000; // ms within which messages of one person need one name
const bottom = 48; // pixels that still count as the end

export class Log {
  #scroller;
  #list;
  #drawn = new Map(); // {is, element} by key
  #hall;
  #follows = true; // the reader was at the end

  /** scrolled() is called when the reader has moved. */
  constructor(scroller, scrolled) {
    this.#scroller = scroller;
    this.#list = scroller.querySelector("ol");
    scroller.addEventListener("scroll", () => {
      this.#follows = this.atEnd;
      scrolled();
    });
    const resized = new ResizeObserver(() => this.#follows && this.toEnd()); // by a keyboard, a line of the composer, a late word
    resized.observe(scroller);
    resized.observe(this.#list);
  }

  get atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < bottom;
  }

  toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** Shows another room, from its first new message on. */
  show(hall) {
    this.#hall = hall;
    this.#scroller.ariaLive = "off"; // nobody wants to hear all of it
    this.#drawn.clear();
    this.#list.replaceChildren();
    this.draw();
    const line = this.#list.querySelector(".new");
    if (line) line.scrollIntoView({ block: "center" });
    else this.toEnd();
    this.#follows = this.atEnd;
    setTimeout(() => (this.#scroller.ariaLive = "polite"));
  }

  /** Draws what is new; follow: and goes there. */
  draw(follow = this.atEnd) {
    const before = this.#drawn;
    this.#drawn = new Map();
    const elements = [];
    for (const { key, is, make } of items(this.#hall)) {
      const old = before.get(key);
      const element = old && old.is === is ? old.element : make();
      this.#drawn.set(key, { is, element });
      elements.push(element);
    }
    const wanted = new Set(elements);
    for (const element of [...this.#list.children]) if (!wanted.has(element)) element.remove();
    let at = this.#list.firstChild;
    for (const element of elements) {
      if (element === at) at = at.nextSibling;
      else this.#list.insertBefore(element, at);
    }
    if (follow) this.toEnd();
  }
}

/** What is to be seen: each with a key, what it depends on, and how to make it. */
function* items(hall) {
  const { me, myName, mark } = hall;
  let today;
  let marked = mark === undefined;
  let before;
  for (const entry of hall.entries) {
    const { at, from } = entry;
    if (day(at) !== today) {
      const text = (today = day(at));
      yield { key: `day ${text}`, make: () => h("li", { className: "day" }, h("span", {}, text)) };
      before = undefined;
    }
    if (entry.line) {
      const text = `${listed(entry.names)} ${entry.verb}`;
      yield { key: `line ${entry.line}`, is: text, make: () => h("li", { className: "line" }, text, " ", time(at)) };
      before = undefined;
      continue;
    }
    if (!marked && entry.id > mark && from !== me) {
      marked = true;
      yield { key: "new", make: () => h("li", { className: "new" }, h("span", {}, "New")) };
      before = undefined;
    }
    const more = before?.from === from && before.name === entry.name && at - before.at < together;
    const mine = from === me;
    const is = [at, more, mine, !mine && myName].join();
    yield { key: `message ${entry.id}`, is, make: () => message(entry, more, mine, mine ? "" : myName) };
    before = entry;
  }
  const last = hall.pending.at(-1);
  if (me && !last && !hall.entries.length) {
    yield { key: "empty", make: () => h("li", { className: "empty" }, "Nothing has been said here yet.") };
  }
  for (const draft of hall.pending) {
    const more = before?.from === me && draft.at - before.at < together;
    const entry = { ...draft, name: myName };
    const make = () => pending(hall, draft, message(entry, more, true, ""));
    yield { key: `draft ${draft.key}`, is: [more, draft.error, draft === last].join(), make };
    before = { from: me, at: draft.at };
  }
}

function message({ name, text, at }, more, mine, myName) {
  const hit = mentions(text, myName);
  const kind = [more ? "more" : "first", mine && "mine", hit && "hit"].filter(Boolean).join(" ");
  const by = more
    ? unseen(`${name}: `)
    : h("p", { className: "by" }, h("b", {}, name), mine && h("span", { className: "you" }, "you"), time(at));
  const words = h("p", { className: "text", dir: "auto" }, ...nodes(text, myName));
  return h("li", { className: `message ${kind}` }, more ? time(at) : avatar(name), h("div", {}, by, words));
}

function pending(hall, draft, element) {
  element.classList.add("pending");
  const button = (text, onclick) => h("button", { type: "button", onclick }, text);
  if (!draft.error && draft !== hall.pending.at(-1)) return element; // once is enough
  const state = draft.error
    ? h("p", { className: "state failed", role: "alert" }, `Not sent: ${draft.error}. `,
        button("Try again", () => hall.again(draft)), " ", button("Discard", () => hall.discard(draft)))
    : h("p", { className: "state" }, "waiting to be sent");
  element.lastChild.append(state);
  return element;
}
