// What the player is called: ?name= in the address, or what they chose before, or a guest's name.
const key = "pong.name";
const first = ["Bold", "Brisk", "Calm", "Fleet", "Keen", "Lucky", "Nimble", "Quick", "Sly", "Swift"];
const second = ["Fox", "Hare", "Lynx", "Wren", "Otter", "Swan", "Ibex", "Kite"];
const any = (list) => list[Math.floor(Math.random() * list.length)];

let name = new URLSearchParams(location.search).get("name") || localStorage.getItem(key) || `${any(first)} ${any(second)}`;

export const myName = () => name;

/** Takes another name, for the next visits too, and reports whether it is one. */
export function rename(to) {
  const clean = to.trim().replace(/\s+/g, " ");
  if (!clean || clean === name) return false;
  name = clean;
  localStorage.setItem(key, name);
  return true;
}
