// What the living figures share: elements, controls, colours, the prediction gate and the state in the address.
// Every figure is a custom element in the page itself (no shadow), so the theme's colours, axe and print see it.

let counter = 0;
const SVG_TAGS = new Set(["svg", "g", "rect", "line", "path", "circle", "polyline", "text"]);

/** Make an element: attributes as an object (onclick etc. are listeners; false and null are left out), then its children. */
export function element(tag, attributes = {}, ...children) {
  const made = SVG_TAGS.has(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Return an id that no other element of the page has. */
export function uniqueId(prefix = "figure") {
  counter += 1;
  return `${prefix}-${counter}`;
}

/** Write a number for people: at most `digits` decimals, a true minus sign, no "−0". */
export function formatNumber(value, digits = 3) {
  const text = String(Number(value.toFixed(digits)));
  return (text === "-0" ? "0" : text).replace("-", "−");
}

/** Return `value`, or the nearer end where it does not lie between `low` and `high`. */
export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** Return f(row, column) of each cell of H rows and W columns, flat in row order. */
export function grid(H, W, f) {
  return Array.from({ length: H * W }, (_, at) => f(Math.floor(at / W), at % W));
}

/** Return TensorFlow's SAME along one axis: {outputs, before, after}; an odd zero goes after. */
export function samePadding(W, F, S = 1, D = 1) {
  const outputs = Math.ceil(W / S);
  const total = Math.max((outputs - 1) * S + D * (F - 1) + 1 - W, 0);
  return { outputs, before: Math.floor(total / 2), after: Math.ceil(total / 2) };
}

// ---- State in the address: ?kernel=0,-1,0&stride=2 -------------------------------------------------------------------

let pending = null;

/** Return what the address says about `names`, as {name: string}; a name that is not there is left out. */
export function readState(names) {
  const query = new URLSearchParams(location.search);
  return Object.fromEntries(names.filter((name) => query.has(name)).map((name) => [name, query.get(name)]));
}

/** Put {name: value} into the address, a null takes the name out; other names and the #anchor stay. Written within 400 ms. */
export function writeState(state) {
  if (!pending) setTimeout(flushState, 400); // Safari refuses more than 100 changes in 30 seconds
  pending = { ...pending, ...state };
}

function flushState() {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(pending ?? {})) {
    if (value === null || value === undefined) query.delete(name);
    else query.set(name, value);
  }
  pending = null;
  const text = query.toString().replaceAll("%2C", ",");
  history.replaceState(history.state, "", location.pathname + (text ? `?${text}` : "") + location.hash);
}

/** Return `text` as an integer from `min` to `max`, or null for anything else. */
export function parseInteger(text, min, max) {
  const value = /^-?\d{1,6}$/.test(text ?? "") ? Number(text) : NaN;
  return value >= min && value <= max ? value : null;
}

/** Return `text` as a decimal number of size at most `limit`, or null for anything else. */
export function parseDecimal(text, limit) {
  const value = /^\s*[-+]?(\d+\.?\d*|\.\d+)\s*$/.test(text ?? "") ? Number(text) : NaN;
  return Math.abs(value) <= limit ? value : null;
}

/** Return "1,2,3" as a list, each part read by `parse`; null where one part is null or the length is none of `lengths`. */
export function parseList(text, lengths, parse) {
  const parts = (text ?? "").split(",").map(parse);
  return lengths.includes(parts.length) && !parts.includes(null) ? parts : null;
}

/** Letters that stand in an address as they are, six bits each. */
export const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Pack zeros and ones, a multiple of six, into letters, and unpack `length` of them: null where the text is not theirs. */
export function packBits(bits) {
  return grid(bits.length / 6, 1, (k) => LETTERS[bits.slice(6 * k, 6 * k + 6).reduce((sum, bit) => 2 * sum + bit, 0)]).join("");
}

export function unpackBits(text, length) {
  if (!/^[\w-]*$/.test(text ?? "") || text?.length !== length / 6) return null;
  return grid(length / 6, 6, (k, bit) => (LETTERS.indexOf(text[k]) >> (5 - bit)) & 1);
}

// ---- Predict first ---------------------------------------------------------------------------------------------------

/**
 * Ask for a prediction in `root`: `answers` as buttons, of which number `right` is true. Any answer, or skipping, calls
 * `onDone(chosen)` (null for skipped) and says in words whether it was right, then `explain`, a text.
 */
export function predictionGate(root, { question, answers, right, explain, onDone }) {
  const asked = element("p", { class: "figure-question", id: uniqueId("question") }, element("strong", {}, "Predict: "), question);
  const finish = (chosen) => {
    const verdict = chosen === null ? "" : chosen === right ? "Right. " : `Not quite: ${answers[right]}. `;
    const said = element("p", { class: "figure-verdict", tabindex: -1 }, verdict && element("strong", {}, verdict), explain);
    gate.replaceChildren(asked, said);
    onDone(chosen);
    said.focus({ preventScroll: true }); // the button that had the focus is gone
  };
  const buttons = answers.map((answer, i) => button(answer, () => finish(i)));
  const skip = button("Skip", () => finish(null), { class: "figure-skip" });
  const gate = element("div", { class: "figure-gate", role: "group", "aria-labelledby": asked.id },
    asked, element("div", { class: "figure-row" }, buttons, skip));
  root.prepend(gate);
  return gate;
}

// ---- Controls --------------------------------------------------------------------------------------------------------

/** Make a button. */
export function button(text, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, text);
}

