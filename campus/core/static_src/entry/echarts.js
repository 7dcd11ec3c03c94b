// The kinds of chart that core/js/chart.js draws, tree-shaken.
import { use, init } from "echarts/core";
import { BarChart, CustomChart, HeatmapChart, LineChart, SunburstChart, TreemapChart } from "echarts/charts";
import {
  AriaComponent, DataZoomInsideComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent,
  VisualMapComponent,
} from "echarts/components";
import { CanvasRenderer } from "echarts/renderers";

use([
  BarChart, CustomChart, HeatmapChart, LineChart, SunburstChart, TreemapChart, AriaComponent, DataZoomInsideComponent,
  GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, VisualMapComponent, CanvasRenderer,
]);

export { init };
