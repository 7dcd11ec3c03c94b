// The theme switch without a reload; the form alone does the same with one.
import { once } from "./once.js";

export function enhanceTheme(root) {
  for (const form of once(root, "form[data-theme-form]", "theme")) {
    form.addEventListener("submit", (event) => {
      const theme = event.submitter?.value;
      if (!theme) return;
      event.preventDefault();
      document.documentElement.dataset.theme = theme;
      for (const item of form.querySelectorAll("[name=theme]")) item.setAttribute("aria-pressed", String(item.value === theme));
      form.closest("details").open = false;
      changed();
      const body = new FormData(form, event.submitter);
      body.set("fetch", "1");
      fetch(form.action, { method: "POST", body });
    });
  }
  if (root === document) matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}

function changed() {
  document.dispatchEvent(new CustomEvent("campus:theme"));
}

// The value of a colour token as the browser paints it now, for canvases.
const probe = document.createElement("span");
probe.hidden = true;

export function token(name) {
  if (!probe.isConnected) document.body.append(probe);
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}
