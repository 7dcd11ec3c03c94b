// The quota desk: how many accounts are chosen, and all of them at once. Without this module the button always shows.
const form = document.querySelector("[data-desk]");

if (form) start(form);

function start(desk) {
  const table = desk.querySelector("table");
  const all = desk.querySelector("[data-desk-all]");
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes(table)) if (!box.closest("tr").hidden) box.checked = all.checked;
    count(desk, table, all);
  });
  table.addEventListener("change", (event) => {
    if (event.target.matches("[data-desk-one]")) count(desk, table, all);
  });
  // The toggle opens learners in place; the link beside it does so by a reload for who has no scripts.
  table.addEventListener("click", (event) => {
    const link = event.target.closest("[data-desk-open]");
    const toggle = link?.closest("tr").querySelector("[data-toggle]");
    if (!toggle || toggle.hidden || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    toggle.click();
  });
  // After going back, the browser may have kept what was chosen.
  addEventListener("pageshow", () => count(desk, table, all));
  count(desk, table, all);
}

function boxes(table) {
  return [...table.querySelectorAll("[data-desk-one]")];
}

function count(desk, table, all) {
  const every = boxes(table);
  const chosen = every.filter((box) => box.checked).length;
  const bar = desk.querySelector("[data-desk-bar]");
  if (!bar) return;
  bar.hidden = chosen === 0;
  bar.querySelector("[data-desk-count]").textContent = desk.dataset.chosen.replace("N", chosen);
  all.checked = chosen > 0 && chosen === every.length;
  all.indeterminate = chosen > 0 && chosen < every.length;
}
