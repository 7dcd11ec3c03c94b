// The log viewer: appends bytes at known offsets, draws only the lines in sight, follows the end, searches.
//
//   const log = logView(document.getElementById("log"));
//   log.append(offset, base64)   true when it joined; false when bytes are missing before it (ask from log.cursor)
//   log.cursor                   the next byte wanted; log.close() says that no more will come
import { Terminal } from "./ansi.js";
import { button } from "./once.js";

const LINE_PX = 20;
const SPARE_LINES = 20;
const TALLEST_PX = 8_000_000; // browsers cut an element off somewhere above; a taller log scrolls in larger steps
const SUMMARY_MS = 5_000;

export function logView(element) {
  return (element.campusLog ??= new LogView(element));
}

export const enhance = logView;

class LogView {
  constructor(element) {
    this.element = element;
    this.words = element.dataset;
    this.body = element.querySelector(".log-body");
    this.terminal = new Terminal();
    this.decoder = new TextDecoder("utf-8");
    this.cursor = Number(this.words.offset || 0);
    this.isFollowing = true;
    this.matches = [];
    this.match = -1;
    this.query = "";
    this.build();
    this.append(this.cursor, this.words.first ?? "");
    if ("closed" in this.words) this.close();
    this.draw();
  }

  append(offset, base64) {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    if (offset > this.cursor) return false;
    const fresh = bytes.subarray(this.cursor - offset);
    if (!fresh.length) return true;
    this.cursor += fresh.length;
    this.terminal.write(this.decoder.decode(fresh, { stream: true }));
    this.schedule();
    return true;
  }

  close() {
    this.terminal.write(this.decoder.decode());
    this.isClosed = true;
    this.schedule();
  }

