// Loss over a plane, networks side by side on one scale, turned together; a map instead where there is no WebGL.
const MOST_SURFACES = 3;
const WIDE = 20;
const TALL = 1e4;
const DEEP = 1e6;
const STEP = Math.PI / 12;
const WEBGL = (() => { const probe = document.createElement("canvas"); return Boolean(probe.getContext("webgl") || probe.getContext("experimental-webgl")); })();

function lookFrom(far) {
  return { x: 1.35 * far, y: -1.35 * far, z: far };
}

// One chart's own state: where the reader looks from, and at which point.
function surfaceState(chart) {
  const first = chart.surfaces[0];
  const far = [1, 1, 1.2, 1.4][Math.min(3, chart.surfaces.length)];
  return { far, eye: lookFrom(far), flat: !WEBGL, i: nearest(first.alpha, 0), j: nearest(first.beta, 0), moment: 0, parts: chart.surfaces.map((surface) => prepared(surface)) };
}

function nearest(values, value) {
  return values.reduce((best, each, at) => (Math.abs(each - value) < Math.abs(values[best] - value) ? at : best), 0);
}

// Where a part's grid is read: next to the point that the sliders name on the first one's.
function readPlace(part, state) {
  const first = state.parts[0].surface;
  return [nearest(part.surface.alpha, first.alpha[state.i]), nearest(part.surface.beta, first.beta[state.j])];
}

function prepared(surface) {
  const loss = decoded(surface.loss);
  return { surface, loss, accuracy: surface.accuracy ? decoded(surface.accuracy) : null, label: DATA.networks[surface.network].label };
}

// The length of the step from the network to a point of the plane.
function distance(surface, alpha, beta) {
  const [a, b] = [alpha * surface.norms[0], beta * surface.norms[1]];
  return Math.sqrt(Math.max(0, a * a + b * b + 2 * a * b * (surface.cosine || 0)));
}

function sayPoint(part, i, j, unit) {
  const { surface } = part;
  const accuracy = part.accuracy ? `, accuracy ${short(100 * part.accuracy[i][j])} %` : "";
  return `loss ${short(part.loss[i][j])}${unit === "1" ? "" : ` ${unit}`}${accuracy}, distance ${short(distance(surface, surface.alpha[i], surface.beta[j]))}`;
}

function drawSurfaces(plot, chart, tools) {
  const state = (chart.state = chart.state || surfaceState(chart));
  const every = state.parts.filter((part) => visible(part.surface.network));
  const parts = every.slice(0, MOST_SURFACES);
  const values = state.parts.flatMap((part) => part.loss.flat()).filter(finite);
  const { low, high, said } = bounds(values, chart.unit);
  const log = low > 0 && (STATE.log === null ? high > WIDE * low : STATE.log);
  const scale = { log, low: log ? Math.log10(low) : low, high: log ? Math.log10(high) : high };
  surfaceTools(plot, chart, tools, parts, every.length);
  if (said) tools.querySelector(".reading").textContent += `. ${said}`;
  if (log) tools.querySelector(".reading").textContent += ". Heights and colours are logarithmic, so that a loss of almost zero is a deep funnel";
  const traces = [];
  const fields = { margin: { l: 10, r: 70, t: 44, b: 10 }, annotations: [] };
  parts.forEach((part, place) => (state.flat ? flatPart : spacePart)(part, place, parts.length, { chart, scale, fields, traces, state }));
  if (state.flat) Object.assign(fields.margin, { l: 50, b: 45 });
  plot.setAttribute("aria-label", `${chart.title}: loss of ${parts.map((part) => part.label).join(", ")} on one scale from ${short(low)} to ${short(high)}${chart.unit === "1" ? "" : ` ${chart.unit}`}. The buttons and sliders above turn it and read points; a table stands below.`);
  return Plotly.react(plot, traces, layout(fields), CONFIG).then(() => listen(plot, chart, tools));
}

