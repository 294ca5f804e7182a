// Of a small chart whose marks are named below it.
const MOST_TICKS = 6;
const LONGEST_TICK = 18;

// What tells a network from the others on the page: its name without what all begin and end with.
function tick(name) {
  const named = DATA.networks.find((network) => network.label === name);
  const words = named ? named.short : name;
  return words.length > LONGEST_TICK ? `${words.slice(0, LONGEST_TICK - 8)}…${words.slice(-7)}` : words;
}

// Numbers against numbers or names, with errors.
function drawLines(plot, chart) {
  const shown = chart.series.filter((series) => visible(series.network));
  const values = shown.flatMap((series) => series.y).filter(finite);
  const positive = values.length > 0 && Math.min(...values) > 0;
  const log = positive && (STATE.log === null ? chart.log : STATE.log);
  const legend = !chart.small && shown.some((series) => !series.look.hidden) && shown.length > 1 && shown.length <= 12;
  const traces = shown.map((series) => lineTrace(series, chart));
  const vertical = axis({ title: { text: safe(chart.y), font: { size: 12 } }, type: log ? "log" : "linear", exponentformat: "power" });
  if (!log && chart.fromZero && values.every((value) => value >= 0)) Object.assign(vertical, { rangemode: "tozero" });
  const across = axis({ title: { text: safe(chart.x), font: { size: 12 } } });
  if (chart.categories.length) Object.assign(across, { type: "category", categoryorder: "array", categoryarray: chart.categories.map(safe), range: [-0.6, chart.categories.length - 0.4], showticklabels: !chart.small || chart.categories.length <= MOST_TICKS });
  if (chart.small && chart.categories.length) Object.assign(across, { tickfont: { size: 10 }, tickangle: -35, tickvals: chart.categories.map(safe), ticktext: chart.categories.map((name) => safe(tick(name))) });
  const places = shown.flatMap((series) => series.x);
  if (!chart.categories.length && places.every(Number.isInteger)) Object.assign(across, Math.max(...places) <= 12 ? { dtick: 1 } : { tickformat: "d" });
  const fields = { xaxis: across, yaxis: vertical, showlegend: legend, legend: { orientation: "h", y: -0.25, font: { size: 11 } }, shapes: band(chart) };
  if (chart.small) fields.margin = { l: 48, r: 6, t: 8, b: chart.categories.length ? 12 : 38 };
  plot.setAttribute("aria-label", `${chart.title}: ${shown.filter((series) => !series.look.hidden).map((series) => series.label).join(", ")}. The numbers stand in the table below.`);
  return Plotly.react(plot, traces, layout(fields), CONFIG).then(() => {
    if (!chart.layers || plot.dataset.listens) return;
    plot.dataset.listens = "yes";
    plot.on("plotly_click", (event) => choose({ layer: chart.categories[chart.categories.map(safe).indexOf(event.points[0].x)] || "" }));
  });
}

function lineTrace(series, chart) {
  const look = Object.assign({ colour: "#0072B2", symbol: "circle", dash: "solid", width: 2 }, series.network === null ? {} : DATA.networks[series.network].look, series.look);
  const names = chart.categories.length > 0;
  const said = series.y.map((value, at) => {
    const error = !series.below && series.error && finite(series.error[at]) ? ` ± ${short(series.error[at])}` : "";
    const where = names && chart.small ? "" : `${safe(chart.x.split(",")[0])} ${names ? safe(series.x[at]) : short(series.x[at])}: `;
    return `<b>${safe(series.label)}</b><br>${where}${short(value)}${error} ${series.text && series.text[at] ? `<br>${safe(series.text[at])}` : ""}`;
  });
  return {
    type: "scatter", mode: series.mode, name: safe(series.label), x: names ? series.x.map(safe) : series.x, y: series.y, text: said, hoverinfo: "text", showlegend: !look.hidden,
    error_y: series.error && series.error.some(finite) ? { type: "data", array: series.error.map((error) => error || 0), ...(series.below ? { symmetric: false, arrayminus: series.below.map((error) => error || 0) } : {}), color: colour(look.colour), thickness: 1.2, width: 4 } : undefined,
    line: { color: colour(look.colour), dash: look.dash, width: look.width }, marker: { color: colour(look.colour), symbol: look.symbol, size: chart.small ? 9 : 7 }, connectgaps: false,
  };
}

// The chosen layer, marked in every chart whose axis is layers.
function band(chart) {
  const at = chart.layers ? chart.categories.indexOf(STATE.layer) : -1;
  return at < 0 ? [] : [{ type: "rect", xref: "x", yref: "paper", x0: at - 0.4, x1: at + 0.4, y0: 0, y1: 1, fillcolor: tone("--mark"), opacity: 0.75, line: { width: 0 }, layer: "below" }];
}
