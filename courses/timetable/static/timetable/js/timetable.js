// The timetable's pages: they read themselves again when something changed, and classes are moved by drag or by keys.
import { connect } from "../../core/js/live.js";
import { enhanceMoves } from "./move.js";

const root = document.querySelector("[data-timetable]");
const EVERY_MS = 2000;
let last = 0;
let isWaiting = false;

export async function refresh() {
  isWaiting = false;
  if (root.querySelector(".is-lifted") || document.querySelector("#move-class[open]")) return changed(); // in somebody's hand
  last = Date.now();
  const focused = document.activeElement?.closest?.("[data-move]")?.dataset.move;
  const response = await fetch(root.dataset.part);
  if (!response.ok) return;
  root.innerHTML = await response.text();
  document.dispatchEvent(new CustomEvent("campus:swapped", { detail: { root } }));
  enhance();
  if (focused) root.querySelector(`[data-move="${focused}"]`)?.focus();
}

function changed() {
  if (isWaiting) return;
  isWaiting = true;
  window.setTimeout(refresh, Math.max(200, EVERY_MS - (Date.now() - last)));
}

// Times for those whose clock is another than the campus's: nobody should have to reckon.
function localTimes() {
  for (const note of root.querySelectorAll("[data-local-from]")) {
    const from = new Date(note.dataset.localFrom);
    const offset = /([+-])(\d\d):(\d\d)$/.exec(note.dataset.localFrom);
    const campus = offset ? (offset[1] === "-" ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3])) : 0;
    if (-from.getTimezoneOffset() === campus) continue;
    const language = document.documentElement.lang;
    const day = new Intl.DateTimeFormat(language, { weekday: "short", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const end = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" });
    const said = `${day.format(from)} – ${end.format(new Date(note.dataset.localTo))}`;
    note.textContent = note.dataset.words.replace("%(time)s", said);
    note.hidden = false;
  }
}

function enhance() {
  localTimes();
  enhanceMoves(root, refresh);
}

if (root) {
  enhance();
  connect("/ws/timetable/", { on: { timetable: changed }, isQuiet: true });
}
