// KaTeX with its auto-render extension, as one module.
export { default as renderMathInElement } from "katex/contrib/auto-render";
