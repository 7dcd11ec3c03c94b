// The term's grid: a letter marks the cell, U takes back, Enter opens it. Arrows move (core/js/rows.js).
const root = document.querySelector("[data-term]");
const table = root?.querySelector("table");
const letters = Object.fromEntries((table?.dataset.letters ?? "").trim().split(" ").map((pair) => pair.split("=")));
const KEYS = { p: "PRESENT", l: "LATE", e: "LEFT_EARLY", x: "EXCUSED", a: "ABSENT" };
const undone = []; // addresses that take back, newest last
let isBusy = false;

const say = (text) => (root.querySelector("[data-said]").textContent = text);
const parts = (cell) => cell.dataset.c.split(":");
const cellOf = (learner, session) => [...table.querySelectorAll(`[data-c^="${learner}:${session}:"]`)][0];

function draw(cell, mark, revision) {
  const [learner, session] = parts(cell);
  cell.dataset.c = `${learner}:${session}:${revision}`;
  cell.className = `mk mk-${mark}`;
  cell.textContent = letters[mark];
}

async function send(url, fields) {
  const form = new URLSearchParams({ ...fields, csrfmiddlewaretoken: root.querySelector('input[name="csrfmiddlewaretoken"]').value });
  const response = await fetch(url, { method: "POST", body: form, headers: { Accept: "application/json" } });
  const answer = response.headers.get("Content-Type")?.startsWith("application/json") ? await response.json() : {};
  return { ok: response.ok, answer };
}

async function alone(act) {
  if (isBusy) return;
  isBusy = true;
  try {
    await act();
  } catch {
    say(root.dataset.failed);
  } finally {
    isBusy = false;
  }
}

async function mark(cell, value) {
  const reason = root.querySelector("#term-reason").value.trim();
  if (!reason) {
    say(root.dataset.noReason);
    return;
  }
  const [learner, session, revision] = parts(cell);
  const { ok, answer } = await send(`/attendance/classes/${session}/marks/`, { learner: `${learner}:${revision}`, mark: value, reason });
  if (!ok) {
    for (const one of answer.changed ?? []) draw(cell, one.mark, one.revision);
    say(answer.detail ?? root.dataset.failed);
    return;
  }
  draw(cell, value, answer.revisions[learner]);
  undone.push([answer.undo, session]);
  root.querySelector("[data-undo]").disabled = false;
  say(root.dataset.marked);
}

async function undo() {
  const last = undone.pop();
  if (!last) {
    say(root.dataset.nothing);
    return;
  }
  const { ok, answer } = await send(last[0], {});
  for (const [learner, [value, revision]] of Object.entries(answer.verdicts ?? {})) draw(cellOf(learner, last[1]), value, revision);
  root.querySelector("[data-undo]").disabled = !undone.length;
  say(ok ? root.dataset.undone : (answer.detail ?? root.dataset.failed));
}

if (root) {
  root.querySelector("[data-undo]").addEventListener("click", () => alone(undo));
  table.addEventListener("keydown", (event) => {
    const cell = event.target.closest("[data-cell]");
    if (!cell || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key === "u" || (key === "z" && (event.ctrlKey || event.metaKey))) {
      event.preventDefault();
      alone(undo);
    } else if (event.ctrlKey || event.metaKey) {
      return;
    } else if (event.key === "Enter") {
      const [learner, session] = parts(cell);
      location.href = `/attendance/learners/${learner}/classes/${session}/`;
    } else {
      const value = KEYS[event.code?.startsWith("Key") ? event.code.slice(3).toLowerCase() : key];
      if (value) {
        event.preventDefault();
        alone(() => mark(cell, value));
      }
    }
  });
  table.addEventListener("click", (event) => {
    const cell = event.target.closest("[data-cell]");
    if (!cell) return;
    for (const one of table.querySelectorAll('[data-cell][tabindex="0"]')) one.tabIndex = -1;
    cell.tabIndex = 0;
    cell.focus();
  });
}
