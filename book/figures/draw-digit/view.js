// Draw a digit: the reader's digit through a trained network, layer by layer, live. With the
// attribute `compact` the maps are folded away.

import { digitBars } from "../shared/bars.js";
import { BOARD, greyColour, MARK, paint } from "../shared/colour.js";
import {
  ARROWS, button, cellUnder, choice, numberField, sampleButtons,
} from "../shared/controls.js";
import { element, uniqueId } from "../shared/element.js";
import { Figure } from "../shared/figure.js";
import { clamp, formatNumber, range } from "../shared/numbers.js";
import { _ } from "../shared/words.js";
import {
  addressOf, fieldIn, forward, isBlob, isSeveral, judge, NAMES, preprocessSteps, readNetwork,
  sheetOf, sheetPixels, sheetPlace, sheetValue, SIDE, stateFrom,
} from "./model.js";

const PEN = 22; // pixels
const GRID = 28; // places of the keyboard's pen along a side
const NEAR = 2; // pixels that a stroke has to move before it is worth a point
const SHEET = 640; // about how many pixels wide the maps of a layer are

class DrawDigit extends Figure {
  static names = NAMES;
  static stateFrom = stateFrom;
  static addressOf = addressOf;

  cursor = [14, 14]; // the keyboard's pen: column, row
  penDown = false;

  async load() {
    const response = await fetch(new URL("./network.safetensors", import.meta.url));
    if (!response.ok) throw new Error(`network.safetensors: ${response.status}`);
    this.network = readNetwork(await response.arrayBuffer());
  }

  question() {
    return this.result.steps && !this.result.several && {
      question: _("Which digit will the network say?"),
      answers: [..."0123456789"],
      right: this.result.answer,
      explain: this.said(),
    };
  }

  /** The network's answer in words. */
  said() {
    const { answer, shares, several, doubtful } = this.result;
    if (several) return _("More than one digit: draw one alone.");
    const words = { answer, share: formatNumber(100 * shares[answer], 1) };
    const said = _("The network says {answer}, with {share} %.", words);
    const doubt = _("But this is unlike the digits that it knows: is it one?");
    return doubtful ? `${said} ${doubt}` : said;
  }

  // ---- Build -----------------------------------------------------------------------------------

  build() {
    const hint = uniqueId("hint");
    this.pad = element("canvas", {
      class: "pad", width: SIDE, height: SIDE, tabindex: 0, role: "application",
      "aria-label": _("Drawing field"), "aria-describedby": hint,
    });
    this.ink = element("canvas", { width: SIDE, height: SIDE })
      .getContext("2d", { willReadFrequently: true });
    this.listen();
    this.status = element("p", { class: "status", "aria-live": "polite" });
    this.bars = digitBars();
    const note = (text, attributes = {}) => element("p", { class: "note", ...attributes }, text);
    const row = (...children) => element("div", { class: "figure-row" }, ...children);
    const samples = sampleButtons((n) => this.finish({ digit: n, ink: [] }));
    this.append(
      element("div", { class: "panes" },
        element("div", { class: "draw" }, this.pad,
          row(button(_("Clear"), () => this.finish({ digit: null, ink: [] })),
            button(_("Undo stroke"), () => this.undo()))),
        element("div", { class: "answer" }, this.gate, this.status, this.bars.root,
          note(_("It does not learn from your drawing: its {weights} weights were fixed when it " +
            "was trained, and do not change.",
          { weights: this.network.weights.toLocaleString("en") }))),
        element("div", { class: "more" },
          note(_("Draw with a finger, a pen or the mouse. With the keyboard: arrow keys move the " +
            "pen, space puts it down or lifts it."), { id: hint }),
          note(_("Or take a test digit of MNIST:")), samples)),
      this.buildSteps(), this.buildInside());
  }

  buildSteps() {
    const { side } = this.network;
    this.crop = picture(side, _("Your ink, cut to its box"));
    this.scaled = picture(side, _("The same, its longer side scaled to 20 pixels"));
    this.input = picture(side, _("The network's input, {side} by {side} pixels, the centre of " +
      "mass in the middle", { side }));
    this.captions = range(3, () => element("figcaption"));
    const canvases = [this.crop, this.scaled, this.input];
    return element("div", { class: "steps" }, canvases.map((canvas, n) =>
      element("figure", {}, element("div", { class: "frame" }, canvas), this.captions[n])));
  }

