// Kernel playground, chapter 03: slide an editable kernel over the photograph or a drawing, and read the arithmetic of one pixel.

import {
  ARROWS, button, cellUnder, choice, clamp, divergingColour, element, formatNumber, greyColour, grid, inkOn, installStyle, markInvalid,
  numberField, packBits, paint, parseDecimal, parseInteger, parseList, predictionGate, readState, samePadding, uniqueId, unpackBits, writeState,
} from "./figure.js";

/** The kernels of chapter 03, and the display that suits them: signed for those that add up to 0. */
export const PRESETS = {
  "blur": { kernel: [1, 2, 1, 2, 4, 2, 1, 2, 1], divisor: 16, display: "cut" },
  "sharpen": { kernel: [0, -1, 0, -1, 5, -1, 0, -1, 0], divisor: 1, display: "cut" },
  "edge": { kernel: [0, -1, 0, -1, 4, -1, 0, -1, 0], divisor: 1, display: "signed" },
  "top Sobel": { kernel: [1, 2, 1, 0, 0, 0, -1, -2, -1], divisor: 1, display: "signed" },
  "emboss": { kernel: [-2, -1, 0, -1, 1, 1, 0, 1, 2], divisor: 1, display: "cut" },
};
const START = { source: "photo", kernel: [1, 0, -1, 2, 0, -2, 1, 0, -1], divisor: 1, flip: false, display: "signed", stride: 1, at: null };
const NAMES = ["source", "drawing", "kernel", "divisor", "flip", "display", "stride", "at"];
const SIDE = { photo: 160, draw: 24 };
const PATTERNS = {
  "square": (i, j) => i > 7 && i < 16 && j > 7 && j < 16,
  "one pixel": (i, j) => i === 12 && j === 12,
  "white wall": () => true,
  "stripes": (i, j) => j % 6 < 3,
  "diagonal": (i, j) => Math.abs(i - j) < 2,
  "nothing": () => false,
};

// ---- Numbers ---------------------------------------------------------------------------------------------------------

/**
 * Slide `kernel` (FH, FW) over `image` (H, W), both flat arrays in row order: tf.nn.conv2d's cross-correlation with SAME.
 * Returns {values, H, W, top, left}: the output, its size, and the zeros padded above and on the left.
 */
export function correlate(image, H, W, kernel, FH, FW, stride = 1) {
  const rows = samePadding(H, FH, stride);
  const columns = samePadding(W, FW, stride);
  const values = new Float64Array(rows.outputs * columns.outputs);
  for (let at = 0; at < values.length; at += 1) {
    const y = Math.floor(at / columns.outputs) * stride - rows.before;
    const x = (at % columns.outputs) * stride - columns.before;
    for (let i = Math.max(0, -y); i < FH && y + i < H; i += 1) {
      for (let j = Math.max(0, -x); j < FW && x + j < W; j += 1) {
        values[at] += image[(y + i) * W + x + j] * kernel[i * FW + j];
      }
    }
  }
  return { values, H: rows.outputs, W: columns.outputs, top: rows.before, left: columns.before };
}

/** Return a copy turned by 180 degrees. */
export function turned(kernel) {
  return [...kernel].reverse();
}

/** Return `kernel` in a larger frame of zeros, or its middle: from `size` squared to `next` squared weights. */
export function resized(kernel, size, next) {
  const shift = (size - next) / 2;
  const inside = (place) => place + shift >= 0 && place + shift < size;
  return grid(next, next, (i, j) => (inside(i) && inside(j) ? kernel[(i + shift) * size + j + shift] : 0));
}

/** Return the limit of the signed display: the largest size of a value, the padded rim left out unless nothing else is there. */
export function displayLimit({ values, W, top, left }, side, size, stride) {
  const inside = (place, before) => place * stride >= before && place * stride - before + size <= side;
  const inner = values.filter((_, at) => inside(Math.floor(at / W), top) && inside(at % W, left));
  const largest = (some) => some.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return [largest(inner), largest(values)].find((limit) => limit > 1e-9) ?? 1;
}

