// The page comes alive: Plotly is unpacked, charts are drawn as they come into sight, controls change all of them.
const DRAW = { lines: drawLines, maps: drawMaps, surfaces: drawSurfaces };
const places = [...document.querySelectorAll(".chart")].map((figure) => {
  const tools = element("div", { class: "tools" });
  const plot = figure.querySelector(".plot");
  figure.insertBefore(tools, plot);
  return { figure, plot, tools, chart: DATA.charts[figure.dataset.chart], near: false };
});

function trouble(words) {
  const said = document.getElementById("trouble");
  said.hidden = false;
  said.textContent = words;
}

async function draw(place) {
  await DRAW[place.chart.kind](place.plot, place.chart, place.tools);
  place.figure.dataset.drawn = "yes";
}

function redraw() {
  tables();
  return Promise.all(places.filter((place) => place.near).map(draw));
}

const MOST_NAMED = 6;

function swatch(place) {
  const made = element("span", { class: "swatch", "aria-hidden": "true" });
  made.style.background = colour(DATA.networks[place].look.colour);
  return made;
}

function tables() {
  document.querySelectorAll("tr[data-network]").forEach((row) => row.classList.toggle("away", !visible(Number(row.dataset.network))));
  document.querySelectorAll("tr[data-layer]").forEach((row) => row.classList.toggle("chosen", STATE.layer !== "" && row.dataset.layer === STATE.layer));
  const shown = [...STATE.networks].sort((a, b) => a - b);
  const named = shown.slice(0, MOST_NAMED).flatMap((place) => [swatch(place), `${DATA.networks[place].label}  `]);
  document.getElementById("shown-networks").replaceChildren(...named, shown.length > MOST_NAMED ? `and ${shown.length - MOST_NAMED} more` : "", shown.length ? "" : "none");
}

function choose(change) {
  Object.assign(STATE, change);
  document.getElementById("layer").value = STATE.layer;
  return redraw();
}

function theme(dark) {
  STATE.dark = dark;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.getElementById("theme").textContent = dark ? "light" : "dark";
}

function controls() {
  const boxes = DATA.networks.map((network, place) => {
    const box = element("input", { type: "checkbox", checked: "", onchange: (event) => { STATE.networks[event.target.checked ? "add" : "delete"](place); redraw(); } });
    return element("label", {}, box, " ", swatch(place), network.label);
  });
  document.getElementById("networks").append(...boxes);
  const all = (on) => () => { STATE.networks = new Set(on ? DATA.networks.map((_, place) => place) : []); boxes.forEach((box) => { box.querySelector("input").checked = on; }); redraw(); };
  document.getElementById("all-networks").addEventListener("click", all(true));
  document.getElementById("no-networks").addEventListener("click", all(false));
  const layers = new Set(Object.values(DATA.charts).flatMap((chart) => (chart.layers ? chart.categories : chart.kind === "maps" ? chart.maps.map((map) => map.layer) : [])).filter(Boolean));
  const select = document.getElementById("layer");
  select.append(...[...layers].map((layer) => element("option", { value: layer }, layer)));
  select.addEventListener("change", () => choose({ layer: select.value }));
  document.getElementById("layer-choice").hidden = layers.size === 0;
  const scale = document.getElementById("scale");
  scale.addEventListener("click", () => { STATE.log = STATE.log !== true; scale.setAttribute("aria-pressed", String(STATE.log)); redraw(); });
  document.getElementById("theme").addEventListener("click", () => { theme(!STATE.dark); redraw(); });
  document.querySelectorAll("tr[data-layer]").forEach((row) => row.addEventListener("click", () => choose({ layer: row.dataset.layer })));
  document.querySelector(".controls").hidden = false;
}

// Browsers keep some sixteen WebGL contexts: of more surfaces than that, the one drawn longest ago gives its own back.
const MOST_IN_SPACE = 4;
const inSpace = [];

function makeRoom(place) {
  if (place.chart.kind !== "surfaces") return;
  if (inSpace.includes(place)) inSpace.splice(inSpace.indexOf(place), 1);
  inSpace.push(place);
  while (inSpace.length > MOST_IN_SPACE) {
    const { plot } = inSpace.shift();
    Plotly.purge(plot);
    delete plot.dataset.listens;
  }
}

// On paper all tables are open, all charts are drawn, and it is light; a surface that is not in sight is a map there.
function paper() {
  const dark = STATE.dark;
  document.querySelectorAll("details.data, details.origin").forEach((each) => { each.open = true; });
  if (dark) theme(false);
  for (const place of places) {
    const empty = !place.plot.querySelector(".main-svg");
    if (empty && place.chart.kind === "surfaces") Object.assign((place.chart.state = place.chart.state || surfaceState(place.chart)), { flat: true });
    if (empty || dark) draw(place);
  }
  window.addEventListener("afterprint", () => { theme(dark); redraw(); }, { once: true });
}

// Charts near the window are drawn.
function watch() {
  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
    const place = places.find((each) => each.figure === entry.target);
    const came = entry.isIntersecting && !place.near;
    place.near = entry.isIntersecting;
    if (came) makeRoom(place);
    if (came) draw(place).catch((error) => trouble(`A chart could not be drawn: ${error.message}. Its numbers stand in the table.`));
  }), { rootMargin: "500px 0px" });
  places.forEach((place) => seen.observe(place.figure));
}

async function unpacked(id) {
  const text = document.getElementById(id).textContent.trim();
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

async function begin() {
  theme(window.matchMedia("(prefers-color-scheme: dark)").matches);
  controls();
  tables();
  const library = document.createElement("script");
  library.textContent = await unpacked("library");
  document.head.append(library);
  watch();
  window.addEventListener("beforeprint", paper);
  document.documentElement.dataset.ready = "yes";
}

begin().catch((error) => trouble(`The charts cannot be drawn in this browser (${error.message}). All numbers stand in the tables.`));
