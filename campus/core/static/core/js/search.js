// The key / takes one to the search field of the top bar, or where that is too narrow to the page of searching.

const TYPING = "input, textarea, select, [contenteditable], .cm-editor, [data-grid], dialog[open]";

function find(event) {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest?.(TYPING)) return;
  const field = document.querySelector("[data-search-key]");
  if (!field) return;
  event.preventDefault();
  const own = document.getElementById("search-question");
  if (own) own.focus();
  else if (field.offsetParent) field.focus();
  else document.querySelector("[data-search-link]").click();
}

export function enhanceSearch() {
  document.addEventListener("keydown", find);
}
