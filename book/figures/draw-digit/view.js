// Draw a digit: <draw-digit>, the reader's digit through the trained network of digit-network.js, live. With the attribute
// `compact` the maps are folded away. State in the address: ?digit=7 (a sample) or ?ink=... (a drawing), &field=conv2,5,3,4.

import { ARROWS, button, cellUnder, choice, clamp, COLOURS, element, formatNumber, greyColour, installStyle, LETTERS, numberField, paint, predictionGate,
  readState, uniqueId, writeState } from "./figure.js";
import { forward, loadNetwork, preprocess, preprocessSteps, readNetwork, receptiveField, softmax } from "./digit-network.js";

export { forward, loadNetwork, preprocess, preprocessSteps, readNetwork, receptiveField, softmax };

const SIDE = 280, PEN = 22, GRID = 28;
const LAYERS = { conv1: "convolution 1", pool1: "pooling 1", conv2: "convolution 2", pool2: "pooling 2" };
const PER_ROW = { conv1: 6, pool1: 6, conv2: 12, pool2: 12 };
const HINT = "Draw with a finger, a pen or the mouse. With the keyboard: arrow keys move the pen, space puts it down or lifts it.";

/** Write strokes, lists of [x, y] in 0..280, as text for the address: two letters a point, a dot between strokes. */
export function encodeInk(strokes) {
  return strokes.map((stroke) => stroke.map((point) => point.map((v) => LETTERS[Math.round(clamp(v / SIDE, 0, 1) * 63)]).join("")).join("")).join(".");
}

/** Read strokes back; null for anything that is no drawing. */
export function decodeInk(text) {
  if (!/^([\w-]{2})+(\.([\w-]{2})+)*$/.test(text ?? "") || text.length > 4000) return null;
  return text.split(".").map((stroke) => stroke.match(/../g).map((pair) => [...pair].map((letter) => LETTERS.indexOf(letter) / 63 * SIDE)));
}

/** Draw strokes in white on a black context of 280 by 280. */
function drawStrokes(context, strokes) {
  context.fillStyle = "black";
  context.fillRect(0, 0, SIDE, SIDE);
  Object.assign(context, { strokeStyle: "white", lineWidth: PEN, lineCap: "round", lineJoin: "round" });
  for (const stroke of strokes) {
    context.beginPath();
    context.moveTo(...stroke[0]);
    for (const point of stroke.length > 1 ? stroke.slice(1) : stroke) context.lineTo(...point);
    context.stroke();
  }
}

/** Write into the empty field what it is for. */
function invite(context) {
  context.fillStyle = "#b8b8b8";
  context.font = "20px sans-serif";
  context.textAlign = "center";
  context.fillText("Draw a digit here", SIDE / 2, SIDE / 2);
}

/** Return a canvas with an accessible name. */
function picture(width, label, attributes = {}) {
  return element("canvas", { width, height: width, role: "img", "aria-label": label, ...attributes });
}

class DrawDigit extends HTMLElement {
  async connectedCallback() {
    if (this.pad) return;
    Object.assign(this, { strokes: [], sample: null, field: ["conv1", 0, 11, 11], cursor: [14, 14], penDown: false, revealed: false });
    this.build();
    try {
      this.network = await loadNetwork();
    } catch (error) {
      this.status.textContent = "The network could not be loaded, so this figure cannot answer. Please load the page again.";
      return;
    }
    this.restore();
    this.finish(false);
    this.dataset.ready = "";
  }

  // ---- What is on the page ----

  build() {
    this.classList.add("living-figure", "draw-digit");
    const hint = uniqueId("hint");
    this.pad = element("canvas", { class: "digit-pad", width: SIDE, height: SIDE, tabindex: 0, role: "application", "aria-label": "Drawing field", "aria-describedby": hint });
    this.ink = element("canvas", { width: SIDE, height: SIDE }).getContext("2d", { willReadFrequently: true });
    this.listen();
    const samples = Array.from({ length: 10 }, (_, n) => button(String(n), () => this.take(n), { "aria-label": `${n}: a test digit` }));
    this.gate = element("div", { class: "digit-gate" });
    this.status = element("p", { class: "digit-status", "aria-live": "polite" }, "Loading the network.");
    this.bars = Array.from({ length: 10 }, (_, n) => element("li", {}, element("span", {}, String(n)),
      element("span", { class: "digit-bar" }, element("span")), element("span", { class: "digit-share" }, "0.0 %")));
    this.append(element("div", { class: "digit-top" },
      element("div", { class: "digit-draw" }, this.pad,
        element("div", { class: "figure-row" }, button("Clear", () => this.clear()), button("Undo stroke", () => this.undo()))),
      element("div", { class: "digit-answer" }, this.gate, this.status, element("ol", { class: "digit-bars", "aria-label": "Probabilities" }, this.bars),
        element("p", { class: "digit-note" }, "It does not learn from your drawing: its 11,386 weights were fixed when it was trained, and do not change.")),
      element("div", { class: "digit-more" }, element("p", { id: hint, class: "digit-note" }, HINT),
        element("p", { class: "digit-note" }, "Or take a test digit of MNIST:"),
        element("div", { class: "digit-samples", role: "group", "aria-label": "Samples from MNIST's test set" }, samples))),
    this.buildSteps(), this.buildMaps());
    for (const child of [...this.childNodes]) if (!child.className?.startsWith?.("digit-")) child.remove(); // the fallback
  }

