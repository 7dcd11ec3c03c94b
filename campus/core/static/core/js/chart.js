// Draws [data-chart] with ECharts from the JSON beside it, in the colours of the theme. The table is its text.
import { init } from "../../vendor/echarts/echarts.js";
import { token } from "./theme.js";

const SERIES = 6;
const drawn = new Map(); // element → chart
const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const format = (value) => (value === null || value === undefined ? "–" : value.toLocaleString(undefined, Math.abs(value) < 1 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 2 }));

document.addEventListener("campus:theme", () => {
  for (const [element, chart] of drawn) {
    if (element.isConnected) chart.setOption(options(read(element)), true);
    else forget(element, chart);
  }
});

export function enhance(element) {
  if (drawn.has(element)) return;
  const chart = init(element, null, { renderer: "canvas" });
  drawn.set(element, chart);
  chart.setOption(options(read(element)));
  new ResizeObserver(() => (element.isConnected ? chart.resize() : forget(element, chart))).observe(element);
}

// For pages that refresh their data without a reload.
export function update(element, data) {
  document.getElementById(element.dataset.chart).textContent = JSON.stringify(data);
  drawn.get(element)?.setOption(options(data), true);
}

function forget(element, chart) {
  chart.dispose();
  drawn.delete(element);
}

function read(element) {
  return JSON.parse(document.getElementById(element.dataset.chart).textContent);
}

function palette() {
  const colours = Object.fromEntries(
    ["ink", "ink-2", "ink-3", "line", "raised", "surface", "ok", "warn", "danger", "run", "wait", "accent", "neutral"].map((name) => [name, token(name)]),
  );
  colours.series = Array.from({ length: SERIES }, (_, index) => token(`series-${index + 1}`));
  colours.heat = [0, 1, 2, 3].map((step) => token(`heat-${step}`));
  colours.font = getComputedStyle(document.body).fontFamily;
  return colours;
}

function options(data) {
  const colours = palette();
  const draw = { heatmap, treemap: tree, sunburst: tree }[data.kind] ?? cartesian;
  return {
    animation: !isStill(), animationDuration: 250, color: colours.series, backgroundColor: "transparent",
    textStyle: { fontFamily: colours.font, color: colours["ink-2"], fontSize: 12 },
    ...draw(data, colours),
  };
}

function tooltip(colours, extra = {}) {
  return {
    backgroundColor: colours.raised, borderColor: colours.line, borderWidth: 1, padding: [6, 10], confine: true,
    textStyle: { color: colours.ink, fontSize: 12, fontFamily: colours.font }, renderMode: "richText", ...extra,
  };
}

function axes(data, colours) {
  const category = {
    type: "category", data: data.x, axisTick: { show: false }, axisLine: { lineStyle: { color: colours.line } },
    axisLabel: { color: colours["ink-2"], hideOverlap: true, fontSize: 11 }, inverse: Boolean(data.horizontal),
  };
  const value = {
    type: "value", splitNumber: 3, min: data.min, max: data.max, splitLine: { lineStyle: { color: colours.line } },
    axisLabel: { color: colours["ink-2"], fontSize: 11, formatter: format },
  };
  return data.horizontal ? { xAxis: value, yAxis: category } : { xAxis: category, yAxis: value };
}

function cartesian(data, colours) {
  const hasLegend = data.series.length > 1;
  return {
    ...axes(data, colours),
    grid: { left: 2, right: 8, top: 10, bottom: hasLegend ? 28 : 2, containLabel: true },
    legend: hasLegend ? { bottom: 0, left: 0, itemWidth: 10, itemHeight: 10, itemGap: 16, icon: "roundRect", textStyle: { color: colours["ink-2"], fontSize: 12 } } : undefined,
    tooltip: tooltip(colours, { trigger: "axis", valueFormatter: format, axisPointer: { type: /line|area|range/.test(data.kind) ? "line" : "shadow", lineStyle: { color: colours["ink-3"] }, shadowStyle: { color: colours["ink-3"], opacity: 0.08 } } }),
    series: data.series.flatMap((series, index) => lines(data, series, index, colours)),
  };
}