/** Say what a kernel whose weights add up to `sum` does to a flat area. */
export function flatAreas(sum) {
  const number = formatNumber(sum);
  if (Math.abs(sum) < 1e-9) return "The weights add up to 0: flat areas become 0, only changes show.";
  if (Math.abs(sum - 1) < 1e-9) return "The weights add up to 1: flat areas keep their brightness.";
  const how = sum < 0 ? "which is negative" : sum < 1 ? "darker" : "brighter";
  return `The weights add up to ${number}: flat areas become ${number} times what they were, ${how}.`;
}

// ---- State -----------------------------------------------------------------------------------------------------------

function drawn(pattern) {
  return grid(SIDE.draw, SIDE.draw, (i, j) => Number(PATTERNS[pattern](i, j)));
}

const parseWeight = (text) => parseDecimal(text, 1000);

/** Read a whole state out of the address; whatever is nonsense stays at its start. `given`: something was not. */
export function stateFrom(text) {
  const oneOf = (values, value) => (values.includes(value) ? value : null);
  const found = Object.entries({
    source: oneOf(["photo", "draw"], text.source),
    drawing: unpackBits(text.drawing, SIDE.draw ** 2),
    kernel: parseList(text.kernel, [9, 25], parseWeight),
    divisor: parseWeight(text.divisor) || null,
    flip: text.flip === "1" || null,
    display: oneOf(["cut", "signed"], text.display),
    stride: parseInteger(text.stride, 1, 4),
    at: parseList(text.at, [2], (part) => parseInteger(part, 0, 159)),
  }).filter(([, value]) => value !== null);
  return { ...START, drawing: drawn("square"), ...Object.fromEntries(found), given: found.length > 0 };
}

// ---- The element -----------------------------------------------------------------------------------------------------

class KernelPlayground extends HTMLElement {
  pen = null; // what the pointer draws while it is down: 0 or 1

  connectedCallback() {
    if (this.state) return;
    this.state = stateFrom(readState(NAMES));
    this.classList.add("living-figure");
    this.replaceChildren();
    this.build();
    if (!this.state.given) this.ask();
    this.showKernel();
    this.update();
    this.load();
  }

  async load() {
    try {
      const response = await fetch(new URL("./photograph.bin", import.meta.url));
      this.photo = Float64Array.from(new Uint8Array(await response.arrayBuffer()), (byte) => byte / 255);
      if (this.photo.length !== SIDE.photo ** 2) throw new Error("not the photograph");
    } catch {
      this.photo = new Float64Array(SIDE.photo ** 2);
      this.note.textContent = "The photograph did not load; draw something yourself.";
    }
    this.update();
  }

  ask() {
    this.open(false);
    predictionGate(this, {
      question: "The kernel below is top Sobel, turned on its side. Which lines of the photograph will it show?",
      answers: ["her mouth, which is level", "the flag's upright stripes", "both"],
      right: 1,
      explain: "It takes the right column from the left one, so it speaks where brightness changes from left to right: at upright "
        + "lines. Along a level line, left and right are alike and cancel. Now change it.",
      onDone: () => this.open(true),
    });
  }

  open(isOpen) {
    for (const part of this.workbench) part.hidden = !isOpen;
    this.result.pad.inert = this.kernel.disabled = !isOpen;
    this.result.toggleAttribute("data-closed", !isOpen);
  }

