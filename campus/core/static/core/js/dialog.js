// Native dialogs, opened by [data-dialog=ID]; and menus (<details data-menu>) that close as menus do.
import { once } from "./once.js";

export function enhanceDialogs(root) {
  for (const opener of once(root, "[data-dialog]", "dialog")) {
    opener.addEventListener("click", (event) => {
      const dialog = document.getElementById(opener.dataset.dialog);
      if (!dialog) return; // the link leads to a page that asks the same
      event.preventDefault();
      dialog.showModal();
    });
    if (opener.getAttribute("role") === "button") {
      opener.addEventListener("keydown", (event) => {
        if (event.key !== " ") return;
        event.preventDefault();
        opener.click();
      });
    }
  }
  for (const dialog of once(root, "dialog", "dialog-close")) {
    dialog.addEventListener("click", (event) => {
      const isBackdrop = event.target === dialog && !isInside(dialog, event);
      if (isBackdrop || event.target.closest("[data-dialog-close]")) dialog.close();
    });
  }
}

function isInside(dialog, { clientX: x, clientY: y }) {
  const box = dialog.getBoundingClientRect();
  return x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
}

export function enhanceMenus(root) {
  for (const menu of once(root, "details[data-menu]", "menu")) {
    menu.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && menu.open) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
      if (event.key === "ArrowDown" || event.key === "ArrowUp") step(menu, event);
    });
    menu.addEventListener("toggle", () => {
      if (!menu.open) return;
      for (const other of document.querySelectorAll("details[data-menu][open]")) if (other !== menu) other.open = false;
    });
  }
  if (root !== document) return;
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
}

function step(menu, event) {
  event.preventDefault();
  menu.open = true;
  const items = [...menu.querySelectorAll(".menu-panel a, .menu-panel button")];
  const at = items.indexOf(document.activeElement);
  const to = at < 0 ? 0 : (at + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length;
  items[to]?.focus();
}
