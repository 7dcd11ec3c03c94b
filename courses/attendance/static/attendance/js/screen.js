// The room's screen: a new code with every step. A code that ran out is hidden until the campus answers again.
const screen = document.querySelector("[data-screen]");
const RETRY_MS = 1000;

function left() {
  return Number(screen.querySelector("[data-left]")?.dataset.left ?? 15);
}

async function renew() {
  const lost = screen.querySelector(".screen-lost");
  let wait = RETRY_MS;
  try {
    const response = await fetch(screen.dataset.screen, { cache: "no-store", signal: AbortSignal.timeout(8000) });
    if (response.status === 404) return location.reload();
    if (!response.ok) throw new Error(String(response.status));
    screen.querySelector('[data-part="code"]').innerHTML = await response.text();
    screen.classList.remove("is-stale");
    lost.hidden = true;
    wait = left() * 1000 + 150;
  } catch {
    screen.classList.add("is-stale");
    lost.textContent = screen.dataset.lost;
    lost.hidden = false;
  }
  setTimeout(renew, wait);
}

if (screen) setTimeout(renew, left() * 1000 + 150);