  build() {
    const { state } = this;
    this.source = choice("Input", { photo: "the photograph", draw: "your drawing" },
      { value: state.source, onChange: (source) => this.change({ source, at: null }) });
    this.patterns = element("div", { class: "figure-row" }, Object.keys(PATTERNS).map((name) =>
      button(name, () => this.change({ drawing: drawn(name) }))));
    this.hint = element("p", {}, "Draw on the input with a finger or the mouse, or take a sample. With the keyboard, arrow keys move and the space bar sets a pixel.");
    this.input = this.picture("input", (at, event) => this.onInput(at, event));
    this.result = this.picture("output", (at, event) => this.moveTo(this.inputOf(at), event.type === "pointerdown"));
    this.legend = element("div", { class: "playground-legend", "aria-hidden": "true" });
    this.result.append(this.legend);
    this.presets = Object.entries(PRESETS).map(([name, preset]) => button(name, () => this.put(preset)));
    this.grid = element("div", { class: "playground-kernel", role: "group", "aria-label": "The kernel's weights" });
    this.divisor = numberField("divided by", { value: state.divisor, onInput: () => this.readKernel() });
    this.size = choice("Size", { 3: "3 × 3", 5: "5 × 5" }, { value: 3, onChange: (next) => this.put({ kernel: resized(this.state.kernel, this.kernelSize, Number(next)) }) });
    this.flip = choice("Slide the kernel", { no: "as written", yes: "turned by 180° (true convolution)" },
      { value: "no", onChange: (value) => this.change({ flip: value === "yes" }) });
    this.display = choice("Output", { signed: "signed colours", cut: "grey, cut to 0 … 1" },
      { value: state.display, onChange: (display) => this.change({ display }) });
    this.stride = choice("Stride", { 1: "1", 2: "2", 3: "3", 4: "4" }, { value: 1, onChange: (stride) => this.change({ stride: Number(stride) }) });
    this.error = element("p", { class: "figure-error", role: "alert" });
    this.sum = element("p", { "aria-live": "polite" });
    this.note = element("p", { class: "figure-error", role: "alert" });
    this.live = element("p", { "aria-live": "polite" });
    this.products = element("div", { class: "playground-products", role: "group", "aria-label": "The patch times the kernel" });
    const arrows = Object.entries({ up: "↑", down: "↓", left: "←", right: "→" }).map(([name, sign]) =>
      button(sign, () => this.step(`Arrow${name[0].toUpperCase()}${name.slice(1)}`), { "aria-label": `Move the window ${name}` }));
    const top = element("fieldset", { "aria-label": "Input" }, this.source.root, this.patterns, this.hint, this.note);
    const presets = element("div", { class: "figure-row" }, this.presets);
    this.kernel = element("fieldset", {}, element("legend", {}, "Kernel"), presets, this.size.root, this.grid, this.divisor.root, this.error, this.sum);
    const arithmetic = element("div", {}, element("div", { class: "figure-row" }, element("strong", {}, "One pixel"), arrows), this.products, this.live);
    const options = element("fieldset", { "aria-label": "Options" }, this.flip.root, this.display.root, this.stride.root,
      button("Start again", () => this.put({ ...START, drawing: drawn("square") })));
    this.workbench = [top, presets, this.size.root, this.divisor.root, this.sum, arithmetic, options];
    this.append(top, element("div", { class: "playground-columns" }, this.input, this.result),
      element("div", { class: "playground-columns" }, this.kernel, arithmetic), options);
  }

  /** Make a picture with a frame that pointer and arrow keys move; `pick([row, column], event)`. */
  picture(kind, pick) {
    const canvas = element("canvas", { role: "img", width: 1, height: 1 });
    const frame = element("svg", { "aria-hidden": "true", preserveAspectRatio: "none" },
      ["black", "#E69F00"].map((stroke, i) => element("rect", { fill: "none", stroke, "stroke-width": i ? 2 : 5, "vector-effect": "non-scaling-stroke" })));
    const hint = element("figcaption", { id: uniqueId("caption") });
    const take = (event) => pick(cellUnder(canvas, event, canvas.height, canvas.width), event);
    const lift = () => { this.pen = null; };
    const pad = element("div", { class: "playground-pad", tabindex: 0, role: "application", "aria-describedby": hint.id,
      "aria-label": `The ${kind}, pixel by pixel: arrow keys move the window`,
      onpointerdown: take, onpointermove: take, onpointerup: lift, onpointercancel: lift, onkeydown: (event) => this.onKey(event, kind) }, canvas, frame);
    return Object.assign(element("figure", {}, pad, hint), { canvas, frame, hint, pad });
  }

