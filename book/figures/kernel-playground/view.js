// Kernel playground: slide an editable kernel over the photograph or a drawing, and read the
// arithmetic of one pixel.

import { divergingColour, greyColour, inkOn, paint, rgb, ZERO } from "../shared/colour.js";
import {
  ARROWS, button, choice, markInvalid, numberField, numberInput,
} from "../shared/controls.js";
import { correlate } from "../shared/convolution.js";
import { element, set } from "../shared/element.js";
import { Figure } from "../shared/figure.js";
import { clamp, formatNumber, grid } from "../shared/numbers.js";
import { loadPhotograph } from "../shared/photograph.js";
import { legend, picture } from "../shared/picture.js";
import { _, sentences } from "../shared/words.js";
import {
  addressOf, displayLimit, drawn, inputOf, line, NAMES, outputOf, parseWeight,
  PATTERN_NAMES, PRESETS, productsAt, resized, SIDE, START, stateFrom, turned,
} from "./model.js";

/** The names of the kernels and of the patterns, as they stand on the buttons. */
const buttonWords = () => ({
  "blur": _("blur"), "sharpen": _("sharpen"), "edge": _("edge"), "top Sobel": _("top Sobel"),
  "emboss": _("emboss"), "square": _("square"), "one pixel": _("one pixel"),
  "white wall": _("white wall"), "stripes": _("stripes"), "diagonal": _("diagonal"),
  "nothing": _("nothing"),
});

class KernelPlayground extends Figure {
  static names = NAMES;
  static stateFrom = stateFrom;
  static addressOf = addressOf;

  pen = null; // what the pointer draws while it is down: 0 or 1

  async load() {
    try {
      this.photo = await loadPhotograph();
    } catch {
      this.photo = new Float64Array(SIDE.photo ** 2);
      this.incomplete = true;
    }
  }

  question() {
    return {
      question: _("The kernel below is top Sobel, turned on its side. Which lines of the " +
        "photograph will it show?"),
      answers: [
        _("her mouth, which is level"), _("the flag's upright stripes"), _("both"),
      ],
      right: 1,
      explain: _("It takes the right column from the left one, so it speaks where brightness " +
        "changes from left to right: at upright lines. Along a level line, left and right are " +
        "alike and cancel. Now change it."),
    };
  }

  // ---- Build -----------------------------------------------------------------------------------

  build() {
    const words = buttonWords();
    const row = (...children) => element("div", { class: "figure-row" }, ...children);
    this.input = picture({
      label: _("The input, pixel by pixel: arrow keys move the window"),
      pick: (at, event) => this.onInput(at, event), lift: () => { this.pen = null; },
      onKey: (event) => this.onKey(event, true),
    });
    this.output = picture({
      label: _("The output, pixel by pixel: arrow keys move the window"),
      pick: (at, event) => this.moveTo(inputOf(at, ...this.sizes), event.type === "pointerdown"),
      onKey: (event) => this.onKey(event, false),
    });
    this.output.root.classList.add("figure-secret");
    this.legend = legend();
    this.output.root.append(this.legend.root);

    this.source = choice(_("Input"), { photo: _("the photograph"), draw: _("your drawing") },
      (source) => this.change({ source, at: null }));
    this.patterns = row(PATTERN_NAMES.map((name) =>
      button(words[name], () => this.change({ drawing: drawn(name) }))));
    this.hint = element("p", {}, _("Draw on the input with a finger or the mouse, or take a " +
      "sample. With the keyboard, arrow keys move and the space bar sets a pixel."));
    const note = element("p", { class: "figure-error", role: "alert" }, this.incomplete &&
      _("The photograph did not load; draw something yourself."));
    const inputs = element("fieldset", { "aria-label": _("Input") },
      this.source.root, this.patterns, this.hint, note);

    this.presets = Object.entries(PRESETS).map(([name, preset]) =>
      button(words[name], () => this.change({ ...preset, kernel: [...preset.kernel] })));
    this.size = choice(_("Size"), { 3: "3 × 3", 5: "5 × 5" },
      (next) => this.change({ kernel: resized(this.state.kernel, Number(next)) }));
    this.weights = element("div", { class: "weights", role: "group",
      "aria-label": _("The kernel's weights") });
    this.divisor = numberField(_("divided by"), { onInput: () => this.readKernel() });
    this.error = element("p", { class: "figure-error", role: "alert" });
    this.sum = element("p", { "aria-live": "polite", "data-part": "sum" });
    const presets = row(this.presets);
    this.kernel = element("fieldset", {}, element("legend", {}, _("Kernel")), presets,
      this.size.root, this.weights, this.divisor.root, this.error, this.sum);

    const arrow = (key, sign, label) =>
      button(sign, () => this.step(key), { "aria-label": label });
    this.products = element("div", { class: "products", role: "group",
      "aria-label": _("The patch times the kernel") });
    this.live = element("p", { "aria-live": "polite", "data-part": "pixel" });
    const arithmetic = element("div", {}, row(element("strong", {}, _("One pixel")),
      arrow("ArrowUp", "↑", _("Move the window up")),
      arrow("ArrowDown", "↓", _("Move the window down")),
      arrow("ArrowLeft", "←", _("Move the window left")),
      arrow("ArrowRight", "→", _("Move the window right"))), this.products, this.live);

    this.flip = choice(_("Slide the kernel"),
      { no: _("as written"), yes: _("turned by 180° (true convolution)") },
      (value) => this.change({ flip: value === "yes" }));
    this.display = choice(_("Output"),
      { signed: _("signed colours"), cut: _("grey, cut to 0 … 1") },
      (display) => this.change({ display }));
    this.stride = choice(_("Stride"), { 1: "1", 2: "2", 3: "3", 4: "4" },
      (stride) => this.change({ stride: Number(stride) }));
    const again = button(_("Start again"), () =>
      this.change({ ...START, kernel: [...START.kernel], drawing: drawn("square") }));
    const options = element("fieldset", { "aria-label": _("Options") },
      this.flip.root, this.display.root, this.stride.root, again);

    this.workbench = [
      inputs, presets, this.size.root, this.divisor.root, this.sum, arithmetic, options,
    ]; // what gives the answer away, or has nothing to do before it
    this.append(this.gate, inputs,
      element("div", { class: "figure-halves" }, this.input.root, this.output.root),
      element("div", { class: "figure-halves" }, this.kernel, arithmetic), options);
  }

