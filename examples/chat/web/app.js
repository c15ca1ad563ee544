// The page. It is the same for both clients: native.js and socketio.js give it a link to the server.
import { $, avatar, listed } from "./dom.js";
import { Hall } from "./hall.js";
import { Log } from "./log.js";
import { askName } from "./entry.js";
import { openPanel, showMembers, showRooms } from "./panels.js";
import { saveName, saveRooms, savedName, savedRooms, token } from "./store.js";

const typingAgain = 3000; // ms, while one goes on typing
const brief = 700; // ms for which a lost connection is not worth a word

let link;
let state = "connecting"; // or "open" or "lost"
let lostAt = 0; // since when we are without a connection that we had; 0: we are not
let myName = savedName();
let known = []; // the rooms that there are, as the server lists them
const halls = new Map(); // those that we are in, or want to be, by name
let active; // the one that is shown
let asking = Promise.resolve(); // questions for a name, one after the other
let typed = 0; // when we have told that we are typing; 0: we are not

const log = new Log($("log"), look);

/** Begins, with a class of links. */
export async function start(Link) {
  link = new Link((now) => {
    state = now;
    draw();
  });
  while (!myName) myName = (await askName({})) ?? "";
  saveName(myName);
  const saved = savedRooms();
  for (const name of saved.length ? saved : ["lobby"]) want(name);
  await list();
  route();
}

/** Gets the list of rooms, if it takes a while. */
async function list() {
  for (let wait = 500; ; wait = Math.min(2 * wait, 4000)) {
    try {
      const answer = await fetch("rooms");
      if (answer.ok) return (known = await answer.json());
    } catch {
      // There is no connection.
    }
    await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
  }
}

/** Wants to be in a room, from now on. */
function want(name) {
  const hall = new Hall(name, { name: myName, token: token(link.via), via: link.via }, changed);
  halls.set(name, hall);
  enter(hall);
  return hall;
}

async function enter(hall) {
  const found = (await list()).find(({ name }) => name === hall.name);
  if (halls.get(hall.name) !== hall) return; // we have left meanwhile
  if (!found) return forget(hall);
  hall.id = found.id;
  hall.about = found.about;
  hall.enter(link, over);
}

/** We are not in a room, or no longer. */
function over(hall, code, text) {
  if (code === "join-refused") question(hall, text);
  else if (code === "kicked") hall.out = `You have left the room: ${text || "the server says so"}.`;
  else {
    hall.waits = true; // for a server that starts anew
    setTimeout(() => halls.get(hall.name) === hall && enter(hall), 300 + 2000 * Math.random());
  }
  draw();
}

/** Asks for another name, unless there is one already since. */
function question(hall, why) {
  asking = asking.then(async () => {
    if (hall.hello.name === myName) {
      const name = await askName({ title: `Your name in #${hall.name}`, value: myName, why, cancel: halls.size > 1 });
      if (!name) return forget(hall);
      saveName((myName = name));
    }
    hall.hello.name = myName;
    enter(hall);
  });
}

function forget(hall) {
  hall.leave();
  halls.delete(hall.name);
  if (hall === active) location.hash = halls.size ? halls.keys().next().value : "lobby";
  draw();
}

/** Opens the room that the address names. */
function route() {
  const name = decodeURIComponent(location.hash.slice(1));
  const hall = halls.get(name) ?? (known.some((room) => room.name === name) ? want(name) : undefined);
  open(hall ?? halls.values().next().value ?? want("lobby"));
}

function open(hall) {
  if (location.hash !== `#${hall.name}`) history.replaceState(null, "", `#${hall.name}`);
  active = hall;
  typed = 0;
  arrive();
  log.show(hall);
  look();
  openPanel();
  draw();
  if (matchMedia("(pointer: fine)").matches && !document.querySelector("dialog[open]")) $("text").focus();
}

/** Somebody looks at the room: a line shows where the new messages begin. */
function arrive() {
  if (active) active.mark = active.unread ? active.seen : undefined;
}

/** What is on the screen has been seen. */
function look() {
  if (active && !document.hidden && log.atEnd && active.seen < active.newest) {
    active.seen = active.newest;
    draw();
  }
  if (log.atEnd) $("newest").hidden = true;
}

