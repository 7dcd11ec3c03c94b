// Before a submit: asks the server what would be held and when such a job is likely to start, as the form changes.
const box = document.querySelector("[data-forecast]");
const parts = [...document.querySelectorAll("[data-forecast-form]")];
const PAUSE_MS = 250;
let timer;
let asked = 0;

async function ask() {
  const number = (asked += 1);
  const query = new URLSearchParams();
  for (const input of parts.flatMap((part) => [...part.querySelectorAll("input, select")])) {
    if (input.type !== "checkbox" && input.name) query.set(input.name, input.value);
  }
  box.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(`${box.dataset.forecast}?${query}`);
    if (number !== asked) return; // an older answer than the newest question
    if (response.ok || response.status === 400) box.innerHTML = await response.text();
  } catch {
    // Offline: the last answer stays, and the form works without.
  } finally {
    if (number === asked) box.removeAttribute("aria-busy");
  }
}

if (box && parts.length) {
  for (const part of parts) {
    part.addEventListener("input", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(ask, PAUSE_MS);
    });
  }
  ask();
}
