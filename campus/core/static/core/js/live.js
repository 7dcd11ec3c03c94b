// One websocket that keeps itself alive: backoff, resume from a cursor, dispatch by message type, a quiet bar.
//
//   const link = connect("/ws/jobs/7/", { resumeParams: () => ({ after: log.cursor }), on: { state: show } });
//
// Frames are JSON texts {"type": …}. After 25 s of silence the client sends {"type": "ping"} and expects any frame.
// Close codes 4400 to 4499 are final; everything else reconnects. A quiet link shows no bar when it is down.

const SILENCE_MS = 25_000;
const PATIENCE_MS = 10_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const BAR_AFTER_MS = 1_500;
const down = new Map(); // links that are down, with what the bar says of them

export function connect(path, { on = {}, onMessage, onOpen, onClose, resumeParams, isQuiet = false } = {}) {
  const link = new Link(path, { on, onMessage, onOpen, onClose, resumeParams, isQuiet });
  link.open();
  return { send: (message) => link.send(message), close: () => link.stop(), get isOpen() { return link.isOpen; } };
}

class Link {
  constructor(path, options) {
    this.path = path;
    this.options = options;
    this.failures = 0;
    this.isStopped = false;
    this.wake = () => this.hurry();
    window.addEventListener("online", this.wake);
    document.addEventListener("visibilitychange", this.wake);
    window.addEventListener("pagehide", () => this.socket?.close(1000));
    window.addEventListener("pageshow", (event) => event.persisted && this.hurry());
  }

  get isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  open() {
    clearTimeout(this.retry);
    const url = new URL(this.path, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    for (const [key, value] of Object.entries(this.options.resumeParams?.() ?? {})) url.searchParams.set(key, value);
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.addEventListener("open", () => this.opened());
    socket.addEventListener("message", (event) => this.received(event.data));
    socket.addEventListener("close", (event) => this.socket === socket && this.closed(event));
  }

  opened() {
    this.failures = 0;
    this.clearBar();
    this.listen();
    this.options.onOpen?.();
  }

  received(text) {
    this.listen();
    const message = JSON.parse(text);
    if (message.type === "pong") return;
    this.options.onMessage?.(message);
    this.options.on[message.type]?.(message);
  }

  // Silence may be a dead connection: ask, and give up on it when nothing answers.
  listen() {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => {
      this.send({ type: "ping" });
      this.watch = setTimeout(() => this.abandon(), PATIENCE_MS);
    }, SILENCE_MS);
  }

  abandon() {
    const socket = this.socket;
    this.socket = null; // its close event may come minutes later
    socket?.close();
    this.closed({ code: 1006 });
  }

  closed({ code }) {
    clearTimeout(this.watch);
    if (this.isStopped) return;
    this.options.onClose?.(code);
    if (code >= 4400 && code < 4500) return this.end(code === 4401 ? "signedOut" : "gone");
    if (code === 1000) return;
    const wait = Math.min(FIRST_WAIT_MS * 2 ** this.failures, LONGEST_WAIT_MS) * (0.6 + Math.random() * 0.8);
    this.failures += 1;
    this.bar ??= setTimeout(() => this.say("lost"), BAR_AFTER_MS);
    this.retry = setTimeout(() => this.open(), wait);
  }

  hurry() {
    if (this.isStopped || document.visibilityState === "hidden") return;
    if (!this.socket || this.socket.readyState === WebSocket.CLOSED) this.open();
  }

  send(message) {
    if (this.isOpen) this.socket.send(JSON.stringify(message));
    return this.isOpen;
  }

  stop() {
    this.isStopped = true;
    clearTimeout(this.retry);
    clearTimeout(this.watch);
    window.removeEventListener("online", this.wake);
    document.removeEventListener("visibilitychange", this.wake);
    this.clearBar();
    this.socket?.close(1000);
  }

  end(reason) {
    this.stop();
    this.say(reason);
  }

  say(reason) {
    if (this.options.isQuiet) return;
    down.set(this, reason);
    drawBar();
  }

  clearBar() {
    clearTimeout(this.bar);
    this.bar = undefined;
    down.delete(this);
    drawBar();
  }
}

function drawBar() {
  const bar = document.getElementById("connection");
  if (!bar) return;
  const reason = [...down.values()].at(-1);
  bar.hidden = !reason;
  if (reason) bar.querySelector("span").textContent = bar.dataset[reason];
  bar.classList.toggle("is-final", Boolean(reason) && reason !== "lost");
}
