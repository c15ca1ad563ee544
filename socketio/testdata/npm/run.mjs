import { run } from "./harness.mjs";
import "./connecting.mjs";
import "./events.mjs";
import "./acks.mjs";
import "./audiences.mjs";
import "./ends.mjs";
import "./recovery.mjs";

await run();