  get side() { return SIDE[this.state.source]; }
  get image() { return this.state.source === "draw" ? this.state.drawing : this.photo; }
  get kernelSize() { return Math.sqrt(this.state.kernel.length); }
  get at() { return (this.state.at ?? [this.side / 2, this.side / 2]).map((place) => Math.min(place, this.side - 1)); }

  /** Return the output pixel whose window lies nearest to an input pixel, and the input pixel in the middle of an output's window. */
  outputOf(place) {
    const { outputs, before } = samePadding(this.side, this.kernelSize, this.state.stride);
    return place.map((p) => clamp(Math.round((p + before - (this.kernelSize - 1) / 2) / this.state.stride), 0, outputs - 1));
  }

  inputOf(place) {
    const { before } = samePadding(this.side, this.kernelSize, this.state.stride);
    return place.map((p) => p * this.state.stride - before + (this.kernelSize - 1) / 2);
  }

  onInput(at, event) {
    if (this.state.source === "draw" && event.buttons & 1) {
      if (event.type === "pointerdown") Object.assign(this, { pen: 1 - this.state.drawing[at[0] * SIDE.draw + at[1]], last: at });
      if (this.pen !== null) this.stroke(at);
    }
    this.moveTo(at, event.type === "pointerdown");
  }

  /** Draw a line of pixels from the last one to `at`: a fast pointer skips some. */
  stroke(at) {
    const steps = Math.max(Math.abs(at[0] - this.last[0]), Math.abs(at[1] - this.last[1]), 1);
    for (let k = 0; k <= steps; k += 1) {
      const [i, j] = [0, 1].map((axis) => Math.round(this.last[axis] + (k / steps) * (at[axis] - this.last[axis])));
      this.state.drawing[i * SIDE.draw + j] = this.pen;
    }
    this.last = at;
    this.change({});
  }

  onKey(event, kind) {
    if (event.key in ARROWS) this.step(event.key, kind === "input" ? 1 : this.state.stride);
    else if ([" ", "Enter"].includes(event.key) && kind === "input" && this.state.source === "draw") {
      const pixel = this.at[0] * SIDE.draw + this.at[1];
      this.state.drawing[pixel] = 1 - this.state.drawing[pixel];
      this.change({});
    } else return;
    event.preventDefault();
  }

  step(key, by = this.state.stride) {
    const start = by === 1 ? this.at : this.inputOf(this.outputOf(this.at)); // on the output, from window to window
    this.moveTo(start.map((place, axis) => clamp(place + by * ARROWS[key][axis], 0, this.side - 1)));
  }

  moveTo(at, save = true) {
    this.state.at = at;
    if (save) this.save(); // a pointer that only passes by leaves the address alone
    this.showPixel();
  }

  change(some) {
    Object.assign(this.state, some);
    this.save();
    this.update();
  }

  /** Change what the kernel's fields show, too. */
  put(some) {
    this.change(some);
    this.showKernel();
  }

  save() {
    const { source, drawing, kernel, divisor, flip, display, stride, at } = this.state;
    const draw = source === "draw";
    writeState({ kernel: kernel.join() === START.kernel.join() ? null : kernel.join(), divisor: divisor === 1 ? null : divisor, source: draw ? source : null, drawing: draw ? packBits(drawing) : null,
      flip: flip ? 1 : null, display: display === "cut" ? display : null, stride: stride === 1 ? null : stride, at: at?.join(",") ?? null });
  }

  /** Put the state's kernel into the fields. */
  showKernel() {
    const size = this.kernelSize;
    this.grid.style.setProperty("--size", size);
    this.weights = grid(size, size, (i, j) => numberField(`row ${i + 1}, column ${j + 1}`,
      { value: this.state.kernel[i * size + j], hideLabel: true, onInput: () => this.readKernel() }).input);
    this.grid.replaceChildren(...this.weights);
    this.divisor.input.value = this.state.divisor;
    this.error.textContent = "";
    markInvalid(this.divisor.input, false);
  }

