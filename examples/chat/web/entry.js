// The question for a name.
import { $ } from "./dom.js";

const dialog = $("entry");

/**
 * Asks for a name and resolves to it; to undefined if it was cancelled, which is only possible with cancel. why says why the last
 * one was none. check(name), if there is one, resolves to what is wrong with a name, or to nothing.
 */
export function askName({ title = "What should we call you?", value = "", why = "", cancel = false, check }) {
  $("entry-title").textContent = title;
  $("entry-name").value = value;
  $("entry-why").textContent = why;
  $("entry-cancel").hidden = !cancel;
  return new Promise((resolve) => {
    const done = (name) => {
      dialog.close();
      resolve(name);
    };
    $("entry-cancel").onclick = () => done();
    dialog.oncancel = (event) => {
      event.preventDefault();
      if (cancel) done();
    };
    dialog.querySelector("form").onsubmit = async (event) => {
      event.preventDefault();
      const name = $("entry-name").value.trim().replace(/\s+/g, " ");
      const wrong = name ? await check?.(name) : "Choose a name first.";
      if (wrong) $("entry-why").textContent = wrong;
      else done(name);
    };
    dialog.showModal();
    $("entry-name").select();
  });
}