/** Something in a room is another. */
function changed(hall, event, payload) {
  if (event === "welcome" || event === "rooms") known = payload.rooms ?? payload;
  if (hall === active) {
    const own = event === "pending";
    const follow = own || event === "welcome" || log.atEnd;
    log.draw(follow);
    if (follow) look();
    else if (event === "said") $("newest").hidden = false;
  }
  draw();
}

let drawing = false;

/** Draws all but the log, once for all that happens in this turn. */
function draw() {
  if (drawing) return;
  drawing = true;
  queueMicrotask(() => {
    drawing = false;
    const unread = [...halls.values()].reduce((n, hall) => n + hall.unread, 0);
    const elsewhere = unread - (active?.unread ?? 0);
    document.title = `${unread ? `(${unread}) ` : ""}${active ? `#${active.name} · ` : ""}Chat`;
    const how = state !== "open" && [...halls.values()].some((hall) => hall.waits) ? "lost" : state;
    if (how !== "lost") lostAt = 0;
    else if (!lostAt) {
      lostAt = Date.now();
      setTimeout(draw, brief);
    }
    document.documentElement.dataset.link = how;
    $("elsewhere").textContent = elsewhere;
    $("elsewhere").hidden = !elsewhere;
    $("link").textContent = { open: "online", lost: "reconnecting…" }[how] ?? "connecting…";
    $("other").hash = location.hash;
    $("name").firstChild.textContent = active?.myName ?? myName;
    avatar(active?.myName ?? myName, $("avatar"));
    showRooms(known, halls, active, (name) => open(halls.get(name) ?? want(name)));
    showMembers(active);
    notice();
    if (!active) return;
    $("title").textContent = `#${active.name}`;
    $("about").textContent = active.about;
    $("text").placeholder = `Message #${active.name}`;
    $("leave").hidden = halls.size < 2;
    const { typists } = active;
    $("typing").textContent = typists.length ? `${listed(typists)} ${typists.length > 1 ? "are" : "is"} typing…` : "";
    saveRooms([...halls.keys()]);
  });
}

/** Says what keeps one from talking. */
function notice() {
  const lost = lostAt && Date.now() - lostAt >= brief && "The connection is lost. What you write is sent when it is back.";
  const text = active?.out || lost || "";
  const element = $("notice");
  if (element.dataset.text === text) return;
  element.dataset.text = text;
  element.textContent = text;
  if (active?.out) {
    const back = document.createElement("button");
    Object.assign(back, { type: "button", textContent: "Come back", onclick: () => enter(active) });
    element.append(" ", back);
  }
}

function send() {
  const text = $("text").value.trim();
  if (!text || !active) return;
  if (!active.say(text)) {
    $("composer").dataset.full = "true"; // what is written stays
    return;
  }
  delete $("composer").dataset.full;
  $("text").value = "";
  typed = 0;
}

/** Tells that we are typing, or no longer. */
function tellTyping() {
  const now = Date.now();
  if ($("text").value.trim()) {
    if (now - typed < typingAgain) return;
    typed = now;
    active?.seat?.emit("typing", true);
  } else if (typed) {
    typed = 0;
    active?.seat?.emit("typing", false);
  }
}

$("composer").onsubmit = (event) => {
  event.preventDefault();
  send();
  $("text").focus();
};
$("text").oninput = tellTyping;
let shift = false;
$("text").onkeydown = (event) => {
  shift = event.shiftKey;
  if (event.key !== "Enter" || shift || event.isComposing) return;
  event.preventDefault();
  send();
};
$("text").onbeforeinput = (event) => { // keyboards on screens have no keys
  if (event.inputType !== "insertLineBreak" || shift) return;
  event.preventDefault();
  send();
};
$("newest").onclick = () => log.toEnd();
$("leave").onclick = () => active && forget(active);
$("name").onclick = async () => {
  const name = await askName({ title: "Change your name", value: active?.myName ?? myName, cancel: true, check: rename });
  if (name) draw();
};

/** Takes another name in all rooms; resolves to why that cannot be. */
async function rename(name) {
  if (state !== "open") return "There is no connection.";
  const answers = await Promise.all([...halls.values()].map(async (hall) => {
    const answer = await hall.seat?.request("rename", name);
    if (answer?.value) hall.hello.name = answer.value;
    return hall === active ? answer : undefined;
  }));
  const answer = answers.find(Boolean);
  if (!answer || answer.error) return answer?.error ?? "The server does not answer.";
  saveName((myName = answer.value));
}

addEventListener("hashchange", route);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  arrive();
  log.draw();
  look();
});
