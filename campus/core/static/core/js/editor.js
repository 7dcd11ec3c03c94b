// CodeMirror over plain text fields, which stay what the form sends. Alone, or several files as tabs.
import {
  EditorState, EditorView, HighlightStyle, autocompletion, bracketMatching, closeBrackets, closeBracketsKeymap,
  completionKeymap, defaultKeymap, drawSelection, highlightActiveLine, highlightActiveLineGutter, highlightSelectionMatches,
  history, historyKeymap, indentOnInput, indentUnit, indentWithTab, json, keymap, lineNumbers, markdown, python,
  searchKeymap, syntaxHighlighting, tags,
} from "../../vendor/codemirror/codemirror.js";
import { button, once } from "./once.js";

const LANGUAGES = { python, markdown, json };
const BY_SUFFIX = { py: "python", md: "markdown", json: "json", ipynb: "json", jsonl: "json" };

const look = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--surface)", fontSize: "13px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", minHeight: "220px", maxHeight: "62vh" },
  ".cm-content": { caretColor: "var(--ink)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "var(--accent-soft)" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--ink-3)", border: "0", paddingRight: "4px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--hover) 60%, transparent)" },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--ink)", borderColor: "var(--line)" },
  ".cm-textfield": { backgroundColor: "var(--surface)", color: "var(--ink)", border: "1px solid var(--line-strong)" },
  ".cm-button": { backgroundImage: "none", backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--line)" },
  ".cm-searchMatch": { backgroundColor: "var(--warn-soft)", outline: "1px solid var(--warn)" },
  ".cm-selectionMatch": { backgroundColor: "var(--neutral-soft)" },
  ".cm-matchingBracket": { backgroundColor: "var(--neutral-soft)", outline: "1px solid var(--line-strong)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--line)" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
});

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword, tags.operatorKeyword, tags.definitionKeyword, tags.moduleKeyword], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: [tags.comment, tags.meta], color: "var(--code-comment)" },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className), tags.propertyName, tags.link, tags.url], color: "var(--code-name)" },
  { tag: tags.heading, fontWeight: "650" },
  { tag: tags.strong, fontWeight: "650" },
  { tag: tags.emphasis, fontStyle: "italic" },
]);

export function enhance(element) {
  if (element.matches("[data-editor-files]")) {
    for (const files of once(element, "[data-editor-files]", "files")) new Files(files);
  } else {
    for (const field of once(element, "textarea[data-editor]", "editor")) mount(field, field.dataset.editor);
  }
}

function mount(field, language, label = field.labels?.[0]?.textContent.trim() ?? "") {
  const frame = document.createElement("div");
  frame.className = "editor";
  const nonce = document.querySelector('meta[name="csp-nonce"]')?.nonce ?? "";
  const view = new EditorView({
    parent: frame,
    state: EditorState.create({ doc: field.value, extensions: extensions(field, language, label, nonce) }),
  });
  field.hidden = true;
  field.required = false; // a hidden field cannot be pointed at; the server checks
  field.after(frame);
  field.addEventListener("campus:restored", () => replace(view, field.value));
  if (field.labels?.[0]) field.labels[0].addEventListener("click", () => view.focus());
  field.campusEditor = view;
  return { view, frame };
}

function extensions(field, language, label, nonce) {
  const isReadonly = field.readOnly;
  return [
    EditorView.cspNonce.of(nonce), look, syntaxHighlighting(colours), lineNumbers(), highlightActiveLineGutter(), highlightActiveLine(),
    drawSelection(), history(), indentOnInput(), indentUnit.of(language === "python" ? "    " : "  "), bracketMatching(), closeBrackets(),
    autocompletion(), highlightSelectionMatches(), EditorView.lineWrapping,
    EditorState.readOnly.of(isReadonly), EditorView.editable.of(!isReadonly),
    EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" }),
    // Escape, then Tab leaves the field: no keyboard trap.
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap, indentWithTab]),
    ...(LANGUAGES[language] ? [LANGUAGES[language]()] : []),
    EditorView.updateListener.of((update) => {
      if (!update.docChanged) return;
      field.value = update.state.doc.toString();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }),
  ];
}

function replace(view, text) {
  if (text !== view.state.doc.toString()) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}

const suffixLanguage = (path) => BY_SUFFIX[path.split(".").pop()] ?? "text";

