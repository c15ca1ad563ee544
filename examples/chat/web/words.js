// What people write: addresses become links, and one's own name behind an @ is marked.
import { h } from "./dom.js";

const address = /\bhttps?:\/\/[^\s<>"]+[^\s<>".,;:!?'()[\]]/giu;

const mention = (name) => new RegExp(`@${name.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")}(?![\\p{L}\\p{N}])`, "giu");

/** Whether a text speaks to somebody of that name. */
export const mentions = (text, name) => Boolean(name) && mention(name).test(text);

/** The nodes of a text. */
export function nodes(text, name) {
  return split(text, address, link).flatMap((part) => {
    return typeof part === "string" && name ? split(part, mention(name), (found) => h("mark", {}, found)) : [part];
  });
}

function link(url) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, url);
}

/** Cuts a text into what the pattern finds, as make makes it, and what is between. */
function split(text, pattern, make) {
  const parts = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(pattern)) {
    parts.push(text.slice(from, index), make(found));
    from = index + found.length;
  }
  parts.push(text.slice(from));
  return parts.filter((part) => part !== "");
}
