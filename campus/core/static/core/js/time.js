// Times near now become relative; what the server wrote comes back beyond a day. Exact on hover.
import { once } from "./once.js";

const language = document.documentElement.lang || "ko";
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
const shown = new Set();
const DAY_S = 86_400;

export function enhanceTimes(root) {
  for (const element of once(root, "time[data-relative]", "time")) {
    element.dataset.absolute = element.textContent;
    shown.add(element);
    write(element);
  }
  if (root === document) setInterval(() => shown.forEach(tick), 20_000);
}

function tick(element) {
  if (element.isConnected) write(element);
  else shown.delete(element);
}

function write(element) {
  const seconds = (Date.parse(element.dateTime) - Date.now()) / 1000;
  const size = Math.abs(seconds);
  let text = element.dataset.absolute;
  if (size < 45) text = relative.format(0, "second");
  else if (size < 3570) text = relative.format(Math.round(seconds / 60), "minute");
  else if (size < DAY_S) text = relative.format(Math.round(seconds / 3600), "hour");
  if (element.textContent !== text) element.textContent = text;
}
