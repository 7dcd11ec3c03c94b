// Moving a class in the week's grid: by drag, or by keys (M, arrows, Enter). Both end in the same question.
import { toast } from "../../core/js/toast.js";

const QUARTER = 15;
const FAR_PX = 6;
const LANE = ".week-lane";

let hand = null; // what is being moved: {link, ghost, lanes, day, row, byKeys, x, y}
let after = () => {};

export function enhanceMoves(root, refresh) {
  after = refresh;
  if (!document.getElementById("move-class")) return;
  for (const link of root.querySelectorAll("[data-move]")) {
    link.addEventListener("pointerdown", grab);
    link.addEventListener("keydown", keyed);
    link.addEventListener("dragstart", (event) => event.preventDefault());
    link.addEventListener("blur", () => hand?.byKeys && hand.link === link && !isAsking() && put());
  }
}

const isGrid = () => window.matchMedia("(min-width: 760px)").matches;
const isAsking = () => document.getElementById("move-class").open;
const words = () => document.querySelector("[data-move-words]");
const say = (text) => { document.querySelector("[data-say]").textContent = text; };

function lift(link, byKeys) {
  const lanes = [...document.querySelectorAll(LANE)];
  const box = link.getBoundingClientRect();
  const ghost = link.cloneNode(true);
  ghost.removeAttribute("href");
  ghost.removeAttribute("data-move");
  ghost.setAttribute("aria-hidden", "true");
  ghost.tabIndex = -1;
  ghost.classList.add("slot-ghost");
  const lane = link.closest(LANE);
  hand = { link, ghost, lanes, day: lanes.indexOf(lane), row: Number(link.dataset.row) - 1, byKeys, home: null, width: box.width, height: box.height };
  hand.home = { day: hand.day, row: hand.row };
  link.classList.add("is-lifted");
  document.body.append(ghost);
  place();
}

function put() {
  hand?.ghost.remove();
  hand?.link.classList.remove("is-lifted");
  hand = null;
}

const quarterPx = (lane) => lane.getBoundingClientRect().height / rowsOf(lane);
const rowsOf = (lane) => 4 * Number(/rows-(\d+)/.exec(lane.className)[1]);

function place() {
  const lane = hand.lanes[hand.day];
  const box = lane.getBoundingClientRect();
  const style = hand.ghost.style;
  style.left = `${box.left}px`;
  style.width = `${box.width}px`;
  style.top = `${box.top + hand.row * quarterPx(lane)}px`;
  style.height = `${hand.height}px`;
  hand.ghost.querySelector(".slot-time").textContent = timesAt(hand.row);
}

const clock = (quarters) => `${String(Math.floor(quarters / 4)).padStart(2, "0")}:${String((quarters % 4) * QUARTER).padStart(2, "0")}`;
const firstQuarter = () => 4 * Number(document.querySelector("[data-week]").dataset.firstHour);
const startAt = (row) => clock(firstQuarter() + row);
const timesAt = (row) => `${startAt(row)}–${clock(firstQuarter() + row + Number(hand.link.dataset.rows))}`;
const dayWords = (index) => hand.lanes[index].closest(".week-day").querySelector(".week-head span").textContent.trim();
const whenWords = ({ day, row }) => `${dayWords(day)} ${timesAt(row)}`;

function keepInside() {
  hand.day = Math.max(0, Math.min(hand.lanes.length - 1, hand.day));
  hand.row = Math.max(0, Math.min(rowsOf(hand.lanes[hand.day]) - Number(hand.link.dataset.rows), hand.row));
}

// --- by drag ---------------------------------------------------------------------------------