  /** Take the kernel from the fields, or say which field holds no number. */
  readKernel() {
    const fields = [...this.weights, this.divisor.input];
    const numbers = [...this.weights.map((field) => parseWeight(field.value)), parseWeight(this.divisor.input.value) || null];
    fields.forEach((field, i) => markInvalid(field, numbers[i] === null));
    const bad = fields[numbers.indexOf(null)];
    const name = bad === this.divisor.input ? "The divisor must be a number from −1000 to 1000 and not 0" : `The weight in ${bad?.getAttribute("aria-label")} must be a number from −1000 to 1000`;
    this.error.textContent = bad ? `${name}. The output is still the last kernel's.` : "";
    if (!bad) this.change({ kernel: numbers.slice(0, -1), divisor: numbers.at(-1) });
  }

  /** Compute the output and show all of it. */
  update() {
    const { state, side } = this;
    const draw = state.source === "draw";
    for (const [control, value] of [[this.source, state.source], [this.size, this.kernelSize], [this.flip, state.flip ? "yes" : "no"],
      [this.display, state.display], [this.stride, state.stride]]) control.show(value);
    this.patterns.hidden = this.hint.hidden = !draw;
    this.input.pad.style.touchAction = draw ? "none" : "manipulation";
    Object.values(PRESETS).forEach((preset, i) => this.presets[i].setAttribute("aria-pressed",
      String(preset.divisor === state.divisor && preset.kernel.join() === state.kernel.join())));
    this.used = (state.flip ? turned(state.kernel) : state.kernel);
    this.sum.textContent = flatAreas(state.kernel.reduce((sum, weight) => sum + weight, 0) / state.divisor);
    if (!this.image) return; // the photograph is on its way
    this.output = correlate(this.image, side, side, this.used.map((weight) => weight / state.divisor), this.kernelSize, this.kernelSize, state.stride);
    this.limit = displayLimit(this.output, side, this.kernelSize, state.stride);
    const colour = state.display === "cut" ? greyColour : (value) => divergingColour(value, this.limit);
    paint(this.input.canvas, this.image, side, side, greyColour);
    paint(this.result.canvas, this.output.values, this.output.H, this.output.W, colour);
    this.describe(draw);
    this.showPixel();
  }

  describe(draw) {
    const { values, H, W } = this.output;
    const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => formatNumber(value, 2));
    const cut = this.state.display === "cut";
    this.input.hint.textContent = `Input, ${this.side} × ${this.side}`;
    this.result.hint.textContent = `Output, ${H} × ${W}, from ${low} to ${high}`;
    this.input.canvas.setAttribute("aria-label", draw ? `Your drawing: white on black, ${this.side} by ${this.side} pixels`
      : "The photograph: the head of Grace Hopper in naval uniform, a flag behind her, 160 by 160 grey pixels");
    this.result.canvas.setAttribute("aria-label", `The output: ${H} by ${W} numbers from ${low} to ${high}, ${cut ? "0 and less black, 1 and more white"
      : "orange below 0, near white at 0, purple above"}`);
    const ends = cut ? ["0", "1"] : [`−${formatNumber(this.limit, 2)}`, "0", formatNumber(this.limit, 2)];
    this.legend.replaceChildren(element("div"), ...ends.map((end) => element("span", {}, end)));
    const stops = cut ? ["black", "white"] : Array.from({ length: 11 }, (_, i) => `rgb(${divergingColour(i - 5, 5)})`);
    this.legend.firstChild.style.background = `linear-gradient(to right, ${stops})`;
  }

  /** Frame the pixel and its window, and write out the products. */
  showPixel() {
    if (!this.output) return;
    const { state, side, kernelSize: size, output } = this;
    const place = this.outputOf(this.at);
    const [y, x] = [place[0] * state.stride - output.top, place[1] * state.stride - output.left];
    this.frame(this.input.frame, side, side, x, y, size);
    this.frame(this.result.frame, output.W, output.H, place[1], place[0], 1);
    let sum = 0;
    this.products.style.setProperty("--size", size);
    this.products.replaceChildren(...this.used.map((weight, at) => {
      const [row, column] = [y + Math.floor(at / size), x + (at % size)];
      const inside = row >= 0 && column >= 0 && row < side && column < side;
      const pixel = inside ? this.image[row * side + column] : 0;
      sum += pixel * weight;
      const lines = [formatNumber(pixel), `× ${formatNumber(weight)}`, `= ${formatNumber(pixel * weight)}`];
      const ground = inside ? greyColour(pixel) : [255, 243, 214];
      return element("div", { class: inside ? false : "playground-zero", style: `background: rgb(${ground}); color: ${inkOn(ground)}` },
        lines.map((line) => element("span", {}, `${line} `)));
    }));
    this.live.textContent = this.sentence(place, [y, x], sum, output.values[place[0] * output.W + place[1]]);
  }

  sentence(place, start, sum, value) {
    const { divisor, display } = this.state;
    const outside = start.some((from) => from < 0 || from + this.kernelSize > this.side);
    const divided = divisor === 1 ? "" : ` Divided by ${formatNumber(divisor)}: ${formatNumber(value)}.`;
    const shown = display === "signed" ? "" : value < 0 ? " Below 0: shown as black." : value > 1 ? " Above 1: shown as white." : "";
    return `Output row ${place[0]}, column ${place[1]}: the ${this.used.length} products add up to ${formatNumber(sum)}.${divided}${shown}${outside ? " Yellow: padded zeros." : ""}`;
  }

  frame(svg, W, H, x, y, size) {
    svg.setAttribute("viewBox", `0 0 ${W} ${H}`);
    for (const rect of svg.children) for (const [name, value] of Object.entries({ x, y, width: size, height: size })) rect.setAttribute(name, value);
  }
}