// What the colours and heights span: a wall, or a loss of almost zero, shall not flatten all that lies between.
function bounds(values, unit) {
  const sorted = [...values].sort((a, b) => a - b);
  const [lowest, highest] = [sorted[0] ?? 0, sorted[sorted.length - 1] ?? 1];
  const middle = sorted[Math.floor(sorted.length / 2)];
  const high = lowest > 0 ? Math.min(highest, TALL * middle) : highest;
  const low = lowest > 0 ? Math.max(lowest, high / DEEP) : lowest;
  const said = [highest > high ? `Losses above ${short(high)}${unit === "1" ? "" : ` ${unit}`} are drawn as that` : "", lowest < low ? `losses below ${short(low)}${unit === "1" ? "" : ` ${unit}`} are drawn as that` : ""];
  return { low, high, said: said.filter(Boolean).join("; ") };
}

function height(scale, value) {
  if (!finite(value) || (scale.log && value <= 0)) return null;
  const at = scale.log ? Math.log10(value) : value;
  return Math.min(scale.high, Math.max(scale.low, at));
}

function bar(scale, unit) {
  const ticks = scale.log ? decades(scale.low, scale.high) : {};
  return Object.assign({ title: { text: unit === "1" ? "loss" : `loss (${safe(unit)})`, side: "right" }, thickness: 14, x: 1.0, len: 0.8 }, ticks);
}

function title(fields, part, place, count) {
  const norms = part.surface.norms.map(short).join(", ");
  const walls = part.loss.flat().filter((value) => !finite(value)).length;
  const words = `<b>${safe(part.label)}</b><br>lengths of the directions ${norms}${walls ? `; ${walls} points not finite` : ""}`;
  fields.annotations.push({ xref: "paper", yref: "paper", x: (place + 0.48) / count, y: 1.01, xanchor: "center", yanchor: "bottom", showarrow: false, text: words, font: { size: 11 } });
}

function grid(part, scale, unit) {
  const { surface } = part;
  const rows = surface.beta.map((beta, j) => surface.alpha.map((alpha, i) => [i, j]));
  return {
    z: rows.map((row) => row.map(([i, j]) => height(scale, part.loss[i][j]))),
    text: rows.map((row) => row.map(([i, j]) => `<b>${safe(part.label)}</b><br>α ${short(surface.alpha[i])}, β ${short(surface.beta[j])}<br>${safe(sayPoint(part, i, j, unit))}`)),
  };
}

function spacePart(part, place, count, { chart, scale, fields, traces, state }) {
  const { surface } = part;
  const scene = `scene${place ? place + 1 : ""}`;
  const { z, text } = grid(part, scale, chart.unit);
  const span = scale.high - scale.low || 1;
  const ticks = scale.log ? decades(scale.low, scale.high) : {};
  const plain = { backgroundcolor: "rgba(0,0,0,0)", gridcolor: tone("--line"), color: tone("--soft"), showspikes: false };
  fields[scene] = {
    domain: { x: [place / count, (place + 0.96) / count], y: [0, 1] }, aspectmode: "manual", aspectratio: { x: 1, y: 1, z: 0.7 }, camera: { eye: Object.assign({}, state.eye), center: { x: 0, y: 0, z: -0.12 } }, dragmode: "turntable",
    xaxis: Object.assign({ title: { text: "α" } }, plain), yaxis: Object.assign({ title: { text: "β" } }, plain),
    zaxis: Object.assign({ title: { text: count > 1 ? "" : "loss" }, range: [scale.low - 0.02 * span, scale.high + 0.05 * span] }, ticks, plain),
  };
  title(fields, part, place, count);
  traces.push({ type: "surface", scene, x: surface.alpha, y: surface.beta, z, text, hoverinfo: "text", colorscale: CIVIDIS, cmin: scale.low, cmax: scale.high, showscale: place === count - 1, colorbar: bar(scale, chart.unit), connectgaps: false, contours: { z: { show: true, usecolormap: false, color: "rgba(255,255,255,0.35)", width: 1, start: scale.low, end: scale.high, size: span / 14, highlight: false } }, lighting: { ambient: 0.92, diffuse: 0.22, specular: 0.04, roughness: 0.9 }, meta: { network: surface.network } });
  const lift = 0.02 * span;
  const mark = (more) => traces.push(Object.assign({ type: "scatter3d", scene, hoverinfo: "text", showlegend: false }, more));
  if (surface.trajectory) {
    const { alpha, beta, moment, loss } = surface.trajectory;
    const on = surface.trajectory.surface_loss || loss;
    mark({ mode: "lines+markers", x: alpha, y: beta, z: on.map((value) => (height(scale, value) ?? scale.low) + lift), line: { color: "#d55e00", width: 5 }, marker: { size: 3, color: "#ffffff", line: { color: "#d55e00", width: 1 } }, text: moment.map((at, row) => `moment ${at}<br>loss ${short(loss[row])}`) });
    const at = Math.min(state.moment, moment.length - 1);
    mark({ mode: "markers", x: [alpha[at]], y: [beta[at]], z: [(height(scale, on[at]) ?? scale.low) + lift], marker: { size: 8, color: "#d55e00", line: { color: "#ffffff", width: 2 } }, text: [`moment ${moment[at]}`] });
  }
  const others = surface.points.filter((point) => point.alpha || point.beta);
  if (others.length) mark({ mode: "markers+text", x: others.map((point) => point.alpha), y: others.map((point) => point.beta), z: others.map((point) => (height(scale, point.loss) ?? scale.low) + lift), text: others.map((point) => safe(point.label)), marker: { symbol: "square", size: 5, color: "#e69f00" }, textfont: { size: 10 } });
  const [i, j] = readPlace(part, state);
  mark({ mode: "markers", x: [surface.alpha[i]], y: [surface.beta[j]], z: [(height(scale, part.loss[i][j]) ?? scale.high) + 2 * lift], marker: { size: 6, color: "#ffffff", line: { color: "#000000", width: 1 } }, text: ["the point that is read above"] });
}

