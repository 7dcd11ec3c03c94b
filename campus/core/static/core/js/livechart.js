// A live chart that a page feeds point by point: one small plot per metric, all over the same x.
//
//   const chart = liveChart(document.getElementById("loss-chart"));
//   chart.push({ step: 3, loss: 0.31, accuracy: 0.9 });   x is `step`, `epoch` or a running number
import UPlot from "../../vendor/uplot/uplot.js";
import { token } from "./theme.js";

const X_NAMES = ["step", "epoch", "iteration", "batch"];
const PLOT_PX = 150;
const MOST_POINTS = 4_000;
const MOST_PLOTS = 12;

export function liveChart(element) {
  return (element.campusChart ??= new LiveChart(element));
}

class LiveChart {
  constructor(element) {
    this.element = element;
    this.plots = new Map(); // metric → { xs, ys, plot, frame }
    this.count = 0;
    this.showEmpty();
    loadSheet();
    document.addEventListener("campus:theme", () => this.rebuild());
    new ResizeObserver(() => this.schedule()).observe(element);
  }

  push(point) {
    const xName = X_NAMES.find((name) => Number.isFinite(point[name]));
    const x = xName ? point[xName] : this.count;
    this.count += 1;
    for (const [name, value] of Object.entries(point)) {
      if (name !== xName && typeof value === "number" && Number.isFinite(value)) this.add(name, x, value);
    }
    this.schedule();
  }

  add(name, x, value) {
    let plot = this.plots.get(name);
    if (!plot) {
      if (this.plots.size >= MOST_PLOTS) return;
      plot = { xs: [], ys: [] };
      this.plots.set(name, plot);
    }
    const last = plot.xs.length - 1;
    if (x === plot.xs[last]) plot.ys[last] = value; // the same step again: the newest word counts
    else if (x > (plot.xs[last] ?? -Infinity)) {
      plot.xs.push(x);
      plot.ys.push(value);
    } else this.insert(plot, x, value);
    if (plot.xs.length > MOST_POINTS) thin(plot);
  }

  insert(plot, x, value) {
    const at = plot.xs.findIndex((other) => other >= x);
    const isSame = plot.xs[at] === x;
    plot.xs.splice(at, isSame ? 1 : 0, x);
    plot.ys.splice(at, isSame ? 1 : 0, value);
  }

  schedule() {
    if (this.isScheduled) return;
    this.isScheduled = true;
    requestAnimationFrame(() => {
      this.isScheduled = false;
      this.draw();
    });
  }

  draw() {
    if (!this.plots.size) return;
    this.element.querySelector(".chart-empty")?.remove();
    [...this.plots].forEach(([name, plot], index) => {
      plot.plot ??= this.build(name, plot, index);
      const width = plot.frame.clientWidth; // pages may set the plots side by side
      if (plot.plot.width !== width) plot.plot.setSize({ width, height: PLOT_PX });
      plot.plot.setData([plot.xs, plot.ys]);
      plot.label.textContent = `${name}  ${plot.ys.at(-1).toLocaleString(undefined, { maximumSignificantDigits: 4 })}`;
    });
  }

  build(name, plot, index) {
    const frame = document.createElement("div");
    frame.className = "chart-live-plot";
    plot.label = document.createElement("p");
    plot.label.className = "small mono muted";
    plot.frame = frame;
    frame.append(plot.label);
    this.element.append(frame);
    const line = { stroke: token("ink-2"), grid: { stroke: token("line"), width: 1 }, ticks: { show: false }, font: `11px ${getComputedStyle(document.body).fontFamily}` };
    const colour = token(`series-${(index % 6) + 1}`);
    return new UPlot({
      width: frame.clientWidth, height: PLOT_PX, legend: { show: false }, cursor: { y: false }, scales: { x: { time: false } },
      axes: [{ ...line, size: 28 }, { ...line, size: 52, space: 28 }],
      series: [{ label: this.element.dataset.x }, { label: name, stroke: colour, width: 2, points: { show: plot.xs.length < 60, size: 4, fill: colour } }],
    }, [plot.xs, plot.ys], frame);
  }

  rebuild() {
    for (const plot of this.plots.values()) {
      plot.plot?.destroy();
      plot.frame?.remove();
      plot.plot = undefined;
    }
    this.schedule();
  }

  showEmpty() {
    const note = document.createElement("div");
    note.className = "chart-empty";
    note.textContent = this.element.dataset.empty;
    this.element.append(note);
  }
}

// Keeps the shape with half the points: every second one but the last.
function thin(plot) {
  const keep = (_, index) => index % 2 === 0 || index === plot.xs.length - 1;
  [plot.xs, plot.ys] = [plot.xs.filter(keep), plot.ys.filter(keep)];
}

function loadSheet() {
  if (document.querySelector("link[data-uplot]")) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL("../../vendor/uplot/uplot.css", import.meta.url).href;
  link.dataset.uplot = "";
  document.head.append(link);
}
