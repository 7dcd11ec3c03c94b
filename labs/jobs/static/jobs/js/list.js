// The list of jobs: when one of them changes, the list is fetched again and swapped in, ticks kept.
import { connect } from "../../core/js/live.js";
import { pickTwo } from "./pick_two.js";

const EVERY_MS = 1000;
const live = document.querySelector("[data-jobs-live]");
let isWaiting = false;
let isFirst = true;
let askedAt = 0;
let judge;
const boxes = () => [...live.querySelectorAll('input[name="job"]')];

async function refresh() {
  isWaiting = false;
  askedAt = performance.now();
  let response;
  try {
    response = await fetch(location.href);
  } catch {
    return; // the link is down too, and its return asks again
  }
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.querySelector("[data-jobs-live]");
  if (!fresh) return;
  const ticked = new Set(boxes().filter((box) => box.checked).map((box) => box.value));
  const focused = document.activeElement?.closest?.("tr")?.id;
  live.replaceChildren(...document.adoptNode(fresh).childNodes);
  for (const box of boxes()) box.checked = ticked.has(box.value);
  if (focused) document.getElementById(focused)?.querySelector("a")?.focus();
  document.dispatchEvent(new CustomEvent("campus:swapped", { detail: { root: live } }));
  judge();
}

function changed(message) {
  if (message.type !== "jobs") return;
  // What the socket says first is how things stand; the page was rendered a moment before and may be older.
  if (isFirst && !message.jobs.some((job) => differs(job))) return void (isFirst = false);
  isFirst = false;
  if (isWaiting) return;
  isWaiting = true;
  window.setTimeout(refresh, Math.max(0, askedAt + EVERY_MS - performance.now()));
}

function differs(job) {
  const badge = document.querySelector(`#job-${job.id} [data-state]`);
  return badge && badge.dataset.state !== job.state;
}

if (live) {
  judge = pickTwo(live);
  window.addEventListener("pageshow", () => judge());
  connect(live.dataset.socket, { onMessage: changed });
}
