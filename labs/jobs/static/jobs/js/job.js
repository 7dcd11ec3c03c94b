// One job's page: state, log and metrics arrive over the websocket. What people read was written by the server in
// their language, so a change of state fetches the page's live parts and swaps those that differ (docs/live.md).
import { connect } from "../../core/js/live.js";
import { liveChart } from "../../core/js/livechart.js";
import { logView } from "../../core/js/logview.js";

const EVERY_MS = 400;
const page = document.getElementById("job");
const log = logView(document.getElementById("job-log"));
const written = new Map(); // part → the server's last markup of it
let attempt = now().attempt ?? "";
let metricSeq = Number(page.dataset.pointsSeq);
let isWaiting = false;
let askedAt = 0;

function now() {
  return page.querySelector("[data-state]").dataset;
}

// --- metrics

const points = JSON.parse(document.getElementById("job-points").textContent);
for (const point of points) chart().push(point);

function chart() {
  document.querySelector("[data-metrics]").hidden = false;
  return liveChart(document.getElementById("job-metrics"));
}

// --- state

function changed() {
  if (isWaiting) return;
  isWaiting = true;
  window.setTimeout(refresh, Math.max(0, askedAt + EVERY_MS - performance.now()));
}

async function refresh() {
  isWaiting = false;
  askedAt = performance.now();
  let response;
  try {
    response = await fetch("?part=live");
  } catch {
    return; // the link is down too, and its return asks again
  }
  if (!response.ok) return;
  const fresh = document.createElement("template");
  fresh.innerHTML = await response.text();
  const before = now().state;
  for (const part of fresh.content.querySelectorAll("[data-part]")) swap(part);
  if (now().state !== before) say();
  attempt = now().attempt ?? attempt;
  tick.started = undefined;
  tick();
}

function swap(part) {
  const { part: name } = part.dataset;
  if (name === "cancelling") {
    if (!part.textContent.trim()) document.querySelector("[data-may-cancel]")?.remove();
    return;
  }
  const target = document.querySelector(`[data-part="${name}"]`);
  const markup = part.innerHTML;
  if (!target || written.get(name) === markup) return;
  written.set(name, markup);
  const isOpen = [...target.querySelectorAll("details")].map((details) => details.open);
  target.innerHTML = markup;
  target.querySelectorAll("details").forEach((details, place) => (details.open = isOpen[place] ?? details.open));
  document.dispatchEvent(new CustomEvent("campus:swapped", { detail: { root: target } }));
}

// One short sentence for screen readers; the parts themselves change too often to be read out.
function say() {
  const badge = document.querySelector('[data-part="badge"]').textContent.trim();
  const headline = page.querySelector(".job-now h2").textContent.trim();
  page.querySelector("[data-job-said]").textContent = `${badge}. ${headline}`;
}

// --- how long it runs, counted from the server's number so that a wrong clock here does not matter

function tick() {
  const clock = page.querySelector(".run-clock");
  if (!clock) return;
  tick.started ??= performance.now() - Number(clock.dataset.elapsed) * 1000;
  const wall = Number(clock.dataset.wall);
  const seconds = Math.min(wall, Math.floor((performance.now() - tick.started) / 1000));
  clock.querySelector("progress").value = seconds;
  clock.querySelector("[data-elapsed-text]").textContent = clockText(seconds);
}

function clockText(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

window.setInterval(tick, 500);
tick();

// --- the link

// Another try has another log: the page starts over with it.
const isOther = (message) => attempt && message.attempt && String(message.attempt) !== attempt;

// The socket first says how things stand: mostly just as the page was rendered.
const versionOf = ({ state, last_event: event, queue_place: place }) => `${state} ${event ?? ""} ${place ?? ""}`;

const on = {
  job(message) {
    if (isOther(message)) location.reload();
    else if (now().version !== versionOf(message)) changed();
  },
  log(message) {
    if (isOther(message)) return;
    document.querySelector("[data-log-waiting]")?.remove();
    if (!log.append(message.start, message.data)) link.send({ type: "sync" });
    else if (message.is_complete) log.close();
  },
  metrics(message) {
    if (isOther(message)) return;
    for (const { seq, values } of message.points) {
      if (seq < metricSeq) continue;
      metricSeq = seq + 1;
      chart().push(values);
    }
  },
};

// A job that is over and whose log is all here has no more to say.
const link = "complete" in page.dataset ? undefined : connect(`/ws/jobs/${page.dataset.job}/`, {
  resumeParams: () => ({ log_from: log.cursor, attempt, metrics_from: metricSeq }),
  on,
});
