// Forms: no double submit, a busy button, a warning before what was typed is lost, and filters that submit themselves.
import { once } from "./once.js";

export function enhanceForms(root) {
  for (const form of once(root, "form[data-form]", "form")) {
    stopDoubles(form);
    if (form.dataset.form === "guard") guard(form);
    if (form.dataset.keep) keep(form);
  }
  for (const form of once(root, "form[data-filterbar]", "filter")) submitOnChange(form);
  for (const summary of once(root, "[data-error-summary]", "summary")) summary.focus();
}

function stopDoubles(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    const pressed = event.submitter;
    if (!pressed) return;
    pressed.setAttribute("aria-busy", "true");
    if (pressed.dataset.busy) {
      pressed.dataset.idle = pressed.innerHTML;
      pressed.textContent = pressed.dataset.busy;
    }
  });
  // Back from the cache of the browser: the form may be sent again.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted || !form.dataset.sent) return;
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) {
      button.removeAttribute("aria-busy");
      if (button.dataset.idle) button.innerHTML = button.dataset.idle;
    }
  });
}

function guard(form) {
  let isDirty = false;
  form.addEventListener("input", () => (isDirty = true));
  form.addEventListener("change", () => (isDirty = true));
  form.addEventListener("submit", () => (isDirty = false));
  window.addEventListener("beforeunload", (event) => {
    if (isDirty) event.preventDefault();
  });
}

// What was typed stays in this browser tab until it was sent, so that a reload or a lost session costs nothing.
function keep(form) {
  const key = `campus:${form.dataset.keep}`;
  const fields = () => [...form.elements].filter((field) => field.name && !/^(hidden|password|file|submit|button)$/.test(field.type));
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? "null");
    if (kept) restore(fields(), kept);
  } catch {
    sessionStorage.removeItem(key);
  }
  form.addEventListener("input", () => {
    const values = fields().map((field) => [field.name, /^(checkbox|radio)$/.test(field.type) ? field.checked : field.value]);
    try {
      sessionStorage.setItem(key, JSON.stringify(values));
    } catch {
      // the store is full: the form works without
    }
  });
  form.addEventListener("submit", () => sessionStorage.removeItem(key));
}

function restore(fields, kept) {
  if (kept.length !== fields.length || kept.some(([name], index) => fields[index].name !== name)) return;
  fields.forEach((field, index) => {
    if (/^(checkbox|radio)$/.test(field.type)) field.checked = kept[index][1];
    else field.value = kept[index][1];
    field.dispatchEvent(new Event("campus:restored"));
  });
}

function submitOnChange(form) {
  let timer;
  form.querySelector(".filterbar-go")?.setAttribute("hidden", "");
  form.addEventListener("change", (event) => {
    if (event.target.type !== "search" && event.target.type !== "text") form.requestSubmit();
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    for (const field of form.elements) if (field.name && field.value === "") field.disabled = true; // a clean address
  });
  form.addEventListener("search", () => form.requestSubmit());
}
