// Short notices in the corner. Errors and warnings stay until they are closed.
import { button, icon, once } from "./once.js";

const SHAPES = { ok: "circle-check", danger: "circle-alert", warn: "triangle-alert", info: "info" };
const STAY_MS = 6_000;

export function toast(text, tone = "info") {
  const corner = document.getElementById("toasts");
  const item = document.createElement("div");
  item.className = `toast toast-${tone}`;
  const words = document.createElement("div");
  words.className = "toast-text";
  words.textContent = text;
  const close = button(corner.dataset.close, { iconName: "x" });
  close.addEventListener("click", () => item.remove());
  item.append(icon(SHAPES[tone] ?? "info"), words, close);
  corner.append(item);
  if (tone === "ok" || tone === "info") dismissLater(item);
  return item;
}

function dismissLater(item) {
  let timer = setTimeout(() => item.remove(), STAY_MS);
  item.addEventListener("pointerenter", () => clearTimeout(timer));
  item.addEventListener("focusin", () => clearTimeout(timer));
  item.addEventListener("pointerleave", () => (timer = setTimeout(() => item.remove(), STAY_MS)));
}

// What the server said about the last request: successes become toasts, the rest stays in the page.
export function enhanceMessages(root) {
  for (const list of once(root, "[data-messages]", "messages")) {
    for (const message of [...list.children]) {
      if (message.dataset.tone === "danger" || message.dataset.tone === "warn") continue;
      toast(message.textContent.trim(), message.dataset.tone);
      message.remove();
    }
    if (!list.children.length) list.remove();
  }
}