function flatPart(part, place, count, { chart, scale, fields, traces, state }) {
  const { surface } = part;
  const suffix = place ? String(place + 1) : "";
  const { z, text } = grid(part, scale, chart.unit);
  fields[`xaxis${suffix}`] = axis({ domain: [place / count, (place + 0.9) / count], title: { text: "α" }, zeroline: false, showgrid: false });
  fields[`yaxis${suffix}`] = axis({ anchor: `x${suffix}`, title: { text: place ? "" : "β" }, zeroline: false, showgrid: false });
  title(fields, part, place, count);
  const axes = { xaxis: `x${suffix}`, yaxis: `y${suffix}`, showlegend: false };
  traces.push(Object.assign({ type: "heatmap", x: surface.alpha, y: surface.beta, z, text, hoverinfo: "text", colorscale: CIVIDIS, zmin: scale.low, zmax: scale.high, zsmooth: false, showscale: place === count - 1, colorbar: bar(scale, chart.unit) }, axes));
  const mark = (more) => traces.push(Object.assign({ type: "scatter", hoverinfo: "text" }, axes, more));
  if (surface.trajectory) {
    const { alpha, beta, moment } = surface.trajectory;
    const at = Math.min(state.moment, moment.length - 1);
    mark({ mode: "lines+markers", x: alpha, y: beta, line: { color: "#d55e00" }, text: moment.map((each) => `moment ${each}`) });
    mark({ mode: "markers", x: [alpha[at]], y: [beta[at]], marker: { size: 12, color: "#d55e00", line: { color: "#ffffff", width: 2 } }, text: [`moment ${moment[at]}`] });
  }
  const others = surface.points.filter((point) => point.alpha || point.beta);
  if (others.length) mark({ mode: "markers+text", x: others.map((point) => point.alpha), y: others.map((point) => point.beta), text: others.map((point) => safe(point.label)), textposition: "top center", textfont: { color: "#ffffff" }, marker: { symbol: "square", size: 9, color: "#e69f00" } });
  const [i, j] = readPlace(part, state);
  mark({ mode: "markers", x: [surface.alpha[i]], y: [surface.beta[j]], marker: { symbol: "cross", size: 11, color: "#ffffff", line: { color: "#000000", width: 1.5 } }, text: ["the point that is read above"] });
}