  build() {
    this.element.classList.add("is-live");
    this.spacer = block("log-spacer");
    this.window = block("log-window");
    this.spacer.append(this.window);
    this.body.replaceChildren(this.spacer);
    this.body.setAttribute("aria-live", "off");
    this.body.addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.schedule()).observe(this.body);
    this.buildTools();
  }

  buildTools() {
    const tools = this.element.querySelector(".log-tools");
    this.status = block("log-status", "span");
    this.status.setAttribute("role", "status");
    this.found = block("log-matches", "span");
    this.search = document.createElement("input");
    Object.assign(this.search, { type: "search", className: "input log-search", placeholder: this.words.search });
    this.search.setAttribute("aria-label", this.words.search);
    this.search.addEventListener("input", () => this.find(this.search.value));
    this.search.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // the log may stand in a form
      this.jump(event.shiftKey ? -1 : 1);
    });
    const up = button(this.words.previous, { iconName: "chevron-up" });
    const down = button(this.words.next, { iconName: "chevron-down" });
    up.addEventListener("click", () => this.jump(-1));
    down.addEventListener("click", () => this.jump(1));
    this.follow = button(this.words.follow, { iconName: "arrow-down" });
    this.follow.addEventListener("click", () => this.setFollowing(!this.isFollowing));
    tools.append(this.status, this.found, this.search, up, down, this.follow);
    this.setFollowing(true);
  }

  setFollowing(isFollowing) {
    this.isFollowing = isFollowing;
    this.follow.setAttribute("aria-pressed", String(isFollowing));
    this.follow.classList.toggle("btn-quiet", !isFollowing);
    if (isFollowing) this.schedule();
  }

  scrolled() {
    const isAtEnd = this.body.scrollTop + this.body.clientHeight >= this.body.scrollHeight - LINE_PX;
    if (isAtEnd !== this.isFollowing && !this.isDrawing) this.setFollowing(isAtEnd);
    this.schedule();
  }

  schedule() {
    if (this.isScheduled) return;
    this.isScheduled = true;
    requestAnimationFrame(() => {
      this.isScheduled = false;
      this.draw();
    });
  }

  get count() {
    const { lines } = this.terminal;
    return lines.at(-1).text ? lines.length : lines.length - 1; // the line after a last newline is not one
  }

  // Pixels of lines behind one pixel of scrolling: 1 but for a log that is taller than an element may be.
  get stretch() {
    const inSight = this.body.clientHeight;
    const tall = this.count * LINE_PX;
    return tall > TALLEST_PX ? (tall - inSight) / (TALLEST_PX - inSight) : 1;
  }

  draw() {
    this.isDrawing = true;
    if (this.query && this.searchedLines !== this.count) this.match = this.collect();
    const { count } = this;
    this.spacer.style.height = `${Math.min(count * LINE_PX, TALLEST_PX)}px`;
    if (this.isFollowing) this.body.scrollTop = this.body.scrollHeight;
    const top = this.body.scrollTop * this.stretch; // where the view would begin were every line as high as it is drawn
    const first = Math.max(Math.floor(top / LINE_PX) - SPARE_LINES, 0);
    const last = Math.min(first + Math.ceil(this.body.clientHeight / LINE_PX) + 2 * SPARE_LINES, count);
    this.window.style.top = `${this.body.scrollTop - (top - first * LINE_PX)}px`;
    const lines = [];
    for (let index = first; index < last; index += 1) lines.push(this.line(index));
    this.window.replaceChildren(...lines);
    this.isDrawing = false;
    this.summarise();
  }

  line(index) {
    const { text, runs } = this.terminal.lines[index];
    const row = block("log-line");
    if (this.query && this.matchSet.has(index)) row.classList.add("is-match");
    if (index === this.matches[this.match]) row.classList.add("is-current");
    const number = block("log-no", "span");
    number.dataset.n = index + 1; // drawn by CSS, so that it is not copied
    const words = block("log-text", "span");
    let start = 0;
    for (const [end, name] of runs ?? [[text.length, ""]]) {
      const run = block(name, "span");
      run.textContent = text.slice(start, end);
      words.append(run);
      start = end;
    }
    row.append(number, words);
    return row;
  }

  // Read out rarely: a log of thousands of lines must not chatter.
  summarise() {
    if (this.speaking && !this.isClosed) return;
    clearTimeout(this.speaking);
    const state = this.isClosed ? this.words.closedText : this.words.liveText;
    const text = `${this.words.lines.replace("{n}", this.count.toLocaleString())} · ${state}`;
    if (this.status.textContent !== text) this.status.textContent = text;
    if (this.isClosed) return;
    this.speaking = setTimeout(() => {
      this.speaking = undefined;
      this.summarise();
    }, SUMMARY_MS);
    if (this.speaking && this.lastCount === this.count) {
      clearTimeout(this.speaking);
      this.speaking = undefined;
    }
    this.lastCount = this.count;
  }

  find(query) {
    this.query = query.toLowerCase();
    this.searchedLines = -1;
    this.match = -1;
    this.collect();
    if (this.matches.length) this.jump(1);
    else this.schedule();
    this.showFound();
  }

  collect() {
    const current = this.matches[this.match];
    this.matches = [];
    if (this.query) {
      this.terminal.lines.forEach((line, index) => line.text.toLowerCase().includes(this.query) && this.matches.push(index));
    }
    this.matchSet = new Set(this.matches);
    this.searchedLines = this.count;
    return this.matches.indexOf(current);
  }

  jump(step) {
    if (!this.matches.length) return;
    this.match = (this.match + step + this.matches.length) % this.matches.length;
    this.setFollowing(false);
    this.body.scrollTop = (this.matches[this.match] * LINE_PX - this.body.clientHeight / 2) / this.stretch;
    this.showFound();
    this.schedule();
  }

  showFound() {
    const { length } = this.matches;
    if (!this.query) this.found.textContent = "";
    else if (!length) this.found.textContent = this.words.none;
    else this.found.textContent = this.words.found.replace("{at}", this.match + 1).replace("{all}", length.toLocaleString());
  }
}

function block(className, tag = "div") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  return made;
}
