// The kiosk is ready for the next person: what it said of the last goes away, and the field has the focus.
const kiosk = document.querySelector("[data-kiosk]");
const field = kiosk.querySelector("#kiosk-number");

setTimeout(() => kiosk.querySelector("[data-said]").replaceChildren(), 6000);
document.addEventListener("click", (event) => event.target.closest("button, a") || field.focus());
field.focus();
