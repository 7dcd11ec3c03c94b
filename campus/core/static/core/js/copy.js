// Buttons that copy a text: shown only where the clipboard can be written.
import { once } from "./once.js";
import { toast } from "./toast.js";

export function enhanceCopy(root) {
  if (!navigator.clipboard) return;
  for (const button of once(root, "[data-copy]", "copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      toast(button.dataset.copied, "ok");
    });
  }
}
