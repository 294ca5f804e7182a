"use strict";
// The page's data, what is chosen on it, and numbers as people read them.
const DATA = JSON.parse(document.getElementById("page-data").textContent);

// What every chart shows. Charts are drawn again when it changes.
const STATE = { networks: new Set(DATA.networks.map((_, place) => place)), layer: "", log: null, dark: false };

// An array that was written in levels (quantised.py), as rows of numbers; what is not finite stays so.
function decoded(packed) {
  const bytes = Uint8Array.from(atob(packed.data), (letter) => letter.charCodeAt(0));
  const wide = packed.bits === 16;
  const top = wide ? 65536 : 256;
  const count = bytes.length / (wide ? 2 : 1);
  const flat = Array.from({ length: count }, (_, at) => {
    const code = wide ? bytes[2 * at] + 256 * bytes[2 * at + 1] : bytes[at];
    if (code >= top - 3) return { 1: NaN, 2: Infinity, 3: -Infinity }[top - code];
    const value = packed.low + (code / (top - 4)) * (packed.high - packed.low);
    return packed.log ? Math.exp(value) : value;
  });
  const [rows, columns] = packed.shape;
  return Array.from({ length: rows }, (_, row) => flat.slice(row * columns, (row + 1) * columns));
}

function finite(value) {
  return typeof value === "number" && Number.isFinite(value);
}

function short(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "not a number";
  if (!Number.isFinite(value)) return value > 0 ? "infinite" : "minus infinite";
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

// Names come from files: Plotly reads some markup in text, so that none of theirs may be markup.
function safe(text) {
  return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/\$/g, "&#36;");
}

function visible(place) {
  return place === null || STATE.networks.has(place);
}

// A DOM element; text is never markup.
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}
