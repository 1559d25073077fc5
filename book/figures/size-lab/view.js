// Size lab: which pixels does each window see along one axis, where are the zeros, and how many
// outputs are there?

import { COLOURS, INK, inkOn, rgb, SEEN, UNSEEN, ZERO } from "../shared/colour.js";
import { button, choice, markInvalid, sliderField } from "../shared/controls.js";
import { element, set } from "../shared/element.js";
import { Figure } from "../shared/figure.js";
import { clamp, range } from "../shared/numbers.js";
import { _, sentences } from "../shared/words.js";
import {
  addressOf, formulaLines, NAMES, settingsOf, sizeLab, SIZES, stateFrom, unusedZeros, windowCells,
  wrongSize,
} from "./model.js";

const ROWS = 8; // windows drawn at a time
const EDGE = 2; // pixels around the drawing
const GAP = 8; // pixels between the row and its windows

class SizeLab extends Figure {
  static names = NAMES;
  static stateFrom = stateFrom;
  static addressOf = addressOf;

  question() {
    return {
      question: _("10 pixels, a window of 4, stride 3. With VALID, three windows use every " +
        "pixel, as drawn below. How many zeros does SAME add?"),
      answers: [
        _("none, it fits already"), _("1 before and 1 after"), _("1 before and 2 after"),
        _("2 before and 1 after"),
      ],
      right: 2,
      explain: _("SAME first fixes the number of outputs, 10 / 3 rounded up: 4. Four windows " +
        "reach over 3 · 3 + 4 = 13 pixels, so 3 zeros are missing, and the odd one goes after " +
        "the row. Now change the numbers."),
    };
  }

  answered() {
    this.state.step = 0;
    super.answered();
  }

  // ---- Build -----------------------------------------------------------------------------------

  build() {
    const names = {
      W: _("W, input"), F: _("F, window"), S: _("S, stride"), D: _("D, dilation"),
      P: _("P, zeros"),
    };
    this.mode = choice(_("Padding"),
      { P: _("P zeros on each side"), SAME: "SAME", VALID: "VALID" },
      (mode) => this.change({ mode, step: 0 }));
    this.fields = Object.fromEntries(Object.entries(SIZES).map(([name, { least, slider, most }]) =>
      [name, sliderField(names[name], {
        value: this.state[name], min: least, max: slider, limit: most,
        onInput: (text) => this.change({ [name]: text, step: 0 }),
      })]));
    this.settings = element("fieldset", { "aria-label": _("Settings") }, this.mode.root,
      element("div", { class: "fields" }, Object.values(this.fields).map(({ root }) => root)));
    this.error = element("p", { class: "figure-error", role: "alert" });
    this.summary = element("p", { "aria-live": "polite", "data-part": "summary" });
    this.formula = element("p", { class: "formula", translate: "no" }); // names as in code
    this.picture = element("svg", { "aria-hidden": "true" });
    this.stage = element("div", {
      class: "stage", tabindex: 0, role: "slider", "aria-label": _("Window"), "aria-valuemin": 1,
      onkeydown: (event) => this.onKey(event),
    }, this.picture);
    this.back = button(_("Back"), () => this.go(this.state.step - 1));
    this.forward = button(_("Forward"), () => this.go(this.state.step + 1));
    this.live = element("p", { "aria-live": "polite", "data-part": "window" });
    this.drawn = element("p");
    const sign = (colour, text) =>
      element("span", {}, element("i", { style: `background: ${colour}` }), text);
    const key = element("div", { class: "figure-row key" },
      sign(SEEN, _("seen")), sign(UNSEEN, _("never seen")), sign(ZERO, _("padded zero")));
    this.drawing = element("div", {}, key, this.stage,
      element("div", { class: "figure-row" }, this.back, this.forward, this.live, this.drawn));
    this.append(this.gate, this.settings,
      element("div", { class: "bench" }, this.error, this.summary, this.drawing, this.formula));
    new ResizeObserver(() => this.draw()).observe(this.stage);
  }

  // ---- What the reader does --------------------------------------------------------------------

