// Small images of one scale: of the chosen layer, or of the last where none is chosen.
const MOST_MAPS = 4;

// Classes, which are no scale: each is named where there are few.
function named(labels) {
  return labels.length <= 12 && labels.every(Number.isInteger);
}

function drawMaps(plot, chart, tools) {
  const layers = [...new Set(chart.maps.map((map) => map.layer))].filter(Boolean);
  const layer = layers.includes(STATE.layer) ? STATE.layer : layers[layers.length - 1] || "";
  const every = chart.maps.filter((map) => visible(map.network) && map.layer === layer);
  const shown = every.slice(0, MOST_MAPS);
  const parts = shown.map((map) => ({ map, values: decoded(map.values) }));
  const all = chart.maps.flatMap((map) => [map.values.low, map.values.high]);
  const [low, high] = [Math.min(0, ...all), Math.max(...all)];
  tools.replaceChildren(element("span", { class: "note" }, `${layer ? `layer ${layer}${layers.length > 1 ? "; choose another above" : ""}. ` : ""}${every.length > shown.length ? `${shown.length} of ${every.length} networks are drawn: choose them above. ` : ""}`));
  const fields = { margin: { l: 50, r: 80, t: 40, b: 40 }, annotations: [] };
  const traces = parts.map(({ map, values }, place) => {
    const suffix = place ? String(place + 1) : "";
    const [from, to] = [place / parts.length, (place + 0.9) / parts.length];
    const label = map.network === null ? "" : DATA.networks[map.network].label;
    fields[`xaxis${suffix}`] = axis({ domain: [from, to], title: { text: safe(chart.x), font: { size: 11 } }, showticklabels: map.x !== null, showgrid: false, zeroline: false });
    fields[`yaxis${suffix}`] = axis({ anchor: `x${suffix}`, title: { text: place ? "" : safe(chart.y), font: { size: 11 } }, showgrid: false, zeroline: false, ...(named(map.y) ? { tickvals: map.y } : {}) });
    fields.annotations.push({ xref: "paper", yref: "paper", x: (from + to) / 2, y: 1.02, xanchor: "center", yanchor: "bottom", showarrow: false, text: `<b>${safe(label)}</b><br>${safe(map.words)}`, font: { size: 11 } });
    const x = map.x === null ? values[0].map((_, at) => at + 1) : map.x.map((name) => (typeof name === "string" ? safe(name) : name));
    const y = map.y.map((name) => (typeof name === "string" ? safe(name) : name));
    const text = values.map((row, i) => row.map((value, j) => `<b>${safe(label)}</b> ${safe(map.layer)}<br>${safe(chart.y)} ${y[i]}, ${safe(chart.x)} ${typeof x[j] === "number" ? short(x[j]) : x[j]}<br>${safe(chart.bar)}: ${short(value)}`));
    return { type: "heatmap", x, y, z: values.map((row) => row.map((value) => (finite(value) ? value : null))), text, hoverinfo: "text", zmin: low, zmax: high, colorscale: CIVIDIS, xaxis: `x${suffix}`, yaxis: `y${suffix}`, showscale: place === 0, colorbar: { title: { text: safe(chart.bar), side: "right" }, thickness: 14, x: 1.01 } };
  });
  plot.setAttribute("aria-label", `${chart.title}${layer ? `, layer ${layer}` : ""}: ${parts.map(({ map }) => (map.network === null ? "" : DATA.networks[map.network].label)).join(", ")}. Numbers by layer stand in the table below.`);
  return Plotly.react(plot, traces, layout(fields), CONFIG);
}