  // ---- What the reader does --------------------------------------------------------------------

  onInput(at, event) {
    if (this.state.source === "draw" && event.buttons & 1) {
      if (event.type === "pointerdown") {
        this.pen = 1 - this.state.drawing[at[0] * SIDE.draw + at[1]];
        this.last = at;
      }
      if (this.pen !== null) {
        for (const [i, j] of line(this.last, at)) this.state.drawing[i * SIDE.draw + j] = this.pen;
        this.last = at;
        this.change();
      }
    }
    this.moveTo(at, event.type === "pointerdown");
  }

  onKey(event, onInput) {
    if (event.key in ARROWS) {
      this.step(event.key, onInput ? 1 : this.state.stride);
    } else if ([" ", "Enter"].includes(event.key) && onInput && this.state.source === "draw") {
      const pixel = this.at[0] * SIDE.draw + this.at[1];
      this.state.drawing[pixel] = 1 - this.state.drawing[pixel];
      this.change();
    } else return;
    event.preventDefault();
  }

  /** Move by the key's direction: on the input by a pixel, on the output from window to window. */
  step(key, by = this.state.stride) {
    const start = by === 1 ? this.at : inputOf(this.place, ...this.sizes);
    const end = this.sizes[0] - 1;
    this.moveTo(start.map((place, axis) => clamp(place + by * ARROWS[key][axis], 0, end)));
  }

  /** Look at another pixel; a pointer that only passes by leaves the address alone. */
  moveTo(at, save = true) {
    this.state.at = at;
    if (save) this.save();
    this.renderPixel();
  }

  /** Take the kernel from the fields, or say which field holds no number. */
  readKernel() {
    const fields = [...this.weights.children, this.divisor.input];
    const numbers = fields.map((field) => parseWeight(field.value));
    numbers[numbers.length - 1] ||= null; // nothing is divided by 0
    fields.forEach((field, i) => markInvalid(field, numbers[i] === null));
    const bad = fields[numbers.indexOf(null)];
    const place = bad?.getAttribute("aria-label");
    this.error.textContent = !bad ? "" : sentences(
      bad === this.divisor.input
        ? _("The divisor must be a number from −1000 to 1000 and not 0.")
        : _("The weight in {place} must be a number from −1000 to 1000.", { place }),
      _("The output is still the last kernel's."));
    if (bad) return;
    this.typed = numbers.slice(0, -1);
    this.change({ kernel: this.typed, divisor: numbers.at(-1) });
  }

  // ---- What follows from the state -------------------------------------------------------------

  /** The sizes that a place depends on: side of the input, size of the kernel, stride. */
  get sizes() {
    return [SIDE[this.state.source], Math.sqrt(this.state.kernel.length), this.state.stride];
  }

  /** The input pixel that is looked at: the middle, until the reader has chosen one. */
  get at() {
    const [side] = this.sizes;
    return (this.state.at ?? [side / 2, side / 2]).map((place) => Math.min(place, side - 1));
  }

  /** The output pixel that is looked at. */
  get place() {
    return outputOf(this.at, ...this.sizes);
  }

  compute() {
    const { state, sizes: [side, size, stride] } = this;
    const image = state.source === "draw" ? state.drawing : this.photo;
    const kernel = state.flip ? turned(state.kernel) : state.kernel;
    const divided = kernel.map((weight) => weight / state.divisor);
    const output = correlate(image, side, side, divided, size, size, stride);
    this.result = { image, kernel, output, limit: displayLimit(output, side, size, stride) };
  }

  // ---- Show ------------------------------------------------------------------------------------

