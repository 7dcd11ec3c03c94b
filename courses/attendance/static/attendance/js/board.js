// The roll of a class: rows change as people check in, counts follow.
import { connect } from "../../core/js/live.js";

const roll = document.querySelector("[data-roll]");
const HERE = ["PRESENT", "LATE", "LEFT_EARLY"];

function show(row, isFirst) {
  const line = roll.querySelector(`[data-enrolment="${row.enrolment}"]`);
  if (!line) return;
  const box = line.querySelector("input");
  box.value = `${row.enrolment}:${row.revision}`;
  line.querySelector('[data-part="arrived"]').textContent = row.arrived;
  line.querySelector('[data-part="flags"]').hidden = !row.flags;
  if (line.dataset.mark === row.mark) return;
  line.dataset.mark = row.mark;
  const badge = roll.querySelector(`template[data-badge="${row.mark}"]`).content.cloneNode(true);
  line.querySelector('[data-part="badge"]').replaceChildren(badge);
  if (isFirst) return;
  line.classList.add("is-new");
  setTimeout(() => line.classList.remove("is-new"), 1500);
}

function count() {
  const found = {};
  for (const line of roll.querySelectorAll("[data-enrolment]")) found[line.dataset.mark] = (found[line.dataset.mark] ?? 0) + 1;
  for (const tile of roll.querySelectorAll("[data-count]")) tile.textContent = found[tile.dataset.count] ?? 0;
  for (const group of roll.querySelectorAll(".roll-group")) {
    const lines = [...group.querySelectorAll("[data-enrolment]")];
    const here = lines.filter((line) => HERE.includes(line.dataset.mark)).length;
    group.querySelector("[data-here]").textContent = `${here} / ${lines.length}`;
  }
}

let isFirst = true;
if (roll) {
  connect(roll.dataset.socket, {
    on: {
      roll({ rows }) {
        for (const row of rows) show(row, isFirst);
        isFirst = false;
        count();
      },
    },
  });
}
