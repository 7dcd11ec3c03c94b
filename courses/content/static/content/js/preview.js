// Shows a Markdown text as readers will see it, while it is written. The server renders, so that both agree.
import { enhance } from "../../core/js/app.js";

const PAUSE_MS = 350;

for (const box of document.querySelectorAll("[data-markdown-preview]")) {
  const field = box.closest("form").elements[box.dataset.source];
  const token = box.closest("form").elements.csrfmiddlewaretoken.value;
  let timer;
  let asked = 0;

  const show = async () => {
    const number = (asked += 1);
    const body = new URLSearchParams({ body: field.value, csrfmiddlewaretoken: token });
    const response = await fetch(box.dataset.markdownPreview, { method: "POST", body });
    if (!response.ok || number !== asked) return; // an older text than the newest
    const top = box.scrollTop;
    box.innerHTML = await response.text();
    box.scrollTop = top;
    enhance(box);
  };

  field.form.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(show, PAUSE_MS);
  });
}
