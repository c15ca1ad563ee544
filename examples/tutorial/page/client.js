const socket = io();

for (const event of ["alpha", "beta", "gamma"]) {
  document.getElementById(event).onclick = () => socket.emit(event);
}

socket.on("greeting", (text) => {
  show("greeting", text);
  socket.emit("thankyou");
});
for (const event of ["updateClient", "updateAllClients", "updateAllExceptOne"]) {
  socket.on(event, ({ data }) => show(event, data));
}

const state = document.getElementById("state");
socket.on("connect", () => (state.textContent = `connected as ${socket.id}`));
socket.on("disconnect", (reason) => (state.textContent = `disconnected: ${reason}`));
socket.on("connect_error", (err) => (state.textContent = `cannot connect: ${err.message}`));

// show puts what was heard on top of the list.
function show(event, data) {
  const line = document.createElement("li");
  line.append(Object.assign(document.createElement("b"), { textContent: event }), ` ${data}`);
  document.getElementById("heard").prepend(line);
}