function lines(data, series, index, colours) {
  const colour = colours[series.tone] ?? colours.series[index % SERIES];
  const isBar = data.kind === "bar" || data.kind === "stacked";
  const main = {
    name: series.name, type: isBar ? "bar" : "line", data: series.values, stack: data.kind === "stacked" ? "all" : undefined,
    itemStyle: { color: colour, borderRadius: data.kind === "bar" ? (data.horizontal ? [0, 3, 3, 0] : [3, 3, 0, 0]) : 0, borderColor: colours.surface, borderWidth: data.kind === "stacked" ? 1 : 0 },
    lineStyle: { color: colour, width: 2, type: ["solid", "dashed", "dotted"][Math.floor(index / 2) % 3] },
    areaStyle: data.kind === "area" ? { color: colour, opacity: 0.12 } : undefined,
    barMaxWidth: 32, barCategoryGap: "36%", showSymbol: data.x.length < 32, symbol: ["circle", "rect", "triangle", "diamond"][index % 4], symbolSize: 5, connectNulls: Boolean(data.connect),
  };
  if (data.kind !== "range") return [main];
  const band = { type: "line", stack: `band-${index}`, symbol: "none", lineStyle: { opacity: 0 }, silent: true, tooltip: { show: false }, emphasis: { disabled: true } };
  return [
    { ...band, data: series.low },
    { ...band, data: series.high.map((high, at) => (high === null ? null : high - series.low[at])), areaStyle: { color: colour, opacity: 0.16 } },
    main,
  ];
}

function heatmap(data, colours) {
  const values = data.cells.map(([, , value]) => value ?? 0);
  const axis = { type: "category", axisTick: { show: false }, axisLine: { show: false }, axisLabel: { color: colours["ink-2"], fontSize: 11, hideOverlap: true } };
  return {
    grid: { left: 2, right: 2, top: 4, bottom: 34, containLabel: true },
    xAxis: { ...axis, data: data.x }, yAxis: { ...axis, data: data.y, inverse: true },
    tooltip: tooltip(colours, { formatter: ({ value: [x, y, value] }) => `${data.y[y]} · ${data.x[x]}\n${format(value)}` }),
    visualMap: { min: data.min ?? 0, max: data.max ?? Math.max(...values, 1), orient: "horizontal", left: 0, bottom: 0, itemWidth: 10, itemHeight: 90, calculable: false, text: [format(data.max ?? Math.max(...values, 1)), format(data.min ?? 0)], textStyle: { color: colours["ink-2"], fontSize: 11 }, inRange: { color: colours.heat } },
    series: [{ type: "heatmap", data: data.cells, itemStyle: { borderColor: colours.surface, borderWidth: 2, borderRadius: 3 }, emphasis: { itemStyle: { borderColor: colours.ink, borderWidth: 1 } } }],
  };
}

function tree(data, colours) {
  const label = { color: colours.surface, fontSize: 12, fontFamily: colours.font, formatter: ({ name, value }) => `${name}\n${format(value)}` };
  const shared = { type: data.kind, data: data.tree, label, itemStyle: { borderColor: colours.surface, borderWidth: 2 } };
  const own = data.kind === "treemap"
    ? { roam: false, nodeClick: false, breadcrumb: { show: false }, left: 0, right: 0, top: 0, bottom: 0, upperLabel: { show: true, height: 22, color: colours.ink, fontSize: 12, backgroundColor: "transparent" }, levels: [{ itemStyle: { gapWidth: 4 }, upperLabel: { show: false } }, { itemStyle: { gapWidth: 2, borderWidth: 2 } }, { colorSaturation: undefined }] }
    : { radius: ["18%", "96%"], nodeClick: false, sort: undefined, label: { ...label, minAngle: 14 } };
  return { tooltip: tooltip(colours, { formatter: ({ name, value }) => `${name}: ${format(value)}` }), series: [{ ...shared, ...own }] };
}
