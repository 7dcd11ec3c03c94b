// The player: speed, keys, chapters and transcript, and reports of what was really played.
// A report says pairs of seconds since the last one; the server alone decides what counts.
const root = document.querySelector("[data-player]");
const video = root.querySelector("[data-video]");
const said = root.querySelector("[data-said]");
const BEAT_MS = 10_000;
const MOST_PIECES = 50;
const SPEEDS = [...root.querySelectorAll('input[name="speed"]')];

// What was played and not yet acknowledged. `open` is the piece that is being played now.
const tab = crypto.randomUUID();
let played = [];
let open = null;
let number = 0;
let waiting = null; // a report on its way; sent again under its number until it is answered
let inFlight = false;
let isOver = !root.dataset.report;
let timer;

function extend() {
  if (!open || video.seeking) return;
  const at = video.currentTime;
  // The clock moves evenly while it plays; a leap is a seek whose event has not come yet.
  if (at >= open[1] && at - open[1] < 1 + video.playbackRate) open[1] = at;
  else close();
}

function close() {
  if (open && open[1] - open[0] >= 0.05) played.push(open);
  open = null;
}

function begin() {
  close();
  open = [video.currentTime, video.currentTime];
}

function next() {
  if (open && open[1] - open[0] >= 0.05) {
    played.push(open);
    open = [open[1], open[1]];
  }
  const intervals = played.splice(0, MOST_PIECES).map(([start, end]) => [round(start), round(end)]);
  number += 1;
  return { tab, number, intervals, position: round(video.currentTime) };
}

const round = (seconds) => Math.round(seconds * 1000) / 1000;

function body(report) {
  const form = new FormData();
  form.set("csrfmiddlewaretoken", root.querySelector('input[name="csrfmiddlewaretoken"]').value);
  form.set("report", JSON.stringify(report));
  return form;
}

async function send() {
  if (isOver || inFlight) return;
  extend();
  waiting ??= next();
  inFlight = true;
  try {
    const response = await fetch(root.dataset.report, { method: "POST", body: body(waiting), headers: { Accept: "application/json" } });
    if (response.status === 409 || response.status >= 500) throw new Error(String(response.status));
    waiting = null;
    if (response.ok) show(await response.json());
    else stop();
  } catch {
    say(root.dataset.lost);
  } finally {
    inFlight = false;
  }
}

function stop() {
  isOver = true;
  clearInterval(timer);
  say(root.dataset.refused);
}

function leave() {
  if (isOver) return;
  extend();
  if (!played.length && !(open && open[1] > open[0])) return;
  navigator.sendBeacon(root.dataset.report, body(next()));
}

function say(words) {
  said.textContent = words ?? "";
  said.hidden = !words;
}

// --- the bar -----------------------------------------------------------------------------------------------------

const credit = root.querySelector("[data-credit]");

function show(answer) {
  say(answer.refused);
  if (!credit) return;
  credit.querySelector("[data-percent]").textContent = answer.percent;
  credit.querySelector("[data-finished]").hidden = !answer.finished;
  credit.querySelector("[data-bar]").replaceChildren(
    ...answer.watched.map(([x, width]) => {
      const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      for (const [name, value] of Object.entries({ x, width, y: 0, height: 12 })) rect.setAttribute(name, value);
      return rect;
    }),
  );
  credit.querySelector("[data-gaps]").hidden = !answer.missing.length;
  const list = credit.querySelector("[data-gap-list]");
  if (list.contains(document.activeElement)) return; // nobody's focus is taken away
  list.replaceChildren(
    ...answer.missing.map(([start, words]) => {
      const link = Object.assign(document.createElement("a"), { className: "chip num", href: `?t=${start}#player`, textContent: words });
      link.dataset.seek = start;
      const item = document.createElement("li");
      item.append(link);
      return item;
    }),
  );
}

// --- seeking, speed, keys ----------------------------------------------------------------------------------------

function seek(to) {
  const end = Number.isFinite(video.duration) ? video.duration : Number(root.dataset.duration);
  video.currentTime = Math.max(0, Math.min(to, end));
}