  buildSteps() {
    this.crop = picture(28, "Your ink, cut to its box");
    this.scaled = picture(28, "The same, its longer side scaled to 20 pixels");
    this.input = picture(28, "The network's input, 28 by 28 pixels, the centre of mass in the middle");
    this.captions = ["1. Cut out the ink", "2. Longer side to 20 pixels", "3. Centre of mass to the middle of 28 × 28"].map((text) => element("figcaption", {}, text));
    return element("div", { class: "digit-steps" }, [this.crop, this.scaled, this.input].map((canvas, n) => element("figure", {}, element("div", { class: "digit-frame" }, canvas), this.captions[n])));
  }

  buildMaps() {
    this.maps = Object.fromEntries(Object.keys(LAYERS).map((layer) => [layer,
      picture(8, `Maps of ${LAYERS[layer]}`, { class: "digit-map", onclick: (event) => this.pick(layer, event) })]));
    this.layerChoice = choice("Layer", LAYERS, { value: "conv1", onChange: (layer) => this.look([layer, ...this.field.slice(1)]) });
    this.fields = ["Map", "Row", "Column"].map((label, n) => numberField(label, { value: this.field[n + 1], min: 0, step: 1,
      onInput: (text) => { if (/^\d+$/.test(text)) this.look(this.field.with(n + 1, Number(text)), n); } }));
    this.view = picture(SIDE, "The network's input; a frame marks what the chosen value sees");
    this.seen = element("p", { "aria-live": "polite" });
    const captions = { conv1: "12 maps of 24 × 24: where each of 12 kernels of 5 × 5 found what it looks for", pool1: "12 maps of 12 × 12: the largest of each 2 × 2",
      conv2: "24 maps of 8 × 8: patterns of patterns", pool2: "24 maps of 4 × 4; their 384 numbers vote on the ten digits" };
    return element("details", { class: "digit-inside", open: !this.hasAttribute("compact") }, element("summary", {}, "Look inside: what each layer makes of it"),
      element("p", {}, "Black is 0, white the largest value of the layer. Click a pixel of a map, or type its place, to see which part of the input it comes from."),
      element("div", { class: "digit-pick" }, this.layerChoice.root, element("div", { class: "figure-row" }, this.fields.map(({ root }) => root))),
      element("div", { class: "digit-look" }, this.view, this.seen),
      Object.keys(LAYERS).map((layer) => element("figure", {}, element("figcaption", {}, element("strong", {}, LAYERS[layer]), `: ${captions[layer]}`), this.maps[layer])));
  }

  // ---- Drawing: pointer, touch, keyboard, samples ----

