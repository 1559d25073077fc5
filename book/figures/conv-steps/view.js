// Convolution, step by step: each of the 18 outputs of a layer with all its 27 products.

import { button } from "../shared/controls.js";
import { element, set } from "../shared/element.js";
import { Figure } from "../shared/figure.js";
import { formatNumber, range } from "../shared/numbers.js";
import { _ } from "../shared/words.js";
import {
  addressOf, C, computeAll, computeOutput, F, isZero, K, makeNumbers, NAMES, OUT, P, padded, place,
  S, stateFrom, STEPS, W, weight,
} from "./model.js";

class ConvSteps extends Figure {
  static names = NAMES;
  static stateFrom = stateFrom;
  static addressOf = addressOf;

  question() {
    return {
      question: _("5 by 5 pixels in 3 channels, one zero on each side, 2 filters of 3 by 3, " +
        "stride 2. How many numbers come out?"),
      answers: ["9", "18", "27", "54"],
      right: 1,
      explain: _("(5 − 3 + 2)/2 + 1 = 3 along each axis, and two filters: 3 · 3 · 2 = 18. Each " +
        "of them takes 27 products and a bias."),
    };
  }

  // ---- Build -----------------------------------------------------------------------------------

  build() {
    const move = (text, target) => ({ target, control: button(text, () => this.go(target())) });
    this.moves = [
      move(_("First"), () => 0), move(_("Back"), () => this.state.step - 1),
      move(_("Forward"), () => this.state.step + 1), move(_("Last"), () => STEPS - 1),
    ];
    const renew = () => this.renew(1 + Math.floor(Math.random() * 9999));
    this.source = element("span", { "data-part": "source" });
    this.controls = element("div", { class: "controls" },
      element("div", { class: "figure-row", role: "group", "aria-label": _("Steps") },
        this.moves.map(({ control }) => control)),
      element("div", { class: "figure-row" }, button(_("New numbers"), renew),
        button(_("The example's numbers"), () => this.renew(null)), this.source));
    this.status = element("p", { class: "status", "aria-live": "polite" });
    this.channels = element("div", { class: "channels" });
    this.total = element("p", { class: "total" });
    this.outputs = element("div", { class: "outputs" });
    this.append(this.gate, this.controls, this.status, this.channels, this.total, this.outputs);
  }

  // ---- What the reader does --------------------------------------------------------------------

  /** Go to a step, 0 to 17. */
  go(step) {
    if (step < 0 || step >= STEPS) return;
    this.change({ step, reached: Math.max(this.state.reached, step) });
  }

  /** Start again with the numbers of a seed, or of the example. */
  renew(seed) {
    this.change({ seed, step: 0, reached: 0 });
  }

  // ---- What follows from the state -------------------------------------------------------------

  compute() {
    const numbers = makeNumbers(this.state.seed);
    const at = place(this.state.step);
    this.result = { numbers, at, ...computeOutput(numbers, at), values: computeAll(numbers) };
  }

  // ---- Show ------------------------------------------------------------------------------------

  render() {
    const { state: { seed, step }, result: { at: { i, j, k }, sums, bias, total } } = this;
    const value = formatNumber(total);
    this.controls.hidden = this.status.hidden = this.total.hidden = this.asking;
    for (const { control, target } of this.moves) {
      const there = target() < 0 || target() >= STEPS || target() === step;
      set(control, "aria-disabled", String(there));
    }
    this.source.textContent = seed === null ? _("These are the example's numbers.")
      : _("Numbers of seed {seed}.", { seed });
    this.status.textContent = _("Step {number} of {steps}: V[{i}, {j}, {k}] = {value}, filter " +
      "{k} on rows {top} to {bottom} and columns {left} to {right} of the padded input.", {
      number: step + 1, steps: STEPS, i, j, k, value,
      top: S * i, bottom: S * i + F - 1, left: S * j, right: S * j + F - 1,
    });
    this.total.textContent = _("The channels, added up: {sums} + bias {bias} = {value}",
      { sums: sums.map(bracketed).join(" + "), bias, value });
    this.channels.replaceChildren(...range(C, (c) => this.channel(c)));
    this.renderOutputs();
  }

  /** Return a channel: the padded input with its window, the filter, the products, their sum. */
  channel(c) {
    const { numbers: { image, filters }, at: { i, j, k }, products, sums } = this.result;
    const inside = (row, column) =>
      row >= S * i && row < S * i + F && column >= S * j && column < S * j + F;
    const pixel = (row, column) => padded(image, row, column, c);
    const w = (row, column) => weight(filters, row, column, c, k);
    const input = table(_("input, channel {c}", { c }), W + 2 * P, (row, column) => ({
      kind: [isZero(row, column) && "zero", inside(row, column) && "window"],
      node: String(pixel(row, column)),
    }));
    const filter = table(_("filter {k}", { k }), F, (row, column) =>
      ({ kind: ["window", "weight"], node: formatNumber(w(row, column)) }));
    const work = [element("span", {}, "×"), filter];
    if (!this.asking) {
      const multiplied = table(_("products"), F, (row, column) => ({ kind: ["product"], node: [
        element("span", {},
          `${pixel(S * i + row, S * j + column)}·${bracketed(w(row, column))}`),
        element("strong", {}, formatNumber(products[c][row * F + column])),
      ] }));
      const sum = element("strong", {}, formatNumber(sums[c]));
      work.push(element("span", {}, "="), multiplied,
        element("span", { class: "sum" }, _("sum"), " ", sum));
    }
    return element("div", { class: "channel" }, input, element("div", { class: "work" }, work));
  }

  /** Show the outputs, each cell a button; what has not been reached is a question mark. */
  renderOutputs() {
    const { state: { step, reached }, result: { values } } = this;
    const focused = this.outputs.contains(document.activeElement);
    const output = (n, { i, j, k }) => {
      const text = n <= reached ? formatNumber(values[n]) : "?";
      const label = `V[${i}, ${j}, ${k}] = ${text}`;
      return button(text, () => this.go(n), {
        "aria-label": label, "aria-current": n === step && "step",
      });
    };
    this.outputs.replaceChildren(...range(this.asking ? 0 : K, (k) =>
      table(_("output {k}", { k }), OUT, (i, j) =>
        ({ kind: [], node: output((k * OUT + i) * OUT + j, { i, j, k }) }))));
    if (focused) this.outputs.querySelector("[aria-current]").focus({ preventScroll: true });
  }
}

/** Return a square table; `cell(row, column)` returns {kind: class names, node: what it holds}. */
function table(caption, size, cell) {
  const row = (i) => element("tr", {}, range(size, (j) => {
    const { kind, node } = cell(i, j);
    return element("td", { class: kind.filter(Boolean).join(" ") || null }, node);
  }));
  return element("table", {}, element("caption", {}, caption),
    element("tbody", {}, range(size, (i) => row(i))));
}

/** Write a number in a sum or a product: a negative one in brackets. */
function bracketed(value) {
  return value < 0 ? `(${formatNumber(value)})` : formatNumber(value);
}

customElements.define("conv-steps", ConvSteps);
