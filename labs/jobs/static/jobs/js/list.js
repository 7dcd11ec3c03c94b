// The list of jobs: when one of them changes, the table is fetched again and swapped in, choices kept.
import { connect } from "../../core/js/live.js";

const table = document.querySelector("[data-jobs-live]");
const EVERY_MS = 1000;
let isWaiting = false;
let last = 0;

async function refresh() {
  isWaiting = false;
  last = Date.now();
  const response = await fetch(location.href);
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.querySelector("[data-jobs-live] tbody");
  if (!fresh) return;
  const chosen = [...table.querySelectorAll("input:checked")].map((input) => [input.name, input.value]);
  table.tBodies[0].replaceWith(document.adoptNode(fresh));
  for (const [name, value] of chosen) {
    const input = table.querySelector(`input[name="${name}"][value="${value}"]`);
    if (input) input.checked = true;
  }
}

function changed() {
  if (isWaiting) return;
  isWaiting = true;
  window.setTimeout(refresh, Math.max(0, EVERY_MS - (Date.now() - last)));
}

if (table) connect(table.dataset.jobsLive, { onMessage: changed });