  render() {
    const { state, asking, sizes: [side, size] } = this;
    const draw = state.source === "draw";
    for (const part of this.workbench) part.hidden = asking;
    this.output.pad.inert = this.kernel.disabled = asking;
    this.source.show(state.source);
    this.size.show(size);
    this.flip.show(state.flip ? "yes" : "no");
    this.display.show(state.display);
    this.stride.show(state.stride);
    this.patterns.hidden = this.hint.hidden = !draw;
    this.input.pad.style.touchAction = draw ? "none" : "manipulation";
    Object.values(PRESETS).forEach(({ kernel, divisor }, i) => {
      const same = divisor === state.divisor && kernel.join() === state.kernel.join();
      this.presets[i].setAttribute("aria-pressed", String(same));
    });
    if (state.kernel !== this.typed) this.renderKernel(size);
    this.sum.textContent = flatAreas(state.kernel.reduce((a, b) => a + b) / state.divisor);
    this.renderPictures(draw, side);
    this.renderPixel();
  }

  /** Put a kernel that nobody typed into the fields. */
  renderKernel(size) {
    const { kernel, divisor } = this.state;
    this.typed = kernel;
    this.weights.style.setProperty("--size", size);
    this.weights.replaceChildren(...grid(size, size, (i, j) => numberInput({
      value: kernel[i * size + j], onInput: () => this.readKernel(),
      "aria-label": _("row {row}, column {column}", { row: i + 1, column: j + 1 }),
    })));
    this.divisor.input.value = divisor;
    this.error.textContent = "";
    markInvalid(this.divisor.input, false);
  }

  renderPictures(draw, side) {
    const { image, output: { values, H, W }, limit } = this.result;
    const cut = this.state.display === "cut";
    const colour = cut ? greyColour : (value) => divergingColour(value, limit);
    paint(this.input.canvas, image, side, side, greyColour);
    paint(this.output.canvas, values, H, W, colour);
    const [low, high] = [Math.min(...values), Math.max(...values)]
      .map((value) => formatNumber(value, 2));
    this.input.caption.textContent = _("Input, {side} × {side}", { side });
    this.output.caption.textContent =
      _("Output, {H} × {W}, from {low} to {high}", { H, W, low, high });
    set(this.input.canvas, "aria-label", draw
      ? _("Your drawing: white on black, {side} by {side} pixels", { side })
      : _("The photograph: the head of Grace Hopper in naval uniform, a flag behind her, " +
        "{side} by {side} grey pixels", { side }));
    set(this.output.canvas, "aria-label", cut
      ? _("The output: {H} by {W} numbers from {low} to {high}, 0 and less black, 1 and more " +
        "white", { H, W, low, high })
      : _("The output: {H} by {W} numbers from {low} to {high}, orange below 0, near white at " +
        "0, purple above", { H, W, low, high }));
    this.legend.show(cut ? null : limit);
  }

  /** Frame the pixel and its window, and write out the products. */
  renderPixel() {
    const { place, sizes: [side, size, stride], result: { image, kernel, output } } = this;
    const start = [place[0] * stride - output.top, place[1] * stride - output.left];
    this.input.show(side, side, [[start, size]]);
    this.output.show(output.H, output.W, [[place, 1]]);
    const products = productsAt(image, side, kernel, start);
    this.products.style.setProperty("--size", size);
    this.products.replaceChildren(...products.map(({ pixel, weight, product, inside }) => {
      const ground = inside ? greyColour(pixel) : rgb(ZERO);
      const lines = [
        formatNumber(pixel), `× ${formatNumber(weight)}`, `= ${formatNumber(product)}`,
      ];
      return element("div", { style: `background: rgb(${ground}); color: ${inkOn(ground)}` },
        lines.map((line) => element("span", {}, `${line} `)));
    }));
    const value = output.values[place[0] * output.W + place[1]];
    this.live.textContent = this.said(place, products, value);
  }

  said([row, column], products, value) {
    const { divisor, display } = this.state;
    const sum = formatNumber(products.reduce((total, { product }) => total + product, 0));
    const number = formatNumber(value);
    const cut = display === "cut";
    return sentences(
      _("Output row {row}, column {column}: the {count} products add up to {sum}.",
        { row, column, count: products.length, sum }),
      divisor !== 1 && _("Divided by {divisor}: {number}.",
        { divisor: formatNumber(divisor), number }),
      cut && value < 0 && _("Below 0: shown as black."),
      cut && value > 1 && _("Above 1: shown as white."),
      products.some(({ inside }) => !inside) && _("Yellow: padded zeros."));
  }
}

/** Say what a kernel whose weights add up to `sum` does to a flat area. */
function flatAreas(sum) {
  if (Math.abs(sum) < 1e-9) {
    return _("The weights add up to 0: flat areas become 0, only changes show.");
  }
  if (Math.abs(sum - 1) < 1e-9) {
    return _("The weights add up to 1: flat areas keep their brightness.");
  }
  const number = formatNumber(sum);
  if (sum < 0) {
    return _("The weights add up to {number}: flat areas become {number} times what they were, " +
      "which is negative.", { number });
  }
  return sum < 1
    ? _("The weights add up to {number}: flat areas become {number} times what they were, " +
      "darker.", { number })
    : _("The weights add up to {number}: flat areas become {number} times what they were, " +
      "brighter.", { number });
}

customElements.define("kernel-playground", KernelPlayground);
