// A terminal's text as lines of styled runs. Colours and weights become classes; every other control is dropped.
//
// Understood: SGR (16 colours, bold, dim, italic, underline, inverse), carriage return, backspace, erase line.
// Not understood on purpose: cursor movement, titles, links. Nothing of the input ever becomes markup.

const CSI = /^\x1b\[([0-9;:?<=>]*)([ -/]*)([@-~])/;
const OSC = /^\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)/;
const LONGEST_LINE = 20_000;
const LONGEST_ESCAPE = 256;

export class Terminal {
  constructor() {
    this.lines = []; // finished and the open one: { text, runs: [[end, classes]] | null }
    this.style = plain();
    this.rest = "";
    this.begin();
  }

  begin() {
    this.text = [];
    this.classes = [];
    this.column = 0;
    this.lines.push({ text: "", runs: null });
  }

  write(input) {
    const text = this.rest + input;
    this.rest = "";
    let at = 0;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code >= 32 && code !== 127) at = this.plainRun(text, at);
      else if (code === 27) {
        const next = this.escape(text, at);
        if (next < 0) {
          this.rest = text.slice(at);
          break;
        }
        at = next;
      } else at = this.control(code, at);
    }
    this.close();
  }

  plainRun(text, from) {
    let to = from;
    while (to < text.length && text.charCodeAt(to) >= 32 && text.charCodeAt(to) !== 127) to += 1;
    const name = className(this.style);
    for (const character of text.slice(from, to)) {
      if (this.column >= LONGEST_LINE) break;
      this.text[this.column] = character;
      this.classes[this.column] = name;
      this.column += 1;
    }
    return to;
  }

  control(code, at) {
    if (code === 10) {
      this.close();
      this.begin();
    } else if (code === 13) this.column = 0;
    else if (code === 8) this.column = Math.max(this.column - 1, 0);
    else if (code === 9) this.plainRun(" ".repeat(8 - (this.column % 8)), 0);
    return at + 1;
  }

  // The index after the escape at `at`, or -1 when it is not complete yet.
  escape(text, at) {
    const tail = text.slice(at, at + LONGEST_ESCAPE);
    const csi = CSI.exec(tail);
    if (csi) {
      if (csi[3] === "m") this.style = applied(this.style, csi[1]);
      else if (csi[3] === "K") this.erase(csi[1]);
      return at + csi[0].length;
    }
    const osc = OSC.exec(tail);
    if (osc) return at + osc[0].length;
    const mayGrow = tail.length < LONGEST_ESCAPE && /^\x1b(?:$|\[[0-9;:?<=>]*[ -/]*$|\][^\x07\x1b]*\x1b?$)/.test(tail);
    if (mayGrow) return -1;
    return at + (tail.length > 1 && tail[1] !== "[" && tail[1] !== "]" ? 2 : 1);
  }

  erase(mode) {
    if (mode === "2") [this.text, this.classes] = [[], []];
    else if (mode === "1") for (let i = 0; i < this.column; i += 1) this.text[i] = " ";
    else this.text.length = this.classes.length = Math.min(this.column, this.text.length);
  }

  // Writes the open line into the list.
  close() {
    for (let i = 0; i < this.text.length; i += 1) this.text[i] ??= " ";
    const line = this.lines[this.lines.length - 1];
    line.text = this.text.join("");
    line.runs = runs(this.text, this.classes);
  }
}

function plain() {
  return { fg: -1, bg: -1, bold: false, dim: false, italic: false, underline: false, inverse: false };
}

function applied(style, parameters) {
  const next = { ...style };
  const codes = parameters.split(/[;:]/).map(Number);
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i];
    if (code === 38 || code === 48) {
      const isIndexed = codes[i + 1] === 5;
      if (isIndexed && codes[i + 2] < 16) next[code === 38 ? "fg" : "bg"] = codes[i + 2];
      i += isIndexed ? 2 : 4;
    } else set(next, code);
  }
  return next;
}

function set(style, code) {
  if (code === 0) Object.assign(style, plain());
  else if (code === 1) style.bold = true;
  else if (code === 2) style.dim = true;
  else if (code === 3) style.italic = true;
  else if (code === 4) style.underline = true;
  else if (code === 7) style.inverse = true;
  else if (code === 22) style.bold = style.dim = false;
  else if (code === 23) style.italic = false;
  else if (code === 24) style.underline = false;
  else if (code === 27) style.inverse = false;
  else if (code >= 30 && code <= 37) style.fg = code - 30;
  else if (code === 39) style.fg = -1;
  else if (code >= 40 && code <= 47) style.bg = code - 40;
  else if (code === 49) style.bg = -1;
  else if (code >= 90 && code <= 97) style.fg = code - 82;
  else if (code >= 100 && code <= 107) style.bg = code - 92;
}

function className(style) {
  const names = [];
  if (style.fg >= 0) names.push(`ansi-fg-${style.fg}`);
  if (style.bg >= 0) names.push(`ansi-bg-${style.bg}`);
  for (const key of ["bold", "dim", "italic", "underline", "inverse"]) if (style[key]) names.push(`ansi-${key}`);
  return names.join(" ");
}

// [[end, classes], …] in UTF-16 units of the joined text; null where the line is plain.
function runs(characters, classes) {
  if (!classes.some(Boolean)) return null;
  const found = [];
  let end = 0;
  characters.forEach((character, index) => {
    const name = classes[index] ?? "";
    end += character.length;
    const last = found[found.length - 1];
    if (last && last[1] === name) last[0] = end;
    else found.push([end, name]);
  });
  return found;
}
