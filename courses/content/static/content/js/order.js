// Dragging a row of the order: it sends the form of the row's buttons, with the row before which it was dropped.

let dragged = null;

for (const handle of document.querySelectorAll("[data-order-handle]")) {
  const row = handle.closest("[data-id]");
  handle.draggable = true;
  handle.addEventListener("dragstart", (event) => {
    dragged = row;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", row.dataset.id);
    event.dataTransfer.setDragImage(row, 12, 12);
    row.classList.add("is-dragged");
  });
  handle.addEventListener("dragend", () => {
    row.classList.remove("is-dragged");
    mark(null);
    dragged = null;
  });
}

for (const list of document.querySelectorAll("[data-order]")) {
  list.addEventListener("dragover", (event) => {
    if (dragged?.parentElement !== list) return;
    event.preventDefault();
    event.stopPropagation();
    mark(list, follower(list, event.clientY));
  });
  list.addEventListener("drop", (event) => {
    if (dragged?.parentElement !== list) return;
    event.preventDefault();
    event.stopPropagation();
    send(dragged, follower(list, event.clientY));
  });
}

// The row that is to follow the dragged one: the first whose middle lies below the pointer; none at the end.
function follower(list, y) {
  return [...list.children].find((row) => {
    const box = row.getBoundingClientRect();
    return y < box.top + box.height / 2;
  });
}

function mark(list, row) {
  for (const marked of document.querySelectorAll(".drop-before, .drop-after")) {
    marked.classList.remove("drop-before", "drop-after");
  }
  if (row) row.classList.add("drop-before");
  else list?.lastElementChild.classList.add("drop-after");
}

function send(row, next) {
  if (next === row || (next && next === row.nextElementSibling)) return;
  if (!next && !row.nextElementSibling) return;
  const form = row.querySelector("form");
  const to = document.createElement("input");
  to.type = "hidden";
  to.name = "to";
  to.value = next ? next.dataset.id : "end";
  form.append(to);
  form.submit();
}