installStyle(`
.playground-columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); gap: 1rem; margin-top: 1rem; }
.playground-columns > *, .playground-kernel > * { min-width: 0 !important; }
.living-figure .playground-columns figure { width: auto; margin: 0; padding: 0; }
.playground-pad { position: relative; aspect-ratio: 1; background: #808080; cursor: crosshair; }
.playground-pad canvas { height: 100%; }
.playground-pad svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; pointer-events: none; }
[data-closed] :is(canvas, svg, figcaption, .playground-legend) { display: none !important; }
[data-closed] .playground-pad { background: var(--pst-color-surface); border: 2px dashed var(--pst-color-text-muted); }
[data-closed] .playground-pad::after { content: "?"; position: absolute; inset: 0; display: grid; place-content: center; font-size: 4rem; color: var(--pst-color-text-muted); }
.playground-legend { display: flex; flex-wrap: wrap; justify-content: space-between; font-size: 0.9rem; }
.playground-legend div { width: 100%; height: 0.75rem; border: 1px solid var(--pst-color-text-muted); }
.living-figure .playground-columns > fieldset > legend { margin-bottom: 0.5rem; }
.playground-kernel { display: grid; grid-template-columns: repeat(var(--size), minmax(0, 4.5rem)); gap: 0.25rem; margin: 0.25rem 0 0.5rem; }
.living-figure .playground-kernel input { width: 100%; padding: 0.25rem; text-align: center; appearance: textfield; }
.playground-kernel input::-webkit-inner-spin-button { display: none; }
.living-figure .figure-field input { width: 6rem; }
.playground-products { display: grid; grid-template-columns: repeat(var(--size), minmax(0, 1fr)); gap: 1px; margin: 0.5rem 0; padding: 1px; background: #808080; }
.playground-products div { padding: 0.25rem 0; font-size: 0.75rem; line-height: 1.35; text-align: center; font-variant-numeric: tabular-nums; }
.playground-products span { display: block; }
@media (max-width: 40rem) { .living-figure { padding: 0.75rem; } [data-closed] .playground-pad { aspect-ratio: 3; } }
.playground-columns fieldset > p:not(:empty) { margin-top: 0.5rem; }
`);

customElements.define("kernel-playground", KernelPlayground);