  /** Go to window number `step`, as far as there are windows. */
  go(step) {
    this.change({ step: clamp(step, 0, this.result.outputs - 1) });
  }

  onKey(event) {
    const { step } = this.state;
    const target = {
      ArrowRight: step + 1, ArrowUp: step + 1, ArrowLeft: step - 1, ArrowDown: step - 1,
      Home: 0, End: this.result.outputs - 1,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    this.go(target);
  }

  // ---- What follows from the state -------------------------------------------------------------

  compute() {
    const settings = settingsOf(this.state);
    if (this.asking) settings.mode = "VALID"; // as the question says
    const lab = sizeLab(settings);
    const large = !lab.error &&
      Object.keys(SIZES).find((name) => settings[name] > SIZES[name].most);
    this.result = { settings, ...lab, large, wrong: large || wrongSize(settings) };
    if (!lab.error) this.state.step = clamp(this.state.step, 0, lab.outputs - 1);
  }

  // ---- Show ------------------------------------------------------------------------------------

  render() {
    const { settings, error, large, wrong } = this.result;
    const bad = Boolean(error || large);
    this.settings.hidden = this.asking;
    this.fields.P.root.hidden = settings.mode !== "P";
    this.mode.show(settings.mode);
    for (const [name, { input }] of Object.entries(this.fields)) {
      markInvalid(input, name === wrong);
    }
    this.drawing.hidden = this.summary.hidden = bad;
    this.formula.hidden = bad || this.asking;
    this.error.textContent = !bad ? "" : large
      ? _("No output: {name} = {value} is more than this figure draws ({most}).",
        { name: large, value: settings[large], most: SIZES[large].most })
      : sentences(_("No output: {error}.", { error }), advice(settings, wrong));
    if (bad) return;
    this.summary.replaceChildren(element("strong", {}, outputs(this.result)), " ",
      sentences(padding(this.result), ...leftovers(settings, this.result)));
    this.formula.replaceChildren(...formulaLines(settings, this.result)
      .map((line) => element("span", {}, line)));
    this.renderStep();
  }

  renderStep() {
    const { step } = this.state;
    const { settings, outputs: count, before } = this.result;
    const names = windowCells(step, settings, before)
      .map((cell) => (cell < 0 || cell >= settings.W ? "0" : `x${cell}`));
    const cells = names.length > 8
      ? `${names.slice(0, 3).join(", ")}, … ${names.at(-1)}` : names.join(", ");
    this.live.textContent =
      _("Window {number} of {count} sees {cells}", { number: step + 1, count, cells });
    set(this.back, "aria-disabled", String(step === 0));
    set(this.forward, "aria-disabled", String(step === count - 1));
    set(this.stage, "aria-valuemax", count);
    set(this.stage, "aria-valuenow", step + 1);
    set(this.stage, "aria-valuetext", this.live.textContent);
    this.draw();
  }

  /** Draw the row of cells, and below it the windows around the current one. */
  draw() {
    const { error, large } = this.result; // its observer comes before the first render
    if (error || large || this.drawing.hidden) return;
    const { settings, before, after, outputs: count, reach, unseen } = this.result;
    const { step } = this.state;
    const total = settings.W + before + after;
    const size = clamp(Math.floor((this.stage.clientWidth - 8) / total),
      settings.W > 99 ? 26 : 22, 40);
    const rows = Math.min(count, ROWS);
    const first = clamp(step - ROWS + 2, 0, Math.max(count - ROWS, 0));
    this.drawn.textContent = count === rows ? ""
      : _("(drawn: windows {first} to {last})", { first: first + 1, last: first + rows });
    const [width, height] = [total * size + EDGE, (rows + 1) * size + GAP + EDGE];
    set(this.picture, "width", width);
    set(this.picture, "height", height);
    set(this.picture, "viewBox", `-1 -1 ${width} ${height}`);
    const cells = range(total, (i) =>
      cellShapes(i, i - before, settings.W, size, unseen)).flat();
    const windows = range(rows, (row) =>
      windowCells(first + row, settings, before).map((cell, i) => windowShapes(
        (cell + before) * size, (row + 1) * size + GAP, size, first + row, first + row === step, i,
      ))).flat(2);
    const frames = windowCells(step, settings, before).map((cell) => element("rect", {
      x: (cell + before) * size + 2, y: 2, width: size - 4, height: size - 4, fill: "none",
      stroke: COLOURS[step % COLOURS.length], "stroke-width": 3, "data-shape": "frame",
    }));
    this.picture.replaceChildren(...cells, ...windows, ...frames);
    const left = step * settings.S * size;
    const { scrollLeft, clientWidth } = this.stage;
    if (left < scrollLeft || left + reach * size > scrollLeft + clientWidth) {
      this.stage.scrollLeft = left - size;
    }
  }
}

// ---- Sentences ---------------------------------------------------------------------------------

function outputs({ outputs: count }) {
  return count === 1 ? _("1 output.") : _("{count} outputs.", { count });
}

function padding({ before, after }) {
  return before === 1
    ? _("Padding: 1 zero before (left or top), {after} after (right or bottom).", { after })
    : _("Padding: {before} zeros before (left or top), {after} after (right or bottom).",
      { before, after });
}

/** Say what is left over: pixels that no window looks at, and zeros that none uses. */
function leftovers(settings, result) {
  const { unseen } = result;
  const count = unseen.length;
  const cells = count > 6 ? `x${unseen[0]} … x${unseen.at(-1)}`
    : unseen.map((cell) => `x${cell}`).join(", ");
  const spare = unusedZeros(settings, result);
  return [
    count === 0 ? _("Every pixel is seen.")
      : count === 1 ? _("1 pixel is never seen: {cells}.", { cells })
        : _("{count} pixels are never seen: {cells}.", { count, cells }),
    spare === 0 ? ""
      : spare === 1 ? _("1 zero after the row is not used.")
        : _("{count} zeros after the row are not used.", { count: spare }),
  ];
}

/** Say what to do about an error of `sizeLab`. */
function advice({ D }, wrong) {
  const why = {
    W: _("It counts pixels: write a whole number, 1 or more."),
    F: _("It counts pixels: write a whole number, 1 or more."),
    S: _("A window moves by whole pixels, at least one: write a whole number, 1 or more."),
    D: _("It is the distance between neighbouring weights, at least one pixel: write a whole " +
      "number, 1 or more."),
    P: _("It counts zeros: write a whole number, 0 or more."),
  }[wrong];
  if (why) return why;
  return D > 1
    ? _("There is no place where the window lies on the row, so there is no output. Make F or D " +
      "smaller, W larger, or add zeros.")
    : _("There is no place where the window lies on the row, so there is no output. Make F " +
      "smaller, W larger, or add zeros.");
}

// ---- Shapes ------------------------------------------------------------------------------------

function cellShapes(place, cell, W, size, unseen) {
  const zero = cell < 0 || cell >= W;
  const fill = zero ? ZERO : unseen.includes(cell) ? UNSEEN : SEEN;
  const small = cell > 99 ? 9 : 10;
  return [
    element("rect", { x: place * size, y: 0, width: size, height: size, fill, stroke: INK,
      "data-shape": "cell" }),
    element("text", { x: (place + 0.5) * size, y: size / 2, fill: INK,
      "font-size": size < 32 ? small : 12 }, zero ? "0" : `x${cell}`),
  ];
}

function windowShapes(x, y, size, number, current, i) {
  const colour = COLOURS[number % COLOURS.length];
  const shape = element("rect", {
    x: x + 1, y, width: size - 2, height: size * 0.8, fill: current ? colour : "none",
    stroke: colour, "stroke-width": current ? 1 : 1.5, "data-shape": "weight",
    "data-current": current,
  });
  const label = current && element("text", { x: x + size / 2, y: y + size * 0.4, "font-size": 11,
    fill: inkOn(rgb(colour)) }, `w${i}`);
  return [shape, label].filter(Boolean);
}

customElements.define("size-lab", SizeLab);
