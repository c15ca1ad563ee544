// The table of counters: of each only the newest value counts.
const table = document.querySelector("#counts table");
const rows = new Map(); // by what and why

/** A counter has another value. */
export function showCount({ What, Name, Code, N }) {
  const key = `${What} ${Name}`;
  let row = rows.get(key);
  if (!row) rows.set(key, (row = add(key, What, Name, Code)));
  row.dataset.n = N;
  row.lastElementChild.textContent = N.toLocaleString("en");
  row.classList.remove("new");
  void row.offsetWidth; // so that the colour fades from its beginning
  row.classList.add("new");
}

/** A server that has begun anew counts from nothing. */
export function forgetCounts() {
  rows.clear();
  table.tBodies[0].replaceChildren();
  table.hidden = true;
  document.querySelector("#none").hidden = false;
}

function add(key, what, name, code) {
  const row = document.createElement("tr");
  row.dataset.key = key;
  for (const text of [what, name.replaceAll("-", " "), code || "", ""]) {
    const cell = document.createElement("td");
    cell.textContent = text;
    row.append(cell);
  }
  const after = [...table.tBodies[0].rows].find((other) => other.dataset.key > key);
  table.tBodies[0].insertBefore(row, after ?? null);
  table.hidden = false;
  document.querySelector("#none").hidden = true;
  return row;
}
