// Today and the cohort board: a nudge about a job makes the page fetch its live part, at most every two seconds.
import { connect } from "../../core/js/live.js";

const part = document.querySelector("[data-today-live]");
const EVERY_MS = 2000;
let last = 0;
let isWaiting = false;

async function refresh() {
  isWaiting = false;
  last = Date.now();
  const response = await fetch(part.dataset.todayLive);
  if (!response.ok) return;
  part.innerHTML = await response.text();
  document.dispatchEvent(new CustomEvent("campus:swapped", { detail: { root: part } }));
}

function changed() {
  if (isWaiting) return;
  isWaiting = true;
  window.setTimeout(refresh, Math.max(0, EVERY_MS - (Date.now() - last)));
}

if (part) connect(part.dataset.socket ?? "/ws/my-jobs/", { onMessage: changed });
