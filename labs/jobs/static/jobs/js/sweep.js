// One sweep: while runs are open its parts are fetched again as they change, ticks and focus kept; a row of the table
// and its line in the picture light up together.
import { connect } from "../../core/js/live.js";
import { pickTwo } from "./pick_two.js";

const EVERY_MS = 1500;
const live = document.querySelector("[data-sweep-live]");
let isWaiting = false;
let askedAt = 0;
let judge = pickTwo(live);

async function refresh() {
  isWaiting = false;
  askedAt = performance.now();
  if (document.querySelector("dialog[open]")) return changed(); // a question that somebody is reading stays
  let response;
  try {
    const query = new URLSearchParams(location.search);
    query.set("part", "live");
    response = await fetch(`?${query}`);
  } catch {
    return; // the link is down too, and its return asks again
  }
  if (!response.ok) return;
  const markup = await response.text();
  if (markup === refresh.last) return;
  refresh.last = markup;
  const ticked = new Set([...live.querySelectorAll('input[name="job"]:checked')].map((box) => box.value));
  const focused = document.activeElement?.closest?.("tr")?.id;
  const scrolled = [...live.querySelectorAll("[role=region]")].map((region) => region.scrollLeft);
  live.innerHTML = markup;
  for (const box of live.querySelectorAll('input[name="job"]')) box.checked = ticked.has(box.value);
  live.querySelectorAll("[role=region]").forEach((region, place) => (region.scrollLeft = scrolled[place] ?? 0));
  if (focused) document.getElementById(focused)?.querySelector("a")?.focus();
  document.dispatchEvent(new CustomEvent("campus:swapped", { detail: { root: live } }));
  judge = pickTwo(live);
}

function changed() {
  if (isWaiting) return;
  isWaiting = true;
  window.setTimeout(refresh, Math.max(EVERY_MS / 3, askedAt + EVERY_MS - performance.now()));
}

// --- a row and its line

function light(event) {
  const id = event.target.closest?.("[data-run]")?.dataset.run;
  const picture = live.querySelector("[data-parallel]");
  for (const lit of live.querySelectorAll(".is-on")) lit.classList.remove("is-on");
  picture?.classList.toggle("has-one", Boolean(id));
  if (!id) return;
  for (const part of live.querySelectorAll(`[data-run="${id}"]`)) part.classList.add("is-on");
}

live.addEventListener("pointerover", light);
live.addEventListener("pointerleave", light);
live.addEventListener("focusin", light);
live.addEventListener("focusout", light);
window.addEventListener("pageshow", () => judge());

if ("open" in live.dataset) connect(live.dataset.socket, { onMessage: (message) => message.type === "jobs" && changed() });
