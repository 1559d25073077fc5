// Draw a digit: the reader's digit through a trained network, layer by layer, live. With the
// attribute `compact` the maps are folded away, "Explain it" loads explain-digit, and a drawing
// waits in the field to be guessed at.

import { digitBars, percentSaid } from "../shared/bars.js";
import { greyColour, MARK, paint } from "../shared/colour.js";
import { button, cellUnder, choice, numberField } from "../shared/controls.js";
import { element, write } from "../shared/element.js";
import { SIDE } from "../shared/ink.js";
import { formatNumber, range } from "../shared/numbers.js";
import { _ } from "../shared/words.js";
import {
  addressOf, drawingFrom, fieldIn, forward, isBlob, isSeveral, judge, NAMES, preprocessSteps,
  sheetOf, sheetPixels, sheetPlace, sheetValue, stateFrom,
} from "./model.js";
import { DigitFigure } from "./digit-figure.js";

const SHEET = 640; // about how many pixels wide the maps of a layer are
// The drawing that waits in the compact field, as an address has it: one stroke, a 4 or a 9.
const WAITING = "bPZQYSWVVXVaVdVfXhZjcjejhjjilgneobpYqVqTrSrSrUrWqaqdqhpmpqotownynzmz";

class DrawDigit extends DigitFigure {
  static names = NAMES;
  static stateFrom = stateFrom;
  static addressOf = addressOf;

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
    const words = { answer, share: percentSaid(shares[answer]) };
    const said = _("The network says {answer}, with {share}.", words);
    const doubt = _("But this is unlike the digits that it knows: is it one?");
    return doubtful ? `${said} ${doubt}` : said;
  }

  async load() {
    await super.load();
    if (this.hasAttribute("compact") && this.asking) {
      this.waits = drawingFrom({ ink: WAITING }).ink;
      this.state.ink = this.waits;
    }
  }

  /** The reader's first stroke takes the place of the drawing that waits. */
  begin(point) {
    if (this.state.ink === this.waits) this.state.ink = [];
    super.begin(point);
  }

  // ---- Build -----------------------------------------------------------------------------------

  build() {
    const [draw, more] = this.buildPad();
    this.status = element("p", { class: "status", "aria-live": "polite" });
    this.bars = digitBars();
    this.explainer = this.hasAttribute("compact") && button(_("Explain it"),
      async () => (await this.explain()).focus());
    this.append(
      element("div", { class: "panes" }, draw,
        element("div", { class: "answer" }, this.gate, this.status, this.explainer, this.bars.root,
          element("p", { class: "note" }, _("It does not learn from your drawing: its {weights} " +
            "weights were fixed when it was trained, and do not change.",
          { weights: this.network.weights.toLocaleString("en") }))),
        more),
      this.buildSteps(), this.buildInside());
    if (this.explainer && /[?&](why|erase|attack)=/.test(location.search)) this.explain();
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

  /** Have what is drawn explained below the field; return the figure that does it. */
  async explain() {
    const { explainBelow } = await import("../explain-digit/view.js");
    this.explainer.remove();
    return explainBelow(this.querySelector(".panes"));
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
    if (this.explainer) this.explainer.hidden = this.asking || !steps || several;
    write(this.status, this.statusLine());
    this.status.classList.toggle("spoken", this.asking && steps !== null && !several);
  }

  /** What the line below the question says; the question itself says the answer it has had. */
  statusLine() {
    const { steps, several } = this.result;
    if (!steps) {
      return this.asking ? _("Draw a digit, then guess what the network will say.")
        : _("Draw a digit.");
    }
    if (this.asking && !several) return _("Now guess what it will say.");
    if (!this.asking && this.state.ink === this.waits) {
      return _("Now draw a digit of your own over it.");
    }
    return this.isSaid ? "" : this.said();
  }

  /** Show everything but the sentence about it. */
  renderDrawing() {
    this.renderPad();
    this.renderSteps();
    this.renderBars();
    this.renderMaps();
    this.renderField();
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
    for (const [name, layer] of Object.entries(this.result.maps)) {
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

customElements.define("draw-digit", DrawDigit);
