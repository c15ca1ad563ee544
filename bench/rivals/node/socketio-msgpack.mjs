// Socket.IO with the parser of its own that makes a message one frame.
import parser from "socket.io-msgpack-parser";
import { startWith } from "./socketio.mjs";

export const start = (spec, meter) => startWith(parser, spec, meter);