  buildInside() {
    const names = layerNames();
    this.layer = choice(_("Layer"), names, (layer) => this.lookAt([layer, ...this.place]));
    this.fields = [_("Map"), _("Row"), _("Column")].map((label, n) => numberField(label, {
      min: 0, step: 1, onInput: (text) => this.type(n, text),
    }));
    this.view = picture(SIDE, _("The network's input; a frame marks what the chosen value sees"));
    this.seen = element("p", { "aria-live": "polite" });
    const figures = this.network.layers.map((layer) => {
      const canvas = picture(8, _("Maps of {layer}", { layer: names[layer.name] }),
        { class: "map", "data-layer": layer.name, onclick: (event) => this.pick(layer, event) });
      this.maps = { ...this.maps, [layer.name]: canvas };
      return element("figure", {}, element("figcaption", {},
        element("strong", {}, names[layer.name]), ": ", captionOf(layer)), canvas);
    });
    return element("details", { class: "inside", open: !this.hasAttribute("compact") },
      element("summary", {}, _("Look inside: what each layer makes of it")),
      element("p", {}, _("Black is 0, white the largest value of the layer. Click a pixel of a " +
        "map, or type its place, to see which part of the input it comes from.")),
      element("div", { class: "pick" }, this.layer.root,
        element("div", { class: "figure-row" }, this.fields.map(({ root }) => root))),
      element("div", { class: "look" }, this.view, this.seen), figures);
  }

  // ---- What the reader does --------------------------------------------------------------------

  listen() {
    const { pad } = this;
    const point = ({ clientX, clientY }) => {
      const { left, top, width, height } = pad.getBoundingClientRect();
      return [((clientX - left) / width) * SIDE, ((clientY - top) / height) * SIDE];
    };
    const down = (event) => {
      if (event.button !== 0 || this.pointer !== undefined) return;
      event.preventDefault();
      pad.focus({ preventScroll: true });
      pad.setPointerCapture(event.pointerId);
      this.pointer = event.pointerId;
      this.keys = this.penDown = false;
      this.begin(point(event));
    };
    const move = (event) => {
      if (event.pointerId !== this.pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length ? events : [event]) this.extend(point(each));
    };
    const up = (event) => {
      if (event.pointerId !== this.pointer) return;
      this.pointer = undefined;
      this.finish();
    };
    const keys = (shown) => {
      this.keys = shown;
      this.penDown &&= shown;
      this.renderPad();
    };
    const handlers = {
      pointerdown: down, pointermove: move, pointerup: up, pointercancel: up,
      keydown: (event) => this.press(event), blur: () => keys(false),
      focus: () => keys(pad.matches(":focus-visible")),
    };
    for (const [name, handle] of Object.entries(handlers)) pad.addEventListener(name, handle);
  }

  /** Arrow keys move the pen over a grid; space puts it down and lifts it. */
  press(event) {
    const move = ARROWS[event.key];
    if (event.ctrlKey || event.altKey || event.metaKey || (!move && event.key !== " ")) return;
    event.preventDefault();
    this.keys = true;
    if (move) {
      this.cursor = this.cursor.map((at, n) => clamp(at + move[1 - n], 0, GRID - 1));
      if (!this.penDown) this.renderPad();
      else this.extend(this.penAt());
      if (this.penDown && !this.asking) this.finish();
    } else {
      this.penDown = !this.penDown;
      if (this.penDown) this.begin(this.penAt());
      else this.finish();
    }
  }

  /** Where the keyboard's pen is on the pad: [x, y]. */
  penAt() {
    return this.cursor.map((at) => ((at + 0.5) * SIDE) / GRID);
  }

  begin(point) {
    this.state.digit = null;
    this.state.ink.push([point]);
    this.soon();
  }

