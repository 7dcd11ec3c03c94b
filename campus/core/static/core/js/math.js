// Formulas of lessons, set by KaTeX.
import { renderMathInElement } from "../../vendor/katex/katex.js";

const sheet = new URL("../../vendor/katex/katex.css", import.meta.url).href;

export function enhance(element) {
  if (!document.querySelector("link[data-katex]")) {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = sheet;
    link.dataset.katex = "";
    document.head.append(link);
  }
  renderMathInElement(element, {
    delimiters: [
      { left: "$$", right: "$$", display: true },
      { left: "\\[", right: "\\]", display: true },
      { left: "\\(", right: "\\)", display: false },
      { left: "$", right: "$", display: false },
    ],
    throwOnError: false,
  });
  // A long formula scrolls inside its line: the keyboard must reach it.
  for (const formula of element.querySelectorAll(".katex-display")) formula.tabIndex = 0;
}
