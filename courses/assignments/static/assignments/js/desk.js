// The grading desk by keyboard alone: j and k move, digits pick, g and c reach fields, s saves, Escape leaves a field.

const page = document.querySelector("[data-desk-page]");
const form = document.querySelector("[data-desk-form]");
const TYPED = "input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable=true], .cm-editor *";

function pick(number) {
  const levels = [...page.querySelectorAll(`[data-criterion="${number}"] input[type=radio]`)];
  if (!levels.length) return false;
  const chosen = levels.findIndex((level) => level.checked);
  const next = levels[(chosen + 1) % levels.length];
  next.checked = true;
  next.focus();
  next.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

function act(key) {
  if (/^[1-9]$/.test(key)) return pick(key);
  if (key === "j" || key === "k") {
    const link = document.querySelector(`[data-desk="${key === "j" ? "after" : "before"}"]`);
    if (link) link.click();
    return Boolean(link);
  }
  if (key === "g" || key === "c") {
    document.getElementById(key === "g" ? "id_given" : "id_comment").focus();
    return true;
  }
  if (key === "s") {
    form.requestSubmit(form.querySelector("[data-desk=save]"));
    return true;
  }
  return false;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const target = event.target;
  if (target.matches(TYPED)) {
    if (event.key === "Escape") target.blur();
    return;
  }
  if (act(event.key)) event.preventDefault();
});

for (const button of document.querySelectorAll("[data-comment]")) {
  button.addEventListener("click", () => {
    const field = document.getElementById("id_comment");
    field.value = field.value ? `${field.value}\n${button.dataset.comment}` : button.dataset.comment;
    field.focus();
  });
}

page.dataset.ready = ""; // keys are heard from here on
