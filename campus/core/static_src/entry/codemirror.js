// The parts of CodeMirror 6 that core/js/editor.js uses, as one module.
import { LanguageSupport } from "@codemirror/language";
import { markdownLanguage } from "@codemirror/lang-markdown";

export { EditorState, Compartment } from "@codemirror/state";
export {
  EditorView, keymap, lineNumbers, highlightActiveLine, highlightActiveLineGutter, drawSelection,
  highlightSpecialChars, dropCursor, rectangularSelection,
} from "@codemirror/view";
export { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
export { searchKeymap, highlightSelectionMatches, search } from "@codemirror/search";
export {
  HighlightStyle, syntaxHighlighting, indentOnInput, bracketMatching, indentUnit, foldGutter, foldKeymap,
} from "@codemirror/language";
export { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
export { python } from "@codemirror/lang-python";
// Without what markdown() adds: editing HTML, CSS and JavaScript inside costs a third more.
export const markdown = () => new LanguageSupport(markdownLanguage);
export { json } from "@codemirror/lang-json";
export { tags } from "@lezer/highlight";
