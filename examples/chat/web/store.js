// What the browser keeps: the name for the next visit, and for this tab its rooms and the token by which the server knows it.

const names = "chat.name";
const rooms = "chat.rooms";

/** A secret that nobody guesses. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** ?name= in the address, or the name of the last visit; empty: there is none. */
export const savedName = () => new URLSearchParams(location.search).get("name") ?? localStorage.getItem(names) ?? "";

export const saveName = (name) => localStorage.setItem(names, name);

/** The tab's token, for one sort of client. */
export function token(via) {
  const key = `chat.token.${via}`;
  const known = sessionStorage.getItem(key) ?? newKey();
  sessionStorage.setItem(key, known);
  return known;
}

/** The names of the rooms that the tab was in. */
export function savedRooms() {
  try {
    return JSON.parse(sessionStorage.getItem(rooms)) ?? [];
  } catch {
    return [];
  }
}

export const saveRooms = (list) => sessionStorage.setItem(rooms, JSON.stringify(list));
