// Keeps the pool board fresh: a nudge on the websocket makes it fetch its live part, at most once a second.
import { connect } from "../../core/js/live.js";

const live = document.querySelector("[data-pool-live]");
const EVERY_MS = 1000;
let last = 0;
let waiting = false;

async function refresh() {
  waiting = false;
  last = Date.now();
  const response = await fetch(live.dataset.poolLive, { headers: { "X-Requested-With": "fetch" } });
  if (response.ok) live.innerHTML = await response.text();
}

function changed() {
  if (waiting) return;
  waiting = true;
  window.setTimeout(refresh, Math.max(0, EVERY_MS - (Date.now() - last)));
}

if (live) connect("/ws/pool/", { onOpen: changed, onMessage: changed });
