// The page: a form that logs in, and the chat. The token is in a cookie that scripts cannot read; the browser sends it along with
// the WebSocket's upgrade.
import { connect } from "/volley.js";

const $ = (id) => document.getElementById(id);
const unauthorized = 4009;

function show(inside, note = "") {
  $("login").hidden = inside;
  $("hall").hidden = !inside;
  $("note").textContent = note;
}

function line({ From, Text }) {
  const li = document.createElement("li");
  li.textContent = From ? `${From}: ${Text}` : Text;
  if (!From) li.style.opacity = 0.6;
  $("lines").append(li);
}

/** Goes into the hall with the cookie that there is. */
async function enter() {
  const client = await connect();
  const hall = await client.joinOrCreate("hall");
  hall.on("said", line);
  show(true);
  hall.onLeave((_code, reason) => {
    client.close();
    show(false, reason || "the connection is lost");
  });
  $("talk").onsubmit = (event) => {
    event.preventDefault();
    const { text } = event.target.elements;
    hall.emit("say", text.value);
    text.value = "";
  };
  $("logout").onclick = async () => {
    await fetch("/logout", { method: "POST" });
    client.close();
    show(false);
  };
}

$("login").onsubmit = async (event) => {
  event.preventDefault();
  const { name, password } = event.target.elements;
  const answer = await fetch("/login", {
    method: "POST",
    body: JSON.stringify({ name: name.value, password: password.value }),
  });
  password.value = "";
  if (!answer.ok) return show(false, await answer.text());
  $("lines").replaceChildren();
  try {
    await enter();
  } catch (error) {
    show(false, error.message);
  }
};

try {
  await enter(); // somebody who has logged in before
} catch (error) {
  show(false, error.code === unauthorized ? "" : error.message);
}
