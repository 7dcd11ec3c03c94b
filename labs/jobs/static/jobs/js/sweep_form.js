// The sweep part of the new-job page: one more row when asked for, and a button that says what it will submit.
const MOST = 8;
const part = document.querySelector("[data-sweep]");

const rows = () => [...part.querySelectorAll("[data-sweep-row]")];

function addRow() {
  const last = rows().at(-1);
  const made = last.cloneNode(true);
  const number = rows().length;
  for (const input of made.querySelectorAll("input")) {
    input.value = "";
    input.name = input.name.replace(/\d+/, String(number));
    input.setAttribute("aria-label", input.getAttribute("aria-label").replace(/\d+/, String(number + 1)));
  }
  last.after(made);
  made.querySelector("input").focus();
  judge();
}

function judge() {
  const isSweep = [...part.querySelectorAll("[data-sweep-row] input")].some((input) => input.value.trim());
  document.querySelector("[data-submit-one]").hidden = isSweep;
  document.querySelector("[data-submit-sweep]").hidden = !isSweep;
  add.disabled = rows().length >= MOST;
}

const add = part?.querySelector("[data-sweep-add]");
if (add) {
  add.hidden = false;
  add.addEventListener("click", addRow);
  part.addEventListener("input", judge);
  window.addEventListener("pageshow", judge);
  judge();
}
