// The look that all charts share, light and dark.
const CIVIDIS = [[0, "#00224e"], [0.125, "#123570"], [0.25, "#3b496c"], [0.375, "#575d6d"], [0.5, "#707173"], [0.625, "#8a8678"], [0.75, "#a59c74"], [0.875, "#c3b369"], [1, "#fee838"]];

function tone(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Black on dark would not be seen: the darkest colours change places with light ones.
function colour(given) {
  if (!STATE.dark) return given;
  return { "#000000": "#ffffff", "#666666": "#b8b8b8", "#0072B2": "#4db2ea" }[given] || given;
}

function axis(more) {
  return Object.assign({ color: tone("--soft"), gridcolor: tone("--line"), zerolinecolor: tone("--line"), automargin: true, tickfont: { size: 11 }, title: { font: { size: 12 } } }, more);
}

function layout(more) {
  return Object.assign({
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: tone("--fore"), size: 12 }, margin: { l: 55, r: 12, t: 10, b: 45 },
    hoverlabel: { bgcolor: tone("--back"), bordercolor: tone("--soft"), font: { color: tone("--fore") }, namelength: -1 }, showlegend: false, dragmode: "zoom",
  }, more);
}

const CONFIG = { displaylogo: false, responsive: true, displayModeBar: false, scrollZoom: false };

// Ticks of a colour bar whose values are logarithms to the base of ten.
function decades(low, high) {
  const values = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power += 1) {
    for (const factor of high - low < 1.3 ? [1, 2, 3, 5, 7] : high - low < 2.6 ? [1, 2, 5] : [1]) {
      const at = power + Math.log10(factor);
      if (at >= low - 1e-9 && at <= high + 1e-9) values.push(at);
    }
  }
  return { tickvals: values, ticktext: values.map((at) => short(10 ** at)) };
}
