// What every page runs: enhances the markup it finds, and again what htmx swaps in.
// Heavy modules load only where their markup is.
import { enhanceCopy } from "./copy.js";
import { enhanceDialogs, enhanceMenus } from "./dialog.js";
import { enhanceDrops } from "./drop.js";
import { enhanceForms } from "./form.js";
import { enhanceBell } from "./notices.js";
import { enhanceRows } from "./rows.js";
import { enhanceSearch } from "./search.js";
import { enhanceTheme } from "./theme.js";
import { enhanceTimes } from "./time.js";
import { enhanceMessages } from "./toast.js";

const eager = [enhanceCopy, enhanceDialogs, enhanceMenus, enhanceDrops, enhanceForms, enhanceRows, enhanceTheme, enhanceTimes, enhanceMessages];
const lazy = [
  ["[data-chart]", () => import("./chart.js")],
  ["[data-editor-files], textarea[data-editor]", () => import("./editor.js")],
  ["[data-log]", () => import("./logview.js")],
  ["[data-math]", () => import("./math.js")],
];

export function enhance(root) {
  for (const start of eager) start(root);
  for (const [selector, load] of lazy) {
    const found = [...root.querySelectorAll(selector)];
    if (root.matches?.(selector)) found.push(root);
    if (found.length) load().then((module) => found.forEach((element) => module.enhance(element)));
  }
}

enhance(document);
enhanceBell(document);
enhanceSearch();
// A page's module that puts server-rendered markup into the page says so: detail.root is the changed part.
document.addEventListener("campus:swapped", (event) => enhance(event.detail.root));
document.addEventListener("htmx:load", (event) => {
  if (event.detail.elt !== document.body) enhance(event.detail.elt);
});
