// The count beside the bell, kept true over a websocket. Without this module it is as true as the page.
import { connect } from "./live.js";

export function enhanceBell(root) {
  const bell = root.querySelector("[data-notices]");
  if (!bell) return;
  connect("/ws/notices/", { isQuiet: true, on: { notices: (message) => show(bell, message.unread) } });
}

function show(bell, unread) {
  const count = bell.querySelector("[data-notices-count]");
  count.textContent = unread;
  count.hidden = !unread;
  bell.ariaLabel = unread ? bell.dataset.noticesSome.replace("{n}", unread) : bell.dataset.notices;
}
