// The client for Node, as every Socket.IO user knows it: npm install socket.io-client, then node client.js [address].
const { io } = require("socket.io-client");

const socket = io(process.argv[2] ?? "http://127.0.0.1:8080");

socket.on("greeting", (text) => {
  console.log("greeting:", text);
  socket.emit("thankyou");
  socket.emit("alpha");
  socket.emit("beta");
  socket.emit("gamma");
});

socket.on("updateClient", ({ data }) => console.log("updateClient:", data));
socket.on("updateAllClients", ({ data }) => console.log("updateAllClients:", data));
socket.on("updateAllExceptOne", ({ data }) => console.log("updateAllExceptOne:", data));

socket.on("connect_error", (err) => console.log("it does not work:", err.message));