  extend(point) {
    const stroke = this.state.ink.at(-1);
    const last = stroke.at(-1);
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) < NEAR) return;
    stroke.push(point);
    this.soon();
  }

  /** Show a stroke that goes on, once before the next frame; it is not spoken of yet. */
  soon() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = undefined;
      this.compute();
      this.renderDrawing();
    });
  }

  /** A stroke is complete, or something is taken in its place: say what the network says. */
  finish(some = {}) {
    if (this.waiting) cancelAnimationFrame(this.waiting);
    this.waiting = undefined;
    if ("ink" in some) this.penDown = false;
    if (!this.asking) this.gate.replaceChildren(); // what it said about the prediction
    this.change(some);
  }

  undo() {
    const { ink } = this.state;
    this.finish({ digit: null, ink: ink.slice(0, -1) });
  }

  /** Choose a value of a map: [layer, map, row, column]. */
  lookAt(field) {
    this.change({ field: fieldIn(this.network, field) });
  }

  /** Choose by a field: number n of map, row and column. */
  type(n, text) {
    if (/^\d+$/.test(text)) this.lookAt([this.state.field[0], ...this.place.with(n, Number(text))]);
  }

  pick(layer, event) {
    const { W, H } = sheetOf(layer);
    const place = sheetValue(layer, cellUnder(this.maps[layer.name], event, H, W));
    if (place) this.lookAt([layer.name, ...place]);
  }

  // ---- What follows from the state -------------------------------------------------------------

  /** The chosen [map, row, column]. */
  get place() {
    return this.state.field.slice(1);
  }

  /** Return a sample as numbers in 0..1. */
  sample(n) {
    return Float32Array.from(this.network.samples[n], (byte) => byte / 255);
  }

  /** Return what is drawn as [numbers in 0..1, their width], or null. */
  drawing() {
    const { digit, ink } = this.state;
    if (digit !== null) return [this.sample(digit), this.network.side];
    if (!ink.length) return null;
    drawStrokes(this.ink, ink);
    const { data } = this.ink.getImageData(0, 0, SIDE, SIDE);
    return [Float32Array.from({ length: SIDE * SIDE }, (unused, n) => data[4 * n] / 255), SIDE];
  }

  compute() {
    const { side } = this.network;
    const drawing = this.drawing();
    const steps = drawing && preprocessSteps(drawing[0], drawing[1], drawing[1], side);
    const { logits, maps } = forward(this.network, steps?.image ?? new Float32Array(side * side));
    const several = steps !== null && this.state.digit === null
      && isSeveral(...drawing, drawing[1]);
    const said = judge(this.network, logits);
    said.doubtful ||= steps !== null && isBlob(steps.scaled);
    if (!steps || several) said.shares = new Array(10).fill(0);
    this.state.field = fieldIn(this.network, this.state.field);
    this.result = { steps, maps, several, ...said };
  }

  // ---- Show ------------------------------------------------------------------------------------

  render() {
    this.renderDrawing();
    const { steps, several } = this.result;
    this.status.textContent = steps
      ? (this.asking && !several ? "" : this.said())
      : (this.asking ? _("Draw a digit, then guess what the network will say.")
        : _("Draw a digit."));
  }

  /** Show everything but the sentence about it. */
  renderDrawing() {
    this.renderPad();
    this.renderSteps();
    this.renderBars();
    this.renderMaps();
    this.renderField();
  }

  renderPad() {
    const { digit, ink } = this.state;
    const context = this.pad.getContext("2d");
    context.imageSmoothingEnabled = false;
    if (digit === null) drawStrokes(context, ink);
    else {
      const small = document.createElement("canvas");
      paint(small, this.sample(digit), this.network.side, this.network.side, greyColour);
      context.drawImage(small, 0, 0, SIDE, SIDE);
    }
    if (this.keys) this.renderPen(context);
    else if (digit === null && !ink.length) invite(context);
  }

  /** Draw the keyboard's pen: a ring, filled while it is down. */
  renderPen(context) {
    Object.assign(context, { strokeStyle: MARK, fillStyle: MARK, lineWidth: 3 });
    context.beginPath();
    context.arc(...this.penAt(), PEN / 2, 0, 2 * Math.PI);
    if (this.penDown) context.fill();
    else context.stroke();
  }

  renderSteps() {
    const { side } = this.network;
    const { steps } = this.result;
    const pixel = { width: 1, height: 1 };
    const { box, crop, scaled, image } = steps ?? {
      box: pixel, crop: [0], scaled: { ...pixel, values: [0] }, image: new Float32Array(side ** 2),
    };
    paint(this.crop, crop, box.height, box.width, greyColour);
    paint(this.scaled, scaled.values, scaled.height, scaled.width, greyColour);
    paint(this.input, image, side, side, greyColour);
    for (const canvas of [this.crop, this.scaled]) {
      canvas.classList.toggle("landscape", canvas.width > canvas.height);
    }
    const captions = stepCaptions(steps, side);
    this.captions.forEach((caption, n) => { caption.textContent = captions[n]; });
  }

  renderBars() {
    const { shares, steps, several, answer } = this.result;
    if (this.asking) this.bars.show(null);
    else this.bars.show(shares, steps && !several && answer);
  }

  /** Draw each layer's maps side by side, and mark the chosen value. */
  renderMaps() {
    for (const [name, computed] of Object.entries(this.result.maps)) {
      const layer = this.result.steps ? computed : blank(computed);
      const { W, H } = sheetOf(layer);
      const unit = Math.round(SHEET / W);
      const small = document.createElement("canvas");
      const canvas = this.maps[name];
      const context = canvas.getContext("2d");
      paint(small, sheetPixels(layer), H, W, greyColour);
      Object.assign(canvas, { width: W * unit, height: H * unit });
      context.imageSmoothingEnabled = false;
      context.drawImage(small, 0, 0, canvas.width, canvas.height);
      if (name === this.state.field[0]) {
        const [y, x] = sheetPlace(layer, this.place).map((at) => at * unit - 1.5);
        Object.assign(context, { strokeStyle: MARK, lineWidth: 3 });
        context.strokeRect(x, y, unit + 3, unit + 3);
      }
    }
  }

  /** Say what the chosen value is and what it sees, and frame that in the input. */
  renderField() {
    const [name, map, row, column] = this.state.field;
    const { channels, size, reach, jump } = this.network.layers.find((one) => one.name === name);
    const [top, left] = [row * jump, column * jump];
    const unit = SIDE / this.network.side;
    const context = this.view.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(this.input, 0, 0, SIDE, SIDE);
    Object.assign(context, { strokeStyle: MARK, lineWidth: 4 });
    context.strokeRect(left * unit + 2, top * unit + 2, reach * unit - 4, reach * unit - 4);
    this.layer.show(name);
    this.fields.forEach(({ input }, n) => {
      input.max = n ? size - 1 : channels - 1;
      if (Number(input.value) !== this.place[n] || !input.value) input.value = this.place[n];
    });
    const value = this.result.maps[name].values[(row * size + column) * channels + map];
    this.seen.textContent = _("{layer}, map {map}, row {row}, column {column}: {value}. It sees " +
      "rows {top} to {bottom} and columns {left} to {right} of the input, framed here.", {
      layer: layerNames()[name], map, row, column, value: formatNumber(value), top, left,
      bottom: top + reach - 1, right: left + reach - 1,
    });
  }
}

