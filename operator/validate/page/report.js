/* Draws the report's plots. Without this script the page still holds every figure in its tables. */

const plots = JSON.parse(document.getElementById("plots").textContent);
const HEIGHT = 340;
const STROKES = ["--bad", "--accent", "--warn", "--good", "--violet", "--quiet"];
/** Lines differ in dashes too: colour alone tells nobody who cannot see it. */
const DASHES = [[], [], [8, 4], [2, 3], [8, 3, 2, 3], [12, 6]];

const colour = (name) => {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
};

const dayOf = (seconds) => new Date(seconds * 1_000).toISOString().slice(0, 10);
const rate = (value) => (value === null || value === undefined ? "none" : `${value.toFixed(2)} %`);

const axis = (more) => ({
  stroke: colour("--ink"),
  grid: { stroke: colour("--line"), width: 1 },
  ticks: { stroke: colour("--line") },
  ...more,
});

const seriesOf = ({ label, isLoss }, index) => ({
  label,
  stroke: colour(STROKES[index % STROKES.length]),
  fill: undefined,
  width: isLoss ? 1 : 1.5,
  dash: DASHES[index % DASHES.length],
  points: { show: false },
  // Each loss is a bar of its own: days without one have nothing to connect.
  paths: isLoss ? uPlot.paths.bars({ size: [0.9, 3] }) : undefined,
  value: (_, value, __, index) => (index === null ? "" : rate(value)),
});

/** Reads the values of one day out, for keys and for screen readers. */
const toldAt = (plot, index) =>
  `${dayOf(plots.days[index])}: ${plot.lines.map(({ label, values }) => `${label} ${rate(values[index])}`).join(", ")}`;

const keysOf = (element, chart, plot, told) => {
  let at = plots.days.length - 1;
  const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30, Home: -plots.days.length, End: plots.days.length };
  element.addEventListener("keydown", (event) => {
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    at = Math.max(0, Math.min(plots.days.length - 1, at + move));
    chart().setCursor({ left: chart().valToPos(plots.days[at], "x"), top: 0 });
    told.textContent = toldAt(plot(), at);
  });
};

const draw = (element, plot) =>
  new uPlot(
    {
      width: element.clientWidth,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), "Etc/UTC"),
      scales: { y: { range: (_, __, most) => [0, most * 1.05] } },
      axes: [axis({}), axis({ values: (_, ticks) => ticks.map((tick) => `${tick} %`), size: 60 })],
      series: [{ label: "Day", value: (_, seconds) => (seconds === null ? "" : dayOf(seconds)) }, ...plot.lines.map(seriesOf)],
    },
    [plots.days, ...plot.lines.map(({ values }) => values)],
    element,
  );

const show = (figure, chosen) => {
  const element = document.createElement("div");
  element.className = "plot";
  element.tabIndex = 0;
  element.setAttribute("role", "group");
  const told = document.createElement("output");
  figure.append(element, told);
  let chart = null;
  const redraw = () => {
    chart?.destroy();
    element.setAttribute(
      "aria-label",
      `Plot of ${chosen().name}: ${chosen()
        .lines.map(({ label }) => label)
        .join(", ")}. Arrow keys, page keys, Home and End read single days; the tables hold the figures.`,
    );
    chart = draw(element, chosen());
    told.textContent = "Drag to zoom, double-click to return. With the plot in focus, arrow keys read single days.";
  };
  redraw();
  keysOf(element, () => chart, chosen, told);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT })).observe(element);
  return redraw;
};

const chooser = document.getElementById("portfolio");
for (const figure of document.querySelectorAll("figure[data-plot]")) {
  const kind = figure.dataset.plot;
  const redraw = show(figure, () => plots[kind][kind === "coverage" ? Number(chooser.value) : 0]);
  if (kind === "coverage") chooser.addEventListener("change", redraw);
}