// Buttons and sliders for who has no mouse; the reading is said by screen readers.
function surfaceTools(plot, chart, tools, parts, count) {
  const state = chart.state;
  const again = () => drawSurfaces(plot, chart, tools);
  if (!tools.dataset.made) {
    tools.dataset.made = "yes";
    const turn = (name, words, change) => element("button", { type: "button", "aria-label": words, title: words, class: "turning", onclick: () => { change(state.eye); again(); } }, name);
    const round = (angle) => (eye) => { const { x, y } = eye; Object.assign(eye, { x: x * Math.cos(angle) - y * Math.sin(angle), y: x * Math.sin(angle) + y * Math.cos(angle) }); };
    const tilt = (angle) => (eye) => { const flat = Math.hypot(eye.x, eye.y), size = Math.hypot(flat, eye.z); const to = Math.min(1.5, Math.max(-0.2, Math.atan2(eye.z, flat) + angle)); const ratio = (size * Math.cos(to)) / (flat || 1); Object.assign(eye, { x: eye.x * ratio, y: eye.y * ratio, z: size * Math.sin(to) }); };
    const zoom = (factor) => (eye) => { for (const key of "xyz") eye[key] *= factor; };
    const buttons = [turn("◀", "turn left", round(-STEP)), turn("▶", "turn right", round(STEP)), turn("▲", "look more from above", tilt(STEP)), turn("▼", "look more from the side", tilt(-STEP)), turn("+", "nearer", zoom(0.85)), turn("−", "further away", zoom(1.18)), turn("reset", null, (eye) => Object.assign(eye, lookFrom(state.far)))];
    const flat = element("button", { type: "button", class: "flat", "aria-pressed": String(state.flat), onclick: () => { state.flat = !state.flat; Plotly.purge(plot); delete plot.dataset.listens; again(); } }, "flat map");
    const slider = (words, length, key) => element("label", {}, `${words} `, element("input", { type: "range", min: 0, max: length - 1, step: 1, value: state[key], "data-key": key, oninput: (event) => { state[key] = Number(event.target.value); again(); } }));
    const first = chart.surfaces[0], course = chart.surfaces.find((surface) => surface.trajectory);
    tools.append(...buttons, flat, slider("read at α", first.alpha.length, "i"), slider("β", first.beta.length, "j"));
    if (course) tools.append(slider("moment of the training", course.trajectory.moment.length, "moment"));
    tools.append(element("output", { "aria-live": "polite", class: "reading" }));
  }
  if (!WEBGL) tools.querySelectorAll(".turning, .flat").forEach((button) => { button.hidden = true; });
  tools.querySelectorAll(".turning").forEach((button) => { button.disabled = state.flat; });
  tools.querySelector(".flat").setAttribute("aria-pressed", String(state.flat));
  tools.querySelectorAll("input").forEach((input) => { input.value = state[input.dataset.key]; });
  const said = parts.map((part) => {
    const [i, j] = readPlace(part, state);
    return `${part.label} at α ${short(part.surface.alpha[i])}, β ${short(part.surface.beta[j])}: ${sayPoint(part, i, j, chart.unit)}${sayMoment(part, state)}`;
  });
  if (count > parts.length) said.push(`${parts.length} of ${count} networks are drawn: choose them above`);
  tools.querySelector(".reading").textContent = said.join(". ");
}

function sayMoment(part, state) {
  const course = part.surface.trajectory;
  if (!course) return "";
  const at = Math.min(state.moment, course.moment.length - 1);
  return `; training at moment ${course.moment[at]}: loss ${short(course.loss[at])}, ${course.residual[at] < 1e-6 ? "on the plane" : `off the plane by ${short(100 * course.residual[at])} % of its distance to the network`}`;
}

// A click reads a point; turning one turns all.
function listen(plot, chart, tools) {
  if (plot.dataset.listens) return;
  plot.dataset.listens = "yes";
  plot.on("plotly_click", (event) => {
    const point = event.points[0], first = chart.surfaces[0];
    Object.assign(chart.state, { i: nearest(first.alpha, point.x), j: nearest(first.beta, point.y) });
    drawSurfaces(plot, chart, tools);
  });
  plot.on("plotly_relayout", (change) => {
    const camera = Object.entries(change).find(([key]) => key.endsWith(".camera"));
    if (!camera || !camera[1].eye) return;
    const { x, y, z } = camera[1].eye, { eye } = chart.state;
    if (Math.hypot(x - eye.x, y - eye.y, z - eye.z) < 1e-6) return;
    Object.assign(eye, { x, y, z });
    if (chart.surfaces.length > 1) drawSurfaces(plot, chart, tools);
  });
}