  listen() {
    const { pad } = this;
    const point = (event) => {
      const box = pad.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width * SIDE, (event.clientY - box.top) / box.height * SIDE];
    };
    pad.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || this.pointer !== undefined) return;
      event.preventDefault();
      pad.focus({ preventScroll: true });
      pad.setPointerCapture(event.pointerId);
      this.pointer = event.pointerId;
      this.keys = this.penDown = false;
      this.begin(point(event));
    });
    pad.addEventListener("pointermove", (event) => {
      if (event.pointerId !== this.pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length ? events : [event]) this.extend(point(each));
    });
    const end = (event) => {
      if (event.pointerId !== this.pointer) return;
      this.pointer = undefined;
      this.finish();
    };
    pad.addEventListener("pointerup", end);
    pad.addEventListener("pointercancel", end);
    pad.addEventListener("keydown", (event) => this.press(event));
    pad.addEventListener("blur", () => { this.keys = this.penDown = false; this.show(); });
    pad.addEventListener("focus", () => { this.keys = pad.matches(":focus-visible"); this.show(); });
  }

  begin(point) {
    if (this.sample !== null) this.sample = null;
    this.strokes.push([point]);
    this.soon();
  }

  extend(point) {
    const stroke = this.strokes.at(-1), last = stroke.at(-1);
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) < 2) return;
    stroke.push(point);
    this.soon();
  }

  /** Arrow keys move the pen over a grid of 28 by 28; space puts it down and lifts it. */
  press(event) {
    const move = ARROWS[event.key];
    if (event.ctrlKey || event.altKey || event.metaKey || (!move && event.key !== " ")) return;
    event.preventDefault();
    this.keys = true;
    const at = () => this.cursor.map((v) => (v + 0.5) * SIDE / GRID);
    if (move) {
      this.cursor = this.cursor.map((v, n) => clamp(v + move[1 - n], 0, GRID - 1));
      if (this.penDown) this.extend(at());
      else this.show();
      if (this.penDown && this.revealed) this.finish();
    } else {
      this.penDown = !this.penDown;
      if (this.penDown) this.begin(at());
      else this.finish();
    }
  }

  take(n) {
    Object.assign(this, { strokes: [], sample: n, penDown: false });
    this.finish();
  }

  clear() {
    Object.assign(this, { strokes: [], sample: null, penDown: false });
    this.finish();
  }

  undo() {
    if (this.sample !== null) return this.clear();
    this.strokes.pop();
    this.penDown = false;
    this.finish();
  }

  // ---- State ----

  restore() {
    const { digit, ink, field } = readState(["digit", "ink", "field"]);
    const strokes = decodeInk(ink);
    if (/^\d$/.test(digit ?? "")) this.sample = Number(digit);
    else if (strokes) this.strokes = strokes;
    const [layer, ...place] = (field ?? "").split(",");
    if (Object.hasOwn(LAYERS, layer) && place.length === 3 && place.every((text) => /^\d{1,2}$/.test(text))) this.field = [layer, ...place.map(Number)];
    this.revealed = this.sample !== null || this.strokes.length > 0; // a shared address shows its answer
  }

  // ---- Work and show ----

  /** Refresh once before the next frame. */
  soon() {
    this.waiting ??= requestAnimationFrame(() => { this.waiting = undefined; this.refresh(); });
  }

  /** Return the drawing as numbers in 0..1: {gray, width}; gray is null where nothing is drawn. */
  gray() {
    if (this.sample === null && !this.strokes.length) return { gray: null, width: SIDE };
    if (this.sample !== null) return { gray: Float32Array.from(this.network.samples[this.sample], (byte) => byte / 255), width: 28 };
    drawStrokes(this.ink, this.strokes);
    const { data } = this.ink.getImageData(0, 0, SIDE, SIDE);
    return { gray: Float32Array.from({ length: SIDE * SIDE }, (_, n) => data[4 * n] / 255), width: SIDE };
  }

  /** Run the network on what is drawn, and show all of it. */
  refresh() {
    if (!this.network) return;
    const { gray, width } = this.gray();
    this.steps = gray && preprocessSteps(gray, width, width);
    this.result = forward(this.network, this.steps?.image ?? new Float32Array(784));
    this.shares = this.steps ? softmax(this.result.logits) : new Array(10).fill(0);
    this.answer = this.shares.indexOf(Math.max(...this.shares));
    this.show();
  }

  /** A stroke is complete: say what the network says, or ask for a prediction first. */
  finish(write = true) {
    if (!this.network) return;
    if (this.waiting) { cancelAnimationFrame(this.waiting); this.waiting = undefined; }
    this.refresh();
    if (write) writeState({ digit: this.sample, ink: this.strokes.length ? encodeInk(this.strokes) : null });
    this.gate.replaceChildren();
    const share = formatNumber(100 * this.shares[this.answer], 1);
    const said = `The network says ${this.answer}, with ${share} %.`;
    if (!this.steps) this.status.textContent = this.revealed ? "Draw a digit." : "Draw a digit, then guess what the network will say.";
    else if (this.revealed) this.status.textContent = said;
    else {
      this.status.textContent = "";
      predictionGate(this.gate, { question: "Which digit will the network say?", answers: [..."0123456789"], right: this.answer, explain: said,
        onDone: () => { this.revealed = true; this.show(); } });
    }
  }

  show() {
    const context = this.pad.getContext("2d");
    context.imageSmoothingEnabled = false;
    if (this.sample !== null && this.network) {
      const small = document.createElement("canvas");
      paint(small, Float32Array.from(this.network.samples[this.sample], (byte) => byte / 255), 28, 28, greyColour);
      context.drawImage(small, 0, 0, SIDE, SIDE);
    } else drawStrokes(context, this.strokes);
    if (this.sample === null && !this.strokes.length && !this.keys) invite(context);
    if (this.keys) this.showCursor(context);
    if (!this.result) return;
    this.showSteps();
    this.classList.toggle("digit-asking", !this.revealed);
    this.bars.forEach((bar, n) => {
      const text = `${(100 * this.shares[n]).toFixed(1)} %`;
      bar.lastChild.textContent = this.revealed ? text : "?";
      bar.querySelector(".digit-bar > span").style.width = this.revealed ? `${100 * this.shares[n]}%` : 0;
      bar.classList.toggle("digit-best", this.revealed && this.steps !== null && n === this.answer);
    });
    this.showMaps();
    this.showView();
    this.showField();
  }

  /** Draw the keyboard's pen: a ring, filled while it is down. */
  showCursor(context) {
    const [x, y] = this.cursor.map((v) => (v + 0.5) * SIDE / GRID);
    Object.assign(context, { strokeStyle: COLOURS[4], fillStyle: COLOURS[4], lineWidth: 3 });
    context.beginPath();
    context.arc(x, y, PEN / 2, 0, 2 * Math.PI);
    if (this.penDown) context.fill();
    else context.stroke();
  }

  showSteps() {
    const empty = { box: { width: 1, height: 1 }, crop: [0], scaled: { width: 1, height: 1, values: [0] }, image: new Float32Array(784) };
    const { box, crop, scaled, image, offset } = this.steps ?? empty;
    paint(this.crop, crop, box.height, box.width, greyColour);
    paint(this.scaled, scaled.values, scaled.height, scaled.width, greyColour);
    for (const canvas of [this.crop, this.scaled]) canvas.classList.toggle("digit-wide", canvas.width > canvas.height);
    this.captions[0].textContent = `1. Cut out the ink${this.steps ? `: ${box.height}\u00a0×\u00a0${box.width}` : ""}`;
    this.captions[1].textContent = `2. Longer side to 20 pixels${this.steps ? `: ${scaled.height}\u00a0×\u00a0${scaled.width}` : ""}`;
    this.captions[2].textContent = `3. Centre of mass to the middle of 28 × 28${this.steps ? `, so it starts at row ${offset.top}, column ${offset.left}` : ""}`;
    paint(this.input, image, 28, 28, greyColour);
  }

  /** Draw the input once more, with a frame around what the chosen value sees. */
  showView() {
    const context = this.view.getContext("2d"), [layer, , row, column] = this.clamped(), { size, jump } = receptiveField(layer);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.input, 0, 0, SIDE, SIDE);
    Object.assign(context, { strokeStyle: COLOURS[4], lineWidth: 4 });
    context.strokeRect(column * jump * 10 + 2, row * jump * 10 + 2, size * 10 - 4, size * 10 - 4);
  }

  /** Draw each layer's maps side by side, and mark the chosen pixel. */
  showMaps() {
    for (const [layer, { size, channels, values }] of Object.entries(this.result.maps)) {
      const across = PER_ROW[layer], cell = size + 1, width = across * cell - 1, height = channels / across * cell - 1, unit = Math.round(640 / width);
      const largest = values.reduce((a, b) => Math.max(a, b), 1e-9), sheet = new Float32Array(width * height).fill(0.5);
      values.forEach((value, n) => {
        const k = n % channels, at = (n - k) / channels, row = Math.floor(k / across) * cell + Math.floor(at / size), column = (k % across) * cell + at % size;
        sheet[row * width + column] = this.steps ? value / largest : 0;
      });
      const small = document.createElement("canvas"), canvas = this.maps[layer], context = canvas.getContext("2d");
      paint(small, sheet, height, width, greyColour);
      Object.assign(canvas, { width: width * unit, height: height * unit });
      context.imageSmoothingEnabled = false;
      context.drawImage(small, 0, 0, canvas.width, canvas.height);
      if (layer !== this.field[0]) continue;
      const [, k, i, j] = this.clamped();
      Object.assign(context, { strokeStyle: COLOURS[4], lineWidth: 3 });
      context.strokeRect(((k % across) * cell + j) * unit - 1.5, (Math.floor(k / across) * cell + i) * unit - 1.5, unit + 3, unit + 3);
    }
  }

  // ---- Receptive fields ----

  pick(layer, event) {
    const { size, channels } = this.result.maps[layer], across = PER_ROW[layer], cell = size + 1;
    const [row, column] = cellUnder(this.maps[layer], event, channels / across * cell - 1, across * cell - 1);
    if (column % cell === size || row % cell === size) return; // between two maps
    this.look([layer, Math.floor(row / cell) * across + Math.floor(column / cell), row % cell, column % cell]);
  }

  /** Choose a value of a map: [layer, map, row, column]; the field that is being typed into keeps its text. */
  look(field, typing = -1) {
    this.field = field;
    if (!this.result) return;
    writeState({ field: this.clamped().join(",") });
    this.typing = typing;
    this.show();
    this.typing = -1;
  }

  /** Bring the chosen place into the layer. */
  clamped() {
    const [layer, k, i, j] = this.field, { size, channels } = this.result.maps[layer];
    this.field = [layer, Math.min(k, channels - 1), Math.min(i, size - 1), Math.min(j, size - 1)];
    return this.field;
  }

  showField() {
    const [layer, k, i, j] = this.clamped(), { size, channels, values } = this.result.maps[layer], field = receptiveField(layer);
    this.layerChoice.show(layer);
    this.fields.forEach(({ input }, n) => {
      input.max = n ? size - 1 : channels - 1;
      if (n !== this.typing) input.value = this.field[n + 1];
    });
    const value = formatNumber(values[(i * size + j) * channels + k], 3), [top, left] = [i * field.jump, j * field.jump];
    this.seen.textContent = `${LAYERS[layer]}, map ${k}, row ${i}, column ${j}: ${value}. ` +
      `It sees rows ${top} to ${top + field.size - 1} and columns ${left} to ${left + field.size - 1} of the input, framed here.`;
  }
}