// Tabs over the pairs of a name and a text field that the server rendered.
class Files {
  constructor(root) {
    this.root = root;
    this.words = root.dataset;
    this.isReadonly = "readonly" in root.dataset;
    this.files = [...root.querySelectorAll("[data-file]")].map((row) => ({ row, path: row.querySelector("input"), text: row.querySelector("textarea") }));
    this.rows = this.files.length; // numbers are never used twice, those of dropped rows neither
    for (const file of this.files.filter(({ path }) => !path.value)) this.drop(file);
    this.build();
    this.select(this.files[0]);
  }

  build() {
    this.frame = document.createElement("div");
    this.frame.className = "editor";
    this.bar = document.createElement("div");
    this.bar.className = "editor-tabs";
    this.tabs = document.createElement("div");
    this.tabs.className = "cluster cluster-1";
    this.tabs.setAttribute("role", "tablist");
    this.tabs.setAttribute("aria-label", this.words.files);
    this.tabs.addEventListener("keydown", (event) => this.keyed(event));
    this.bar.append(this.tabs);
    if (!this.isReadonly) this.buildTools();
    this.frame.append(this.bar);
    this.root.prepend(this.frame);
    for (const file of this.files) this.adopt(file);
    this.drawTabs();
  }

  buildTools() {
    const tools = document.createElement("div");
    tools.className = "editor-tools";
    for (const [label, iconName, act] of [[this.words.add, "plus", () => this.add()], [this.words.rename, "pencil", () => this.rename()], [this.words.delete, "trash-2", () => this.remove()]]) {
      const tool = button(label, { iconName });
      tool.addEventListener("click", act);
      tools.append(tool);
    }
    this.bar.append(tools);
  }

  adopt(file) {
    const { view, frame } = mount(file.text, suffixLanguage(file.path.value), file.path.value);
    frame.className = "";
    frame.id = `${file.text.id}-panel`;
    frame.setAttribute("role", "tabpanel");
    frame.setAttribute("aria-label", file.path.value);
    frame.hidden = true;
    file.view = view;
    file.panel = frame;
    file.row.hidden = true;
    this.frame.append(frame);
  }

  drawTabs() {
    this.tabs.replaceChildren(...this.files.map((file) => {
      const tab = document.createElement("button");
      Object.assign(tab, { type: "button", className: "editor-tab", textContent: file.path.value });
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", file.panel.id);
      tab.addEventListener("click", () => this.select(file));
      file.tab = tab;
      return tab;
    }));
    this.mark();
  }

  select(file) {
    if (!file) return;
    this.current = file;
    this.mark();
  }

  mark() {
    for (const file of this.files) {
      const isCurrent = file === this.current;
      file.tab.setAttribute("aria-selected", String(isCurrent));
      file.tab.tabIndex = isCurrent ? 0 : -1;
      file.panel.hidden = !isCurrent;
    }
    this.current?.view.requestMeasure();
  }

  keyed(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = (this.files.indexOf(this.current) + step + this.files.length) % this.files.length;
    this.select(this.files[at]);
    this.current.tab.focus();
  }

  askName(value) {
    const name = window.prompt(this.words.name, value)?.trim();
    if (!name || name === value) return null;
    if (!this.files.some(({ path }) => path.value === name)) return name;
    window.alert(this.words.taken);
    return null;
  }

  add() {
    const name = this.askName("");
    if (!name) return;
    const index = this.rows++;
    const row = document.createElement("div");
    row.dataset.file = "";
    const path = Object.assign(document.createElement("input"), { type: "hidden", name: `${this.words.prefix}-${index}-path`, value: name });
    const text = Object.assign(document.createElement("textarea"), { name: `${this.words.prefix}-${index}-text`, id: `id_${this.words.prefix}-${index}-text` });
    row.append(path, text);
    this.root.append(row);
    const file = { row, path, text };
    this.files.push(file);
    this.adopt(file);
    this.drawTabs();
    this.select(file);
    file.view.focus();
  }

  rename() {
    const name = this.askName(this.current.path.value);
    if (!name) return;
    this.current.path.value = name;
    this.current.panel.setAttribute("aria-label", name);
    this.drawTabs();
  }

  remove() {
    if (this.files.length < 2 || !window.confirm(this.words.confirm.replace("{name}", this.current.path.value))) return;
    const gone = this.current;
    gone.panel.remove();
    this.drop(gone);
    this.drawTabs();
    this.select(this.files[0]);
  }

  // Without a name the server leaves the row out, and the numbers of the others stay whole.
  drop(file) {
    file.path.value = "";
    file.row.hidden = true;
    this.files = this.files.filter((other) => other !== file);
  }
}
