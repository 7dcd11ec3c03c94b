// File fields: drop onto them, see what was chosen, take one out again.
import { button, once } from "./once.js";

export function enhanceDrops(root) {
  for (const drop of once(root, "[data-drop]", "drop")) {
    const input = drop.querySelector("input[type=file]");
    drop.classList.add("is-ready");
    drop.addEventListener("dragover", (event) => {
      event.preventDefault();
      drop.classList.add("is-over");
    });
    for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("is-over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      put(input, input.multiple ? [...input.files, ...event.dataTransfer.files] : [event.dataTransfer.files[0]]);
    });
    input.addEventListener("change", () => list(drop, input));
  }
}

function put(input, files) {
  const transfer = new DataTransfer();
  for (const file of files.filter(Boolean)) transfer.items.add(file);
  input.files = transfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

function list(drop, input) {
  const limit = Number(drop.dataset.max || Infinity);
  const files = [...input.files];
  const total = files.reduce((sum, file) => sum + file.size, 0);
  drop.querySelector(".file-drop-list").replaceChildren(...files.map((file) => {
    const item = document.createElement("li");
    const name = document.createElement("span");
    name.className = "mono truncate";
    name.textContent = file.name;
    const note = document.createElement("span");
    note.className = "muted num";
    note.textContent = size(file.size);
    item.append(name, note);
    if (file.size > limit) {
      item.classList.add("is-bad");
      note.textContent = `${size(file.size)} · ${drop.dataset.tooLarge}`;
    }
    const remove = button(`${drop.dataset.remove} ${file.name}`, { iconName: "x" });
    remove.addEventListener("click", () => put(input, files.filter((other) => other !== file)));
    item.append(remove);
    return item;
  }));
  input.setCustomValidity(total > limit ? drop.dataset.tooLarge : "");
}

export function size(bytes) {
  const units = ["B", "KB", "MB", "GB"];
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  return `${(bytes / 1024 ** power).toLocaleString(undefined, { maximumFractionDigits: power ? 1 : 0 })} ${units[power]}`;
}
