// The gradebook's grid: move by arrows, type to replace, paste from a spreadsheet, undo. The server decides every cell;
// what could not be sent stays in its cell and is sent again.
const grid = document.querySelector("[data-grade-grid]");
if (grid) start(grid);

function start(table) {
  const words = JSON.parse(document.getElementById("grade-words").textContent);
  const items = [...table.tHead.rows[1].querySelectorAll("[data-item]")];
  const rows = [...table.tBodies[0].querySelectorAll("tr[data-row]")];
  const status = document.querySelector("[data-grade-status]");
  const state = { at: [0, 0], from: [0, 0], entries: [], queue: new Map(), timer: 0, sending: false };
  document.querySelector("[data-grade-keys]").hidden = false;
  table.setAttribute("role", "grid");
  for (const scroll of document.querySelectorAll(".grade-scroll")) scroll.removeAttribute("tabindex");

  const cell = ([row, column]) => rows[row].cells[column + 1];
  const place = (td) => {
    const row = rows.indexOf(td.closest("tr"));
    const column = td.cellIndex - 1;
    return row < 0 || column < 0 || column >= items.length ? null : [row, column];
  };
  const clamp = ([row, column]) => [Math.min(Math.max(row, 0), rows.length - 1), Math.min(Math.max(column, 0), items.length - 1)];
  const say = (text, isBad = false) => {
    status.textContent = text;
    status.classList.toggle("is-bad", isBad);
  };

  function go(to, { extend = false, focus = true } = {}) {
    cell(state.at).tabIndex = -1;
    state.at = clamp(to);
    if (!extend) state.from = state.at;
    const td = cell(state.at);
    td.tabIndex = 0;
    for (const old of table.querySelectorAll(".is-selected")) old.classList.remove("is-selected");
    const range = selected();
    if (range.length > 1) for (const one of range) cell(one).classList.add("is-selected");
    if (focus) {
      td.focus({ preventScroll: true });
      reveal(td);
    }
  }

  // The sticky head and first column would cover what the browser thinks is in view.
  function reveal(td) {
    const box = table.closest(".grade-scroll");
    const [outer, inner] = [box.getBoundingClientRect(), td.getBoundingClientRect()];
    const left = outer.left + rows[0].cells[0].offsetWidth;
    const top = outer.top + table.tHead.offsetHeight;
    if (inner.left < left) box.scrollLeft -= left - inner.left;
    if (inner.right > outer.right) box.scrollLeft += inner.right - outer.right + 16;
    if (inner.top < top) box.scrollTop -= top - inner.top;
    if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + 16;
  }

  function selected() {
    const [[r1, c1], [r2, c2]] = [state.from, state.at];
    const found = [];
    for (let row = Math.min(r1, r2); row <= Math.max(r1, r2); row++)
      for (let column = Math.min(c1, c2); column <= Math.max(c1, c2); column++) found.push([row, column]);
    return found;
  }

  function edit(text) {
    const at = state.at;
    const td = cell(at);
    const was = td.textContent;
    const input = document.createElement("input");
    input.className = "grade-cell-input";
    input.maxLength = 16;
    input.setAttribute("aria-label", `${rows[at[0]].cells[0].textContent}, ${items[at[1]].querySelector(".grade-title").textContent}`);
    input.value = text ?? was;
    td.replaceChildren(input);
    input.focus();
    if (text === undefined) input.select();
    let isOver = false;
    const finish = (isKept, to) => {
      if (isOver) return;
      isOver = true;
      td.textContent = was;
      if (isKept && input.value.trim() !== was) write([[at, input.value.trim()]]);
      if (to) go(to);
    };
    input.addEventListener("blur", () => finish(true));
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.isComposing) return;
      const [row, column] = at;
      if (event.key === "Enter") finish(true, [row + (event.shiftKey ? -1 : 1), column]);
      else if (event.key === "Tab") finish(true, [row, column + (event.shiftKey ? -1 : 1)]);
      else if (event.key === "Escape") finish(false, at);
      else if (event.key === "ArrowDown") finish(true, [row + 1, column]);
      else if (event.key === "ArrowUp") finish(true, [row - 1, column]);
      else return;
      event.preventDefault();
    });
  }

  // Cells of columns that are graded elsewhere need a reason, asked once for all that are written together.
  async function write(edits) {
    const isSourced = edits.some(([[, column]]) => items[column].hasAttribute("data-sourced"));
    let reason = "";
    if (isSourced) {
      reason = await askReason();
      if (!reason) return;
    }
    for (const [[row, column], text] of edits) {
      const td = cell([row, column]);
      const key = `${items[column].dataset.item}:${rows[row].dataset.row}`;
      td.textContent = text;
      td.classList.add("is-saving");
      td.classList.remove("is-refused");
      state.queue.set(key, { td, item: Number(items[column].dataset.item), row: Number(rows[row].dataset.row), text, reason });
    }
    say(words.saving);
    clearTimeout(state.timer);
    state.timer = setTimeout(send, 150);
  }

  function askReason() {
    const dialog = document.getElementById("grade-reason");
    const form = dialog.querySelector("[data-grade-reason]");
    const field = form.querySelector("input");
    field.value = "";
    dialog.showModal();
    return new Promise((resolve) => {
      let reason = "";
      form.onsubmit = () => {
        reason = field.value.trim();
      };
      dialog.addEventListener("close", () => resolve(reason), { once: true });
    });
  }

  async function send() {
    if (state.sending || !state.queue.size) return;
    state.sending = true;
    const reason = [...state.queue.values()].at(-1).reason;
    const batch = new Map([...state.queue].filter(([, one]) => one.reason === reason));
    for (const key of batch.keys()) state.queue.delete(key);
    const edits = [...batch.values()].map((one) => [one.item, one.row, one.text, Number(one.td.dataset.v ?? 0)]);
    let response = null;
    try {
      response = await post(table.dataset.save, { reason, edits });
    } catch {
      // What was typed since wins over what could not be sent.
      for (const [key, one] of batch) if (!state.queue.has(key)) state.queue.set(key, one);
      say(words.failed, true);
      state.timer = setTimeout(send, 3000);
    }
    state.sending = false;
    if (!response) return;
    if (response.message) {
      for (const one of batch.values()) refuse(one.td, response.message);
      say(response.message, true);
    } else take(response, batch);
    if (state.queue.size) send();
  }

  async function post(url, body) {
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const answer = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": token },
      body: JSON.stringify(body),
    });
    if (answer.status >= 500) throw new Error(String(answer.status));
    if (!answer.headers.get("Content-Type")?.includes("json")) return { message: words.failed };
    return answer.json();
  }

  function find(item, row) {
    const column = items.findIndex((one) => Number(one.dataset.item) === item);
    const found = rows.find((one) => Number(one.dataset.row) === row);
    return found?.cells[column + 1];
  }

  function take(response, batch) {
    if (response.entry) state.entries.push(response.entry);
    for (const [item, row, version, text] of response.saved) {
      const td = find(item, row);
      if (!td || state.queue.has(`${item}:${row}`)) {
        if (td) td.dataset.v = version;
        continue;
      }
      td.textContent = text;
      td.dataset.v = version;
      td.className = text === "MISS" ? "is-missing" : text === "EX" ? "is-excused" : "";
      if (items[td.cellIndex - 1].hasAttribute("data-sourced") && text) td.classList.add("is-override");
    }
    for (const [item, row, message, isConflict, text, version] of response.refused) {
      const td = find(item, row);
      const mine = batch?.get(`${item}:${row}`);
      if (!td) continue;
      td.classList.remove("is-saving");
      if (isConflict) {
        td.textContent = text;
        td.dataset.v = version;
        if (mine) offer(td, message, mine);
      } else refuse(td, message);
    }
    for (const [row, [percent, band]] of Object.entries(response.finals)) {
      const found = rows.find((one) => one.dataset.row === row);
      if (!found) continue;
      found.querySelector("[data-final]").textContent = percent;
      found.querySelector("[data-band]").textContent = band;
    }
    const bad = response.refused[0];
    say(bad ? bad[2] : words.saved, Boolean(bad));
  }

  function refuse(td, message) {
    td.classList.remove("is-saving");
    td.classList.add("is-refused");
    td.title = message;
  }

  // Somebody else was first: theirs is shown, ours is one press away.
  function offer(td, message, mine) {
    const box = document.createElement("div");
    box.className = "grade-conflict";
    const text = document.createElement("p");
    text.textContent = message;
    const use = button(`${words.mine}: ${mine.text || "–"}`);
    const keep = button(words.theirs);
    use.addEventListener("click", () => {
      box.remove();
      write([[place(td), mine.text]]);
    });
    keep.addEventListener("click", () => box.remove());
    box.append(text, use, keep);
    document.querySelector("[data-grade-conflicts]").append(box);
  }

  function button(label) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn btn-sm";
    made.textContent = label;
    return made;
  }

  async function undo() {
    const entry = state.entries.pop();
    if (!entry) return say(words.nothing);
    try {
      const response = await post(table.dataset.undo.replace("/0/", `/${entry}/`), {});
      if (response.message) return say(response.message, true);
      take({ ...response, entry: null }, null);
      say(words.undone);
    } catch {
      state.entries.push(entry);
      say(words.failed, true);
    }
  }

  table.addEventListener("focusin", (event) => {
    const td = event.target.closest("td");
    const at = td && event.target === td && place(td);
    if (at && String(at) !== String(state.at)) go(at, { focus: false });
  });
  table.addEventListener("mousedown", (event) => {
    const td = event.target.closest("td");
    const at = td && !event.target.closest("input") && place(td);
    if (!at) return;
    event.preventDefault();
    document.activeElement?.blur();
    go(at, { extend: event.shiftKey });
  });
  table.addEventListener("dblclick", (event) => {
    const td = event.target.closest("td");
    if (td && place(td)) edit();
  });
  table.addEventListener("keydown", (event) => {
    if (!event.target.matches("td") || event.isComposing) return;
    const [row, column] = state.at;
    const control = event.ctrlKey || event.metaKey;
    const moves = {
      ArrowUp: [control ? 0 : row - 1, column],
      ArrowDown: [control ? rows.length : row + 1, column],
      ArrowLeft: [row, control ? 0 : column - 1],
      ArrowRight: [row, control ? items.length : column + 1],
      Home: [control ? 0 : row, 0],
      End: [control ? rows.length : row, items.length],
      PageUp: [row - 12, column],
      PageDown: [row + 12, column],
    };
    if (moves[event.key]) go(moves[event.key], { extend: event.shiftKey });
    else if (control && event.key.toLowerCase() === "z") undo();
    else if (control && event.key.toLowerCase() === "c") copy();
    else if (control && event.key.toLowerCase() === "d") fillDown();
    else if (control || event.altKey) return;
    else if (event.key === "Enter" || event.key === "F2") edit();
    else if (event.key === "Delete" || event.key === "Backspace") write(selected().map((at) => [at, ""]));
    else if (event.key === "Escape") go(state.at);
    else if (event.key.length === 1) edit(event.key);
    else return;
    event.preventDefault();
  });

  function copy() {
    const lines = new Map();
    for (const at of selected()) lines.set(at[0], [...(lines.get(at[0]) ?? []), cell(at).textContent]);
    navigator.clipboard?.writeText([...lines.values()].map((line) => line.join("\t")).join("\n"));
  }

  function fillDown() {
    const top = Math.min(state.from[0], state.at[0]);
    write(selected().filter(([row]) => row > top).map(([row, column]) => [[row, column], cell([top, column]).textContent]));
  }

  table.addEventListener("paste", (event) => {
    if (!event.target.matches("td")) return;
    event.preventDefault();
    const lines = event.clipboardData.getData("text/plain").replace(/\r?\n$/, "").split(/\r?\n/);
    const [row, column] = [Math.min(state.from[0], state.at[0]), Math.min(state.from[1], state.at[1])];
    const edits = [];
    lines.forEach((line, down) =>
      line.split("\t").forEach((text, right) => {
        const at = [row + down, column + right];
        if (at[0] < rows.length && at[1] < items.length && cell(at).textContent !== text.trim()) edits.push([at, text.trim()]);
      }),
    );
    if (edits.length) write(edits);
  });
  window.addEventListener("beforeunload", (event) => {
    if (state.queue.size || state.sending) event.preventDefault();
  });
  if (rows.length && items.length) go([0, 0], { focus: false });
}