// ---- Words -------------------------------------------------------------------------------------

function layerNames() {
  return {
    conv1: _("convolution 1"), pool1: _("pooling 1"), conv2: _("convolution 2"),
    pool2: _("pooling 2"),
  };
}

/** Say what the maps of a layer are. */
function captionOf({ name, channels, size, window }) {
  const words = { maps: channels, size, window, numbers: channels * size * size };
  return {
    conv1: _("{maps} maps of {size} × {size}: where each of {maps} kernels of {window} × " +
      "{window} found what it looks for", words),
    pool1: _("{maps} maps of {size} × {size}: the largest of each {window} × {window}", words),
    conv2: _("{maps} maps of {size} × {size}: patterns of patterns", words),
    pool2: _("{maps} maps of {size} × {size}; their {numbers} numbers vote on the ten digits",
      words),
  }[name];
}

/** Say what the three steps of the preprocessing did; without a drawing, what they will do. */
function stepCaptions(steps, side) {
  if (!steps) {
    return [
      _("1. Cut out the ink"), _("2. Longer side to 20 pixels"),
      _("3. Centre of mass to the middle of {side} × {side}", { side }),
    ];
  }
  const { box, scaled, offset } = steps;
  return [
    _("1. Cut out the ink: {height}\u00a0×\u00a0{width}", box),
    _("2. Longer side to 20 pixels: {height}\u00a0×\u00a0{width}", scaled),
    _("3. Centre of mass to the middle of {side} × {side}, so it starts at row {top}, column " +
      "{left}", { side, ...offset }),
  ];
}

// ---- Canvases ----------------------------------------------------------------------------------

/** Return a canvas with an accessible name. */
function picture(width, label, attributes = {}) {
  return element("canvas",
    { width, height: width, role: "img", "aria-label": label, ...attributes });
}

/** Return a layer's maps without what biases alone make of an empty drawing. */
function blank(layer) {
  return { ...layer, values: new Float32Array(layer.values.length) };
}

/** Draw strokes in white on a black context. */
function drawStrokes(context, strokes) {
  context.fillStyle = BOARD.ground;
  context.fillRect(0, 0, SIDE, SIDE);
  Object.assign(context,
    { strokeStyle: BOARD.ink, lineWidth: PEN, lineCap: "round", lineJoin: "round" });
  for (const stroke of strokes) {
    context.fillStyle = BOARD.ink;
    context.beginPath(); // a tap is a dot: a line without length leaves no ink
    context.arc(...stroke[0], PEN / 2, 0, 2 * Math.PI);
    context.fill();
    context.beginPath();
    context.moveTo(...stroke[0]);
    for (const point of stroke.slice(1)) context.lineTo(...point);
    context.stroke();
  }
}

/** Write into the empty field what it is for. */
function invite(context) {
  Object.assign(context, { fillStyle: BOARD.words, font: "20px sans-serif", textAlign: "center" });
  context.fillText(_("Draw a digit here"), SIDE / 2, SIDE / 2);
}

customElements.define("draw-digit", DrawDigit);
