// Heartbeats while the stream's page is open, from the moment that the stream was opened.
// Now and then it asks whether somebody is there; without an answer the beats stop.
const page = document.querySelector("[data-watch]");
const BEAT_MS = 30_000;
const ASK_MS = 20 * 60_000;
const ANSWER_MS = 3 * 60_000;
const said = page.querySelector("[data-said]");
const still = page.querySelector("[data-still]");
let askedAt = 0;
let heardAt = Date.now();
let timer;

function body(leave) {
  const form = new URLSearchParams({ tab: page.dataset.tab, csrfmiddlewaretoken: page.querySelector('input[name="csrfmiddlewaretoken"]').value });
  if (leave) form.set("leave", "yes");
  return form;
}

async function beat() {
  if (askedAt && Date.now() - askedAt > ANSWER_MS) return;
  try {
    const response = await fetch(page.dataset.watch, { method: "POST", body: body(false), headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(String(response.status));
    const { minutes } = await response.json();
    page.querySelector("[data-minutes]").textContent = minutes;
    if (!askedAt) said.textContent = page.dataset.counting;
  } catch {
    said.textContent = page.dataset.lost;
  }
  if (!askedAt && Date.now() - heardAt > ASK_MS) ask();
}

function ask() {
  askedAt = Date.now();
  said.textContent = page.dataset.away;
  still.hidden = false;
}

function begin() {
  if (timer) return;
  beat();
  timer = setInterval(beat, BEAT_MS);
}

still.addEventListener("click", () => {
  askedAt = 0;
  heardAt = Date.now();
  still.hidden = true;
  beat();
});
for (const kind of ["keydown", "pointerdown", "scroll"]) addEventListener(kind, () => (heardAt = Date.now()), { passive: true });
const link = page.querySelector("[data-open]");
if (link) {
  link.addEventListener("click", begin);
  link.hidden = false; // not before: who was faster than this script would watch and not be counted
} else begin();
addEventListener("pagehide", () => timer && navigator.sendBeacon(page.dataset.watch, body(true)));
