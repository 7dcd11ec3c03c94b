// Rows that are clickable beside their link, and grids that move by arrows ([data-grid] with focusable [data-cell]).
import { once } from "./once.js";

export function enhanceRows(root) {
  for (const row of once(root, "tr[data-href]", "row")) {
    row.addEventListener("click", (event) => {
      if (event.target.closest("a, button, input, select, label, summary") || getSelection().toString()) return;
      if (event.metaKey || event.ctrlKey) window.open(row.dataset.href);
      else location.href = row.dataset.href;
    });
  }
  for (const grid of once(root, "[data-grid]", "grid")) {
    for (const cell of grid.querySelectorAll("[data-cell]")) cell.tabIndex = -1;
    const first = grid.querySelector("[data-cell]");
    if (first) first.tabIndex = 0;
    grid.addEventListener("keydown", (event) => move(grid, event));
  }
}

function move(grid, event) {
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  const cell = event.target.closest("[data-cell]");
  if (!cell || !steps[event.key]) return;
  const rows = [...grid.querySelectorAll("tr")].map((row) => [...row.querySelectorAll("[data-cell]")]).filter((row) => row.length);
  const y = rows.findIndex((row) => row.includes(cell));
  const x = rows[y].indexOf(cell);
  const [dy, dx] = steps[event.key];
  const target = rows[y + dy]?.[x + dx] ?? (dx === 0 ? rows[y + dy]?.at(-1) : undefined);
  if (!target) return;
  event.preventDefault();
  cell.tabIndex = -1;
  target.tabIndex = 0;
  target.focus();
}
