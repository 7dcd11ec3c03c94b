// One job's page: its state, log and metrics arrive over the websocket; everything shown came from the server's page.
import { connect } from "../../core/js/live.js";
import { liveChart } from "../../core/js/livechart.js";
import { logView } from "../../core/js/logview.js";

const page = document.getElementById("job");
const live = document.getElementById("job-live");
const metrics = document.querySelector("[data-metrics]");
const log = logView(document.getElementById("job-log"));
const OPEN = ["QUEUED", "RUNNING"];
const EVERY_MS = 500;

const now = () => live.querySelector("[data-state]").dataset;
let attempt = now().attempt ?? "";
let metricSeq = Number(page.dataset.pointsSeq);
let isWaiting = false;
let lastAt = 0;

const points = JSON.parse(document.getElementById("job-points").textContent);
for (const point of points) chart().push(point);

function chart() {
  metrics.hidden = false;
  return liveChart(document.getElementById("job-metrics"));
}

// State: the server renders it in the reader's language, so a change fetches that part of the page.
async function refresh() {
  isWaiting = false;
  lastAt = Date.now();
  const response = await fetch(page.dataset.live);
  if (!response.ok) return;
  live.innerHTML = await response.text();
  document.dispatchEvent(new CustomEvent("campus:swapped", { detail: { root: live } }));
  const { state, attempt: latest } = now();
  if (latest && attempt && latest !== attempt) location.reload(); // another attempt has another log
  attempt = latest ?? attempt;
  if (attempt) document.querySelector("[data-log-waiting]").hidden = true;
  if (!OPEN.includes(state)) {
    document.querySelector("[data-while-open]")?.remove();
  }
  showElapsed();
}

function changed() {
  if (isWaiting) return;
  isWaiting = true;
  window.setTimeout(refresh, Math.max(0, EVERY_MS - (Date.now() - lastAt)));
}

function showElapsed() {
  const clock = live.querySelector("[data-elapsed-since]");
  if (!clock) return;
  const wall = Number(clock.dataset.wall);
  const seconds = Math.max(0, Math.min(wall, (Date.now() - Date.parse(clock.dataset.elapsedSince)) / 1000));
  const bar = clock.querySelector("progress");
  if (bar) {
    bar.max = wall;
    bar.value = seconds;
  }
}
window.setInterval(showElapsed, 1000);
showElapsed();

const link = connect(`/ws/jobs/${page.dataset.job}/`, {
  resumeParams: () => ({ log_from: log.cursor, attempt, metrics_from: metricSeq }),
  on: {
    job: changed,
    log(message) {
      if (log.append(message.start, message.data) === false) link.send({ type: "sync" });
      if (message.is_complete) log.close();
    },
    metrics(message) {
      for (const point of message.points) {
        if (point.seq < metricSeq) continue;
        metricSeq = point.seq + 1;
        chart().push(point.values);
      }
    },
  },
});