function grab(event) {
  if (event.button !== 0 || event.pointerType === "touch" || !isGrid() || hand) return;
  const link = event.currentTarget;
  const start = { x: event.clientX, y: event.clientY, grip: event.clientY - link.getBoundingClientRect().top };
  const move = (moved) => {
    if (!hand && Math.hypot(moved.clientX - start.x, moved.clientY - start.y) < FAR_PX) return;
    if (!hand) lift(link, false);
    const under = hand.lanes.findIndex((lane) => { const box = lane.getBoundingClientRect(); return moved.clientX >= box.left && moved.clientX < box.right; });
    if (under >= 0) hand.day = under;
    const lane = hand.lanes[hand.day];
    hand.row = Math.round((moved.clientY - start.grip - lane.getBoundingClientRect().top) / quarterPx(lane));
    keepInside();
    place();
  };
  const stop = (event_) => {
    document.removeEventListener("pointermove", move);
    document.removeEventListener("pointerup", stop);
    document.removeEventListener("pointercancel", stop);
    document.removeEventListener("keydown", escape);
    if (!hand) return;
    const swallow = (click) => click.preventDefault();
    link.addEventListener("click", swallow);
    window.setTimeout(() => link.removeEventListener("click", swallow), 0); // the click that ends a drag opens nothing
    if (event_.type === "pointerup" && isElsewhere()) ask();
    else put();
  };
  const escape = (key) => { if (key.key === "Escape" && hand) { put(); stop(key); } };
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerup", stop);
  document.addEventListener("pointercancel", stop);
  document.addEventListener("keydown", escape);
}

const isElsewhere = () => hand.day !== hand.home.day || hand.row !== hand.home.row;

// --- by keys ---------------------------------------------------------------------------------

const STEPS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

function keyed(event) {
  const link = event.currentTarget;
  if (!hand && event.key.toLowerCase() === "m" && !event.ctrlKey && !event.metaKey && !event.altKey && isGrid()) {
    event.preventDefault();
    lift(link, true);
    say(words().dataset.mode.replace("%(title)s", link.dataset.title));
    return;
  }
  if (!hand?.byKeys || hand.link !== link) return;
  const step = STEPS[event.key];
  if (step) {
    event.preventDefault();
    hand.day += step[0];
    hand.row += step[1] * (event.shiftKey ? 4 : 1);
    keepInside();
    place();
    hand.ghost.scrollIntoView({ block: "nearest" });
    place();
    say(whenWords(hand));
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (isElsewhere()) ask();
    else put();
  } else if (event.key === "Escape") {
    event.preventDefault();
    put();
    say(words().dataset.left);
  }
}

// --- the question ----------------------------------------------------------------------------

function ask() {
  const dialog = document.getElementById("move-class");
  const told = words();
  const { link, day, row, lanes } = hand;
  const wish = { day: lanes[day].dataset.day, time: startAt(row), zone: document.querySelector("[data-timetable]").dataset.zone, sequence: link.dataset.sequence };
  dialog.querySelector("[data-move-title]").textContent = link.dataset.title;
  dialog.querySelector("[data-move-times]").textContent = told.dataset.fromTo.replace("%(from)s", whenWords(hand.home)).replace("%(to)s", whenWords(hand));
  dialog.querySelector("[data-move-clash]").hidden = true;
  const form = dialog.querySelector("[data-move-form]");
  const submit = form.querySelector("button");
  submit.hidden = false;
  submit.disabled = false;
  form.onsubmit = (event) => { event.preventDefault(); send(dialog, link, wish); };
  dialog.addEventListener("close", () => { put(); link.focus(); }, { once: true });
  dialog.showModal();
  submit.focus();
}

async function send(dialog, link, wish) {
  const submit = dialog.querySelector("[data-move-form] button");
  submit.disabled = true;
  const body = new URLSearchParams(wish);
  const token = dialog.querySelector("[name=csrfmiddlewaretoken]").value;
  let answer;
  try {
    const response = await fetch(link.dataset.move, { method: "POST", body, headers: { "X-CSRFToken": token, Accept: "application/json" } });
    answer = { ok: response.ok, ...(await response.json()) };
  } catch {
    answer = { ok: false, message: words().dataset.failed };
  }
  if (answer.ok) {
    dialog.close();
    toast(answer.message, "ok");
    say(answer.message);
    after();
  } else {
    refused(dialog, link, wish, answer);
  }
}

function refused(dialog, link, wish, { message, clashes = [], slots = [] }) {
  dialog.querySelector("[data-move-clash]").hidden = false;
  dialog.querySelector("[data-move-message]").textContent = message;
  dialog.querySelector("[data-move-clashes]").replaceChildren(...clashes.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  dialog.querySelector("[data-move-offer]").hidden = !slots.length;
  dialog.querySelector("[data-move-slots]").replaceChildren(...slots.map((slot) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn", textContent: slot.words });
    button.addEventListener("click", () => send(dialog, link, { starts_at: slot.starts_at, sequence: wish.sequence }));
    return button;
  }));
  dialog.querySelector("[data-move-form] button").hidden = true;
  dialog.querySelector("[data-move-slots] button")?.focus();
}
