// The lists at the sides: rooms and members. On narrow screens they lie over the log, one at a time.
import { $, avatar, h, unseen } from "./dom.js";

const rows = new Map(); // of the rooms, by name

/** Shows the list of rooms: what the server has listed, and our part in it. Buttons stay, so that no click is lost. */
export function showRooms(listed, halls, active, open) {
  const wanted = listed.map(({ name, about, members }) => {
    let row = rows.get(name);
    if (!row) rows.set(name, (row = makeRow(name, about, open)));
    const hall = halls.get(name);
    const unread = hall?.unread ?? 0;
    row.button.className = hall ? "in" : "";
    row.button.ariaCurrent = name === active?.name ? "true" : null;
    row.badge.hidden = !unread;
    row.unread.data = unread;
    row.members.data = members;
    row.noun.textContent = members === 1 ? " member" : " members";
    return row.item;
  });
  const list = $("rooms");
  const same = wanted.length === list.children.length && wanted.every((item, i) => item === list.children[i]);
  if (!same) list.replaceChildren(...wanted);
}

function makeRow(name, about, open) {
  const [unread, members] = [new Text(), new Text()];
  const noun = unseen("");
  const badge = h("span", { className: "badge" }, unread, unseen(" unread"));
  const button = h("button", { type: "button", title: about, onclick: () => open(name) },
    h("span", { className: "room", ariaHidden: "true" }, "#"),
    h("span", { className: "name" }, name), badge, h("span", { className: "count" }, members, noun));
  button.dataset.room = name;
  return { item: h("li", {}, button), button, badge, unread, members, noun };
}

/** Shows who is in the room. */
export function showMembers(hall) {
  const list = [...(hall?.members.values() ?? [])];
  const order = (m) => (m.away ? 1 : 0);
  list.sort((a, b) => order(a) - order(b) || a.name.localeCompare(b.name));
  $("members").replaceChildren(...list.map((m) => {
    const typing = !m.away && m.id !== hall.me && hall.typing.includes(m.id);
    const notes = [m.id === hall.me && "you", m.away && "away", typing && "typing…"].filter(Boolean).join(", ");
    return h("li", { className: m.away ? "away" : "" },
      avatar(m.name),
      h("span", { className: "name" }, m.name),
      notes && h("span", { className: "note" }, notes),
      m.via && !typing && h("span", { className: "via" }, unseen(", by "), m.via));
  }));
  $("present").textContent = list.length || "";
}

const narrow = { rooms: matchMedia("(max-width: 759px)"), members: matchMedia("(max-width: 1059px)") };
let opened; // the one that lies over the log

/** Opens a panel, or with undefined closes it. What is not to be seen cannot be reached by keyboard either. */
export function openPanel(which) {
  const before = opened;
  opened = which;
  for (const [name, query] of Object.entries(narrow)) {
    const over = query.matches && opened === name;
    $(`${name}-panel`).inert = query.matches && !over;
    $(`${name}-panel`).classList.toggle("open", over);
    $(`show-${name}`).ariaExpanded = String(over);
  }
  const over = Boolean(opened && narrow[opened].matches);
  $("curtain").classList.toggle("open", over);
  document.querySelector("main").inert = over;
  if (over) $(`${opened}-panel`).querySelector("button, [tabindex]")?.focus();
  else if (before) $(`show-${before}`).focus();
}

for (const name of Object.keys(narrow)) {
  $(`show-${name}`).onclick = () => openPanel(opened === name ? undefined : name);
  narrow[name].onchange = () => openPanel();
}
$("curtain").onclick = () => openPanel();
addEventListener("keydown", ({ key }) => key === "Escape" && opened && !document.querySelector("dialog[open]") && openPanel());
openPanel();