installStyle(`
.draw-digit { min-height: 48rem; }
.draw-digit[compact] { min-height: 40rem; }
.draw-digit .digit-top { display: grid; grid-template: "draw answer" auto "more answer" 1fr / minmax(0, 20rem) minmax(0, 1fr); gap: 0.5rem 2rem; margin-bottom: 1rem; }
.draw-digit .digit-answer { grid-area: answer; }
.draw-digit .digit-draw, .draw-digit .digit-more { display: grid; gap: 0.5rem; align-content: start; }
.draw-digit .digit-pad { max-width: 20rem; aspect-ratio: 1; border-radius: 0.25rem; background: black; touch-action: none; cursor: crosshair; image-rendering: auto; }
.draw-digit .digit-samples { display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: 0.5rem; }
.draw-digit .digit-note { margin: 0; font-size: 0.9rem; color: var(--pst-color-text-muted); }
.draw-digit .digit-gate .figure-gate button:not(.figure-skip) { padding: 0.25rem; }
.draw-digit .digit-status { min-height: 1.5em; font-weight: 600; }
.draw-digit .digit-bars { list-style: none; margin: 0 0 0.75rem; padding: 0; }
.draw-digit .digit-bars li { display: grid; grid-template-columns: 1.25rem minmax(0, 1fr) 5rem; gap: 0.5rem; align-items: center; margin: 0; line-height: 1.45; font-variant-numeric: tabular-nums; }
.draw-digit .digit-bar { height: 0.9rem; border: 1px solid var(--pst-color-border); border-radius: 0.2rem; overflow: hidden; }
.draw-digit .digit-bar span { display: block; height: 100%; background: var(--pst-color-primary); }
.draw-digit .digit-share { text-align: right; white-space: nowrap; }
.draw-digit .digit-best { font-weight: 700; }
.draw-digit .digit-steps { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 0.75rem; }
.draw-digit figure { margin: 0 0 0.75rem; }
.draw-digit figcaption { margin: 0.25rem 0; font-size: 0.9rem; text-align: left; color: var(--pst-color-text-base); }
.draw-digit .digit-frame { display: flex; align-items: center; justify-content: center; max-width: 12rem; aspect-ratio: 1; background: black; border-radius: 0.25rem; overflow: hidden; }
.draw-digit .digit-frame canvas { width: auto; height: 100%; }
.draw-digit .digit-frame canvas.digit-wide { width: 100%; height: auto; }
.draw-digit .digit-inside > summary { min-height: 2.75rem; align-content: center; font-weight: 600; }
.draw-digit .digit-pick input[type=number] { width: 4.5rem; }
.draw-digit .digit-look { position: sticky; top: 3.5rem; z-index: 1; display: grid; grid-template-columns: 8rem minmax(0, 1fr); gap: 1rem; align-items: center;
  padding: 0.5rem 0; background: var(--pst-color-surface); }
.draw-digit .digit-look p { margin: 0; min-height: 6em; }
.draw-digit .digit-map { max-width: 40rem; cursor: crosshair; }
@media (max-width: 600px) {
  .draw-digit .digit-top { grid-template: "draw" "answer" "more" / minmax(0, 1fr); }
  .draw-digit .digit-steps { gap: 0.4rem; }
}
`);

customElements.define("draw-digit", DrawDigit);