/** How far an arrow key moves: [rows, columns]. */
export const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Return [row, column] of the cell under the pointer, where H rows and W columns fill a canvas. */
export function cellUnder(canvas, event, H, W) {
  const box = canvas.getBoundingClientRect();
  return [clamp(Math.floor((event.clientY - box.top) / box.height * H), 0, H - 1), clamp(Math.floor((event.clientX - box.left) / box.width * W), 0, W - 1)];
}

/** Mark a field as wrong, or as right again. */
export function markInvalid(input, wrong) {
  if (wrong) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

/** Make a labelled number field; `onInput(text)` gets what was typed, which may be no number. */
export function numberField(label, { value, min, max, step = "any", hideLabel = false, onInput }) {
  const input = element("input", { type: "number", value, min, max, step, inputmode: "decimal", "aria-label": hideLabel && label,
    oninput: () => onInput(input.value) });
  const root = hideLabel ? input : element("label", { class: "figure-field" }, element("span", {}, label), input);
  return { root, input };
}

/** Make a slider and a number field for one integer; `onInput(text)`. `show(value)` sets both. */
export function sliderField(label, { value, min, max, limit = max, onInput }) {
  const { root, input } = numberField(label, { value, min, max: limit, step: 1, onInput: (text) => { move(text); onInput(text); } });
  const slider = element("input", { type: "range", min, max, step: 1, value, "aria-label": `${label}, slider`,
    oninput: () => { input.value = slider.value; onInput(slider.value); } });
  const move = (text) => { // the slider goes as far as the number field if it has to
    slider.max = Math.max(max, Math.min(limit, Math.ceil(Number(text)) || 0));
    slider.value = Number(text) || min;
  };
  const show = (next) => { input.value = next; move(next); };
  show(value);
  return { root: element("div", { class: "figure-slider" }, root, slider), input, slider, show };
}

/** Make a group of radio buttons from {value: label}; `onChange(value)`. `show(value)` checks one. */
export function choice(legend, options, { value, onChange }) {
  const name = uniqueId("choice");
  const inputs = Object.entries(options).map(([key, text]) => {
    const input = element("input", { type: "radio", name, value: key, onchange: () => onChange(key) });
    return [key, input, element("label", {}, input, element("span", {}, text))];
  });
  const show = (next) => { for (const [key, input] of inputs) input.checked = key === String(next); };
  show(value);
  return { root: element("fieldset", { class: "figure-choice" }, element("legend", {}, legend), inputs.map(([, , label]) => label)), show };
}

// ---- Colours ---------------------------------------------------------------------------------------------------------

/** The cycle of the chapters' plots, for the colour-blind. */
export const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];

// PuOr of ColorBrewer (Brewer and Harrower), as in matplotlib: orange below 0, purple above.
const PUOR = ["7f3b08", "b35806", "e08214", "fdb863", "fee0b6", "f7f7f7", "d8daeb", "b2abd2", "8073ac", "542788", "2d004b"]
  .map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));

/** Return [r, g, b], 0 to 255, of a signed value: orange at -limit, white-grey at 0, purple at +limit; beyond is cut. */
export function divergingColour(value, limit) {
  const share = limit > 0 ? clamp(value / limit, -1, 1) : 0;
  const place = (share + 1) * 5;
  const below = Math.min(Math.floor(place), 9);
  return PUOR[below].map((channel, i) => Math.round(channel + (place - below) * (PUOR[below + 1][i] - channel)));
}

