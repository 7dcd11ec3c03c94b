// The quota tree: lines that open and close, by mouse and by arrow keys. Without this module every line is shown.
const KEY = "quota-tree-closed";
const tree = document.querySelector("[data-quota-tree]");

if (tree) start(tree);

function start(table) {
  const closed = remembered();
  for (const toggle of table.querySelectorAll("[data-toggle]")) prepare(toggle, closed);
  document.querySelector("[data-quota-keys]")?.removeAttribute("hidden");
  show(table);
  table.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-toggle]");
    if (toggle) flip(table, toggle, toggle.ariaExpanded !== "true");
    const close = event.target.closest("[data-slot-close]");
    if (close) {
      event.preventDefault();
      const slot = close.closest("[data-slot]");
      const row = slot.previousElementSibling;
      slot.firstElementChild.replaceChildren();
      row.querySelector(".actions a")?.focus();
    }
  });
  table.addEventListener("keydown", (event) => move(table, event));
  table.addEventListener("htmx:afterSwap", (event) => event.target.querySelector("input[type=number]")?.focus());
}

function prepare(toggle, closed) {
  const row = toggle.closest("tr");
  // Learners are fetched when somebody asks for them; everything else is open until it was closed.
  const lazy = toggle.dataset.learners && !hasLines(row);
  toggle.hidden = false;
  toggle.ariaExpanded = String(!lazy && !closed.has(row.dataset.account));
}

function hasLines(row) {
  let next = row.nextElementSibling;
  while (next && next.dataset.depth === undefined) next = next.nextElementSibling;
  return Boolean(next) && Number(next.dataset.depth) > Number(row.dataset.depth);
}

// Walk the lines once: a line shows when every line above it in the tree is open.
function show(table) {
  let hiddenBelow = Infinity;
  let visible = true;
  for (const row of table.tBodies[0].rows) {
    if (row.dataset.depth !== undefined) {
      const depth = Number(row.dataset.depth);
      if (depth <= hiddenBelow) hiddenBelow = Infinity;
      visible = hiddenBelow === Infinity;
      const toggle = row.querySelector("[data-toggle]");
      if (visible && toggle && toggle.ariaExpanded !== "true") hiddenBelow = depth;
    }
    row.hidden = !visible;
  }
}

async function flip(table, toggle, open) {
  const row = toggle.closest("tr");
  if (open && toggle.dataset.learners && !toggle.dataset.fetched && !(await fetchLearners(toggle, row))) return;
  toggle.ariaExpanded = String(open);
  remember(table);
  show(table);
}

async function fetchLearners(toggle, row) {
  toggle.dataset.fetched = "1";
  toggle.ariaBusy = "true";
  let answer;
  try {
    answer = await fetch(toggle.dataset.learners, { headers: { "X-Requested-With": "fetch" } });
  } catch {
    answer = { ok: false };
  }
  toggle.removeAttribute("aria-busy");
  if (!answer.ok) {
    location.href = row.querySelector("a").href; // the account's own page lists them too
    return false;
  }
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  const lines = [...holder.content.children];
  let last = row;
  while (last.nextElementSibling && (last.nextElementSibling.dataset.depth === undefined
    || Number(last.nextElementSibling.dataset.depth) > Number(row.dataset.depth))) last = last.nextElementSibling;
  last.after(...lines);
  for (const line of lines) {
    window.htmx?.process(line);
    document.dispatchEvent(new CustomEvent("campus:swapped", { detail: { root: line } }));
  }
  return true;
}

function move(table, event) {
  const here = event.target.closest("tr[data-depth]");
  if (!here || event.target.matches("input, textarea, select")) return;
  const toggle = here.querySelector("[data-toggle]");
  if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    const open = event.key === "ArrowRight";
    if (toggle && (toggle.ariaExpanded === "true") !== open) flip(table, toggle, open);
    else if (open) focusLine(neighbour(here, 1, Number(here.dataset.depth)));
    else focusLine(parentOf(here));
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    focusLine(neighbour(here, event.key === "ArrowDown" ? 1 : -1, 0));
  } else return;
  event.preventDefault();
}

function neighbour(row, step, deeperThan) {
  let next = row;
  do next = step > 0 ? next.nextElementSibling : next.previousElementSibling;
  while (next && (next.hidden || next.dataset.depth === undefined));
  return next && Number(next.dataset.depth) > deeperThan ? next : null;
}

function parentOf(row) {
  let above = row.previousElementSibling;
  while (above && !(Number(above.dataset.depth) < Number(row.dataset.depth))) above = above.previousElementSibling;
  return above;
}

function focusLine(row) {
  (row?.querySelector("[data-toggle]") ?? row?.querySelector("a"))?.focus();
}

function remembered() {
  try {
    return new Set(JSON.parse(sessionStorage.getItem(KEY) ?? "[]"));
  } catch {
    return new Set();
  }
}

function remember(table) {
  const closed = [...table.querySelectorAll('[data-toggle][aria-expanded="false"]:not([data-learners])')];
  try {
    sessionStorage.setItem(KEY, JSON.stringify(closed.map((toggle) => toggle.closest("tr").dataset.account)));
  } catch {
    // Private windows may refuse; the tree only forgets.
  }
}