root.addEventListener("click", (event) => {
  const link = event.target.closest("[data-seek]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  seek(Number(link.dataset.seek));
  if (link.closest("[data-gap-list]")) video.focus(); // the list changes as the part is played
  video.play().catch(() => {});
});

function speed(value) {
  video.playbackRate = Number(value);
}

for (const choice of SPEEDS) choice.addEventListener("change", () => speed(choice.value));
video.addEventListener("ratechange", () => {
  for (const choice of SPEEDS) choice.checked = Number(choice.value) === video.playbackRate;
});

function step(by) {
  const at = SPEEDS.findIndex((choice) => Number(choice.value) === video.playbackRate);
  const to = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, (at < 0 ? 1 : at) + by))];
  if (to) speed(to.value);
}

function captions() {
  const tracks = [...video.textTracks];
  const shown = tracks.find((track) => track.mode === "showing");
  if (shown) shown.mode = "disabled";
  else if (tracks.length) (tracks.find((track) => track.language === document.documentElement.lang) ?? tracks[0]).mode = "showing";
}

const KEYS = {
  k: () => (video.paused ? video.play().catch(() => {}) : video.pause()),
  j: () => seek(video.currentTime - 10),
  l: () => seek(video.currentTime + 10),
  "<": () => step(-1),
  ">": () => step(1),
  c: captions,
  m: () => (video.muted = !video.muted),
};

root.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input[type=search], textarea")) return;
  const act = KEYS[event.key.toLowerCase()];
  if (!act) return;
  event.preventDefault();
  act();
});

// --- the transcript ----------------------------------------------------------------------------------------------

const lines = [...root.querySelectorAll("[data-line] a")];
const box = root.querySelector(".transcript-lines");
let current = null;

function follow() {
  const at = video.currentTime + 0.05;
  const line = lines.findLast((one) => Number(one.dataset.seek) <= at) ?? null;
  if (line === current) return;
  current?.removeAttribute("aria-current");
  line?.setAttribute("aria-current", "true");
  current = line;
  if (line && !video.paused && !box.matches(":hover, :focus-within")) box.scrollTop = line.offsetTop - box.clientHeight / 3;
}

const search = root.querySelector("[data-transcript-search]");
if (search) {
  search.hidden = false;
  search.querySelector("input").addEventListener("input", (event) => {
    const words = event.target.value.trim().toLocaleLowerCase();
    let found = 0;
    for (const line of lines) {
      const isThere = line.textContent.toLocaleLowerCase().includes(words);
      line.parentElement.hidden = !isThere;
      found += isThere;
    }
    for (const title of root.querySelectorAll(".transcript-chapter")) title.hidden = Boolean(words);
    search.querySelector("[data-none]").hidden = found > 0;
  });
}

// --- the video's own events --------------------------------------------------------------------------------------

video.addEventListener("playing", begin);
video.addEventListener("seeking", close);
video.addEventListener("seeked", () => !video.paused && begin());
video.addEventListener("timeupdate", () => {
  extend();
  if (!open && !video.paused && !video.seeking) begin();
  follow();
});
for (const kind of ["pause", "ended"]) {
  video.addEventListener(kind, () => {
    extend();
    close();
    send();
  });
}
video.addEventListener("waiting", () => {
  extend();
  close();
});
video.addEventListener("play", () => {
  send(); // starts the server's clock
  timer ??= setInterval(() => (played.length || open || waiting) && send(), BEAT_MS);
});
const { stream: address, worker, begin: beginS, failed, noHls, unreachable } = root.dataset;
if (address) {
  const words = { failed, noHls, unreachable };
  import("./stream.js").then(({ openStream }) => openStream(video, { address, worker, beginS: Number(beginS), say, words }));
} else {
  video.querySelector("source").addEventListener("error", () => say(failed));
  video.addEventListener("error", () => say(failed));
}
addEventListener("pagehide", leave);
document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && send());

root.querySelector("[data-tools]").hidden = false;
const resumed = root.querySelector("[data-resumed]");
if (resumed) resumed.hidden = false;
