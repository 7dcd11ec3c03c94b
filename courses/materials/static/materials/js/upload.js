// A large upload shows how far it is. Without a chosen file, or without this module, the form is sent as any other.
const form = document.querySelector("form[data-upload]");
const box = form.querySelector("[data-upload-progress]");
const bar = box.querySelector("progress");
const sent = box.querySelector("[data-sent]");

form.addEventListener("submit", (event) => {
  const chosen = form.querySelector("input[type=file]")?.files.length;
  if (event.defaultPrevented || !chosen) return;
  event.preventDefault();
  const request = new XMLHttpRequest();
  request.open("POST", form.action || location.href);
  request.setRequestHeader("Accept", "text/html");
  box.hidden = false;
  request.upload.addEventListener("progress", (at) => {
    bar.value = at.lengthComputable ? Math.round((at.loaded / at.total) * 100) : 0;
    sent.textContent = `${bar.value}%`;
  });
  request.addEventListener("load", () => {
    if (request.status < 300 && request.responseURL !== location.href) location.assign(request.responseURL);
    else answer(request.responseText);
  });
  for (const kind of ["error", "abort", "timeout"]) request.addEventListener(kind, lost);
  request.send(new FormData(form));
});

// The page with its errors takes the place of this one's content; a file has to be chosen again, as after any reload.
function answer(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const main = document.querySelector("main");
  const other = page.querySelector("main");
  if (!other) return location.reload();
  main.replaceWith(other);
  document.dispatchEvent(new CustomEvent("campus:swapped", { detail: { root: other } }));
  scrollTo(0, 0);
}

function lost() {
  box.hidden = true;
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[aria-busy]")) {
    button.removeAttribute("aria-busy");
    if (button.dataset.idle) button.textContent = button.dataset.idle;
  }
  sent.textContent = form.dataset.lost;
  box.hidden = false;
}