/** Return [r, g, b] of a value from 0 (black) to 1 (white); beyond is cut. */
export function greyColour(value) {
  const byte = Math.round(clamp(value, 0, 1) * 255);
  return [byte, byte, byte];
}

/** Return "black" or "white", whichever is easier to read on [r, g, b]. */
export function inkOn([r, g, b]) {
  const light = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2] > 0.179 ? "black" : "white";
}

/** Paint `values` (H, W) onto a canvas, one canvas pixel a value; `colour(value)` returns [r, g, b]. */
export function paint(canvas, values, H, W, colour) {
  Object.assign(canvas, { width: W, height: H });
  const image = new ImageData(W, H);
  for (let i = 0; i < H * W; i += 1) image.data.set([...colour(values[i]), 255], 4 * i);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// ---- Style -----------------------------------------------------------------------------------------------------------

/** Add style rules to the page, once for each module that calls it. */
export function installStyle(css) {
  document.head.append(element("style", {}, css));
}

installStyle(`
.living-figure { display: block; margin: 1.5rem 0; padding: 1rem; border: 1px solid var(--pst-color-border); border-radius: 0.5rem;
  background: var(--pst-color-on-background); color: var(--pst-color-text-base); font-size: 1rem; line-height: 1.5; }
.living-figure [hidden] { display: none !important; }
.living-figure p { margin: 0 0 0.5rem; }
.living-figure figcaption { margin: 0.25rem 0; color: inherit; font-family: inherit; font-size: 0.9rem; font-weight: inherit; text-align: left; }
.living-figure canvas { display: block; width: 100%; image-rendering: pixelated; filter: none; }
.living-figure fieldset { min-width: 0; margin: 0; padding: 0; border: 0; }
.living-figure legend, .living-figure .figure-field span { float: none; width: auto; margin: 0; padding: 0; font-size: 1rem; font-weight: 600; }
.living-figure label { margin: 0; }
.living-figure button, .living-figure input[type=number] { min-height: 2.75rem; min-width: 2.75rem; padding: 0.25rem 0.75rem; font: inherit;
  color: var(--pst-color-text-base); background: var(--pst-color-surface); border: 1px solid var(--pst-color-text-muted); border-radius: 0.25rem; }
.living-figure button { cursor: pointer; }
.living-figure button:hover { border-color: var(--pst-color-primary); text-decoration: underline; }
.living-figure button[aria-pressed=true] { border: 2px solid var(--pst-color-primary); font-weight: 600; }
.living-figure button[aria-disabled=true] { color: var(--pst-color-text-muted); border-style: dashed; cursor: default; text-decoration: none; }
.living-figure :is(button, input):disabled { cursor: default; }
.living-figure :is(button, input, [tabindex="0"]):focus-visible { outline: 3px solid var(--pst-color-primary); outline-offset: 2px; box-shadow: none; }
.living-figure [aria-invalid=true] { border: 2px dashed var(--pst-color-danger); }
.living-figure .figure-error { color: var(--pst-color-danger); font-weight: 600; }
.living-figure .figure-row + p { margin-top: 0.5rem; }
.living-figure .figure-error:empty { margin: 0; }
.living-figure .figure-verdict:focus { outline: none; box-shadow: none; }
.living-figure .figure-row { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; }
.living-figure .figure-gate { margin-bottom: 1rem; padding: 0.75rem 1rem; border-left: 0.25rem solid var(--pst-color-primary); background: var(--pst-color-surface); }
.living-figure .figure-gate button { background: var(--pst-color-on-background); }
.living-figure .figure-gate p:last-child { margin: 0; }
.living-figure .figure-field { display: inline-flex; align-items: center; gap: 0.5rem; }
.living-figure .figure-slider { display: flex; gap: 0.5rem; align-items: center; }
.living-figure .figure-slider input[type=range] { flex: 1; min-width: 0; height: 2.75rem; margin: 0; accent-color: var(--pst-color-primary); }
.living-figure .figure-choice { display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: center; }
.living-figure .figure-choice legend { float: left; }
.living-figure .figure-choice label { display: inline-flex; align-items: center; gap: 0.4rem; min-height: 2.75rem; min-width: 2.75rem; cursor: pointer; }
.living-figure .figure-choice input { width: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--pst-color-primary); }
`);
