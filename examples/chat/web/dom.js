// Elements, made without a line of HTML: whatever somebody has written can only become text.

export const $ = (id) => document.getElementById(id);

/** Makes an element. props are properties of it, children are elements and texts; what is falsy is left out. */
export function h(tag, props, ...children) {
  const element = Object.assign(document.createElement(tag), props);
  element.append(...children.filter((child) => child || child === 0));
  return element;
}

/** A text that is only heard. */
export const unseen = (text) => h("span", { className: "unseen" }, text);

/** A circle with somebody's initials, in a colour of their own. */
export function avatar(name, element = h("span", { className: "avatar", ariaHidden: "true" })) {
  const words = name.split(" ");
  const first = ([...segments(words[0])][0] ?? "") + (words.length > 1 ? [...segments(words.at(-1))][0] ?? "" : "");
  element.textContent = first.toLocaleUpperCase();
  let hash = 0;
  for (const c of name) hash = (hash * 31 + c.codePointAt(0)) % 9973;
  element.style.setProperty("--hue", Math.round(hash * 137.508) % 360); // the golden angle: neighbours are far apart
  return element;
}

const splitter = new Intl.Segmenter();
const segments = (text) => Array.from(splitter.segment(text), ({ segment }) => segment);

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const both = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/** The time of day. */
export function time(at) {
  return h("time", { dateTime: new Date(at).toISOString(), title: both.format(at) }, clock.format(at));
}

/** Today, yesterday, or a date. */
export function day(at) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
  return ["Today", "Yesterday"][days] ?? date.format(at);
}

/** "Ann", "Ann and Ben", "Ann, Ben and Cat", "Ann, Ben and 3 others". */
export function listed(names) {
  if (names.length > 3) names = [names[0], names[1], `${names.length - 2} others`];
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
