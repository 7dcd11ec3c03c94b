// Feeds the style guide's live examples.
import { liveChart } from "./livechart.js";
import { logView } from "./logview.js";

logView(document.getElementById("example-log"));
const chart = liveChart(document.getElementById("example-live"));
for (let step = 0; step < 40; step += 1) chart.push({ step, loss: 1.2 / (1 + step / 6), accuracy: 1 - 0.6 / (1 + step / 5) });
