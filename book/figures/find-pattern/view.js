// Look for a pattern: a patch of the photograph, or a drawing, is a kernel; where does it answer
// most and least, and what do a bias and the bend leave of its answers?

import { COLOURS, divergingColour, greyColour, inkOn, MARK, paint } from "../shared/colour.js";
import { ARROWS, button, choice, sliderField } from "../shared/controls.js";
import { element, set } from "../shared/element.js";
import { Figure } from "../shared/figure.js";
import { clamp, formatNumber, range } from "../shared/numbers.js";
import { loadPhotograph } from "../shared/photograph.js";
import { legend, picture } from "../shared/picture.js";
import { _, sentences } from "../shared/words.js";
import {
  addressOf, answersOf, kernelOf, moments, NAMES, passed, patchAt, placeIn, rankOf, rounded, shape,
  SHAPE_NAMES, SIDE, START, stateFrom, winner,
} from "./model.js";

const [MOST, LEAST] = [COLOURS[5], COLOURS[3]]; // of the frames
const FRAMES = [[MARK], [MOST, "+"], [LEAST, "−"]];

class FindPattern extends Figure {
  static names = NAMES;
  static stateFrom = stateFrom;
  static addressOf = addressOf;

  cell = 0; // the cell of the pattern that the Tab key reaches

  async load() {
    this.photo = await loadPhotograph();
  }

  question() {
    return {
      question: _("The pixels framed in the photograph, part of the rim of her glasses, are the " +
        "weights of a kernel. At which patch of the photograph does it answer most?"),
      answers: [
        _("where it was taken"), _("at another part of the rim"), _("at something brighter"),
        _("at something darker"),
      ],
      right: 2,
      explain: _("Large pixels make large products, whatever they show: it answers most at the " +
        "white of her cap, where there is nothing like a rim. Now let brightness be ignored."),
    };
  }

  // ---- Build -----------------------------------------------------------------------------------

  build() {
    const take = (at, event) => {
      if (event.type !== "pointermove" || event.buttons & 1) this.takePatch(at);
    };
    this.input = picture({
      label: _("The photograph: arrow keys move the pattern's frame, with Shift by 8 pixels"),
      pick: take, tap: true, onKey: (event) => this.onKey(event), frames: FRAMES,
    });
    set(this.input.canvas, "aria-label", _("The head of Grace Hopper in naval uniform, a flag " +
      "behind her, {side} by {side} grey pixels", { side: SIDE }));
    paint(this.input.canvas, this.photo, SIDE, SIDE, greyColour);
    this.map = picture({ frames: FRAMES });
    this.map.root.classList.add("figure-secret");
    this.legend = legend();
    this.map.root.append(this.legend.root);
    this.said = element("p", { class: "said", "aria-live": "polite", "data-part": "most" });

    this.source = choice(_("Pattern"),
      { patch: _("a patch"), drawn: _("a drawing") },
      (source) => this.change({ drawn: source === "drawn" ? this.drawing() : null }));
    this.size = choice(_("Size"), { 3: "3 × 3", 5: "5 × 5", 7: "7 × 7" },
      (size) => this.resize(Number(size)));
    this.brightness = choice(_("Brightness"),
      { counts: _("counts"), ignored: _("is ignored") },
      (brightness) => this.change({ brightness }));
    const words = shapeWords();
    this.shapes = element("div", { class: "figure-row" }, SHAPE_NAMES.map((name) =>
      button(words[name], () => this.change({ drawn: shape(name, this.state.size) }))));
    this.options = element("fieldset", { class: "options", "aria-label": _("Pattern") },
      this.source.root, this.shapes, this.size.root, this.brightness.root,
      element("p", { class: "hint" }, _("Point at the photograph to take another patch. Or draw: " +
        "each press on a cell of the pattern goes to the next of −1, 0 and 1.")));

    this.bias = sliderField(_("Bias, %"), {
      value: 0, min: -100, max: 100, limit: 100, onInput: (text) => this.readBias(text),
    });
    this.bend = choice(_("Bend (ReLU)"), { off: _("off"), on: _("on") },
      (bend) => this.change({ bend }));
    this.left = element("p", { "aria-live": "polite", "data-part": "left" });
    this.after = element("fieldset", { class: "bend", "aria-label": _("Bias and bend") },
      this.bias.root, this.bend.root, this.left,
      button(_("Start again"), () => this.change({ ...START })));

    this.pattern = cells(_("The pattern's weights"), MARK, { role: "group" });
    this.most = cells(_("The patch that answers most"), MOST, { role: "img" });
    this.least = cells(_("The patch that answers least"), LEAST, { role: "img" });
    this.append(this.gate, element("div", { class: "parts" }, this.input.root, this.pattern.root,
      this.map.root, this.said, this.options, this.after, this.most.root, this.least.root));
  }

  // ---- What the reader does --------------------------------------------------------------------

  /** Take the patch around a pixel as the pattern. */
  takePatch(at) {
    const { size, drawn } = this.state;
    const place = placeIn(at.map((each) => each - (size - 1) / 2), size);
    if (drawn || place.join() !== this.state.at.join()) this.change({ at: place, drawn: null });
  }

  onKey(event) {
    const move = ARROWS[event.key];
    if (!move || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const by = event.shiftKey ? 8 : 1;
    const to = this.state.at.map((place, axis) => place + by * move[axis]);
    this.change({ at: placeIn(to, this.state.size), drawn: null });
  }

  /** Another size: a patch keeps its middle, a drawing starts again. */
  resize(size) {
    const { at, size: old, drawn } = this.state;
    this.change({
      size, at: placeIn(at.map((place) => place + (old - size) / 2), size),
      drawn: drawn && shape(SHAPE_NAMES[0], size),
    });
  }

  /** The drawing: what the pattern is, as -1, 0 and 1. */
  drawing() {
    const { at, size, drawn } = this.state;
    return drawn ?? rounded(patchAt(this.photo, at, size));
  }

  /** Set cell number n of the drawing to its next value. */
  press(n) {
    const drawing = this.drawing();
    this.change({ drawn: drawing.with(n, drawing[n] === 1 ? -1 : drawing[n] + 1) });
  }

  /** Arrow keys go from cell to cell of the pattern. */
  walk(event) {
    const { size } = this.state;
    const move = ARROWS[event.key];
    if (!move) return;
    event.preventDefault();
    const [row, column] = [Math.floor(this.cell / size), this.cell % size]
      .map((place, axis) => clamp(place + move[axis], 0, size - 1));
    this.cell = row * size + column;
    this.render();
    this.pattern.grid.children[this.cell].focus();
  }

  readBias(text) {
    const bias = Math.round(Number(text));
    if (text !== "" && Math.abs(bias) <= 100) this.change({ bias });
  }

  // ---- What follows from the state -------------------------------------------------------------

  compute() {
    const { state, photo } = this;
    const kernel = kernelOf(state, photo);
    const answers = answersOf(kernel, photo);
    const bias = (state.bias / 100) * answers.limit;
    this.result = { kernel, answers, bias, ...passed(answers, bias, state.bend) };
  }

  // ---- Show ------------------------------------------------------------------------------------

  render() {
    const { state: { size, at, drawn, brightness, bias, bend }, asking } = this;
    const { pattern, most: { root: mostRoot }, least: { root: leastRoot } } = this;
    for (const part of [this.options, this.after, this.said, pattern.root, mostRoot, leastRoot]) {
      part.hidden = asking;
    }
    leastRoot.hidden ||= bend === "on"; // which leaves nothing of the answers below 0
    this.input.pad.inert = asking;
    this.source.show(drawn ? "drawn" : "patch");
    this.size.show(size);
    this.brightness.show(brightness);
    this.bend.show(bend);
    this.bias.show(bias);
    this.shapes.hidden = !drawn;
    const { most, least } = this.result.answers;
    const around = (place) => [place.map((each) => each - 1), size + 2]; // beside the pattern's
    this.frames = [!drawn && [at, size], !asking && around(most),
      !leastRoot.hidden && around(least)];
    this.input.show(SIDE, SIDE, this.frames);
    this.input.caption.textContent = drawn ? _("The photograph") : _("The photograph: the " +
      "pattern is rows {top} to {bottom}, columns {left} to {right}", edges(at, size));
    if (asking) return;
    this.renderMap();
    this.renderPattern();
    const plain = bias === 0 && bend === "off";
    this.renderPatch(this.most, most, (words) => (plain
      ? _("Answers most: {value}, rows {top} to {bottom}, columns {left} to {right}", words)
      : _("Answers most: {value} before bias and bend, rows {top} to {bottom}, columns {left} to " +
        "{right}", words)));
    this.renderPatch(this.least, least, (words) => (plain
      ? _("Answers least: {value}, rows {top} to {bottom}, columns {left} to {right}", words)
      : _("Answers least: {value} before the bias, rows {top} to {bottom}, columns {left} to " +
        "{right}", words)));
    this.said.textContent = this.verdict();
  }

  /** Show the answers after bias and bend; the frames are around the same patches. */
  renderMap() {
    const { answers: { H, limit }, values, left, bias } = this.result;
    const { size, bend, bias: percent } = this.state;
    const most = values.reduce((a, value) => Math.max(a, Math.abs(value)), 0) || 1;
    paint(this.map.canvas, values, H, H, (value) => divergingColour(value, most));
    this.map.show(H, H, this.frames.map((frame) =>
      frame && [frame[0].map((place) => place - (size - 1) / 2), frame[1]]));
    this.legend.show(most);
    const [low, high] = [Math.min(...values), Math.max(...values)]
      .map((value) => formatNumber(value, 2));
    const ends = { H, low, high };
    this.map.caption.textContent = percent === 0 && bend === "off"
      ? _("Its answers, {H} × {H}, from {low} to {high}", ends)
      : _("Its answers after bias and bend, {H} × {H}, from {low} to {high}", ends);
    set(this.map.canvas, "aria-label", _("The map of answers: {H} by {H} numbers from {low} to " +
      "{high}, orange below 0, near white at 0, purple above", { H, low, high }));
    const words = {
      count: left.toLocaleString("en"), all: (H * H).toLocaleString("en"),
      bias: formatNumber(bias, 2), percent: formatNumber(percent),
      share: formatNumber((100 * left) / (H * H), 1),
    };
    this.left.textContent = limit === 0 ? "" : sentences(
      bias !== 0 && _("The bias is {percent}\u00a0% of the largest answer: {bias}.", words),
      bend === "on"
        ? _("{count} of {all} places are left, {share}\u00a0%; the others are 0.", words)
        : _("{count} of {all} places are above 0, {share}\u00a0%.", words));
  }

  /** Show the weights, each a button; the focus stays where it is. */
  renderPattern() {
    const { state: { size, at, drawn, brightness }, result: { kernel } } = this;
    const { grid } = this.pattern;
    const weights = drawn ?? kernel; // the cells of a drawing are what is pressed
    if (grid.children.length !== size ** 2) {
      this.cell = (size ** 2 - 1) / 2;
      grid.replaceChildren(...range(size ** 2, (n) => button("", () => {
        this.cell = n;
        this.press(n);
      }, { onkeydown: (event) => this.walk(event) })));
    }
    const limit = Math.max(...weights.map(Math.abs));
    const signed = drawn || brightness === "ignored";
    fill(this.pattern, weights, (value) => (signed ? divergingColour(value, limit)
      : greyColour(value)));
    weights.forEach((weight, n) => {
      const words = { row: Math.floor(n / size) + 1, column: (n % size) + 1 };
      set(grid.children[n], "tabindex", n === this.cell ? 0 : -1);
      set(grid.children[n], "aria-label", _("row {row}, column {column}: {weight}",
        { ...words, weight: formatNumber(weight, 2) }));
    });
    const [mean] = moments(drawn ?? patchAt(this.photo, at, size));
    const words = { mean: formatNumber(mean, 2) };
    this.pattern.caption.textContent = brightness === "counts" ? _("The pattern: the kernel")
      : drawn ? _("The pattern; minus its mean, {mean}, it is the kernel", words)
        : _("The pattern minus its mean, {mean}: the kernel", words);
  }

  /** Show the patch at [row, column]; `caption(words)` says what it is. */
  renderPatch(part, at, caption) {
    const { state: { size }, result: { answers } } = this;
    const patch = patchAt(this.photo, at, size);
    part.grid.replaceChildren(...patch.map(() => element("span")));
    fill(part, patch, greyColour);
    const value = formatNumber(rankOf(answers, at).own, 2);
    part.caption.textContent = caption({ value, ...edges(at, size) });
  }

  /** Say where it answers most, and why there. */
  verdict() {
    const { state, photo, result: { answers } } = this;
    if (answers.limit === 0) {
      return _("All weights are 0, so every answer is 0: there is no pattern to look for.");
    }
    if (state.drawn) {
      return state.bend === "on" ? _("It answers most at +.")
        : _("It answers most at + and least at −.");
    }
    const { own, above } = rankOf(answers, state.at);
    const [mine, most] = [state.at, answers.most]
      .map((at) => moments(patchAt(photo, at, state.size)));
    const words = {
      own: formatNumber(own, 2), above: above.toLocaleString("en"),
      mine: mine.map((value) => formatNumber(value, 2)),
      most: most.map((value) => formatNumber(value, 2)),
    };
    const why = {
      own: () => _("It answers most where it was taken: {own}.", words),
      brightness: () => _("The patch at + is brighter: its mean is {most}, the pattern's {mine}.",
        { most: words.most[0], mine: words.mine[0] }),
      contrast: () => _("The patch at + has more contrast: its pixels lie about {most} from " +
        "their mean, the pattern's {mine}.", { most: words.most[1], mine: words.mine[1] }),
    }[winner(state, answers, photo)]();
    return sentences(
      (state.bias !== 0 || state.bend === "on") && _("Before bias and bend:"),
      above === 1 && _("Where it was taken it answers {own}; one place answers more.", words),
      above > 1 && _("Where it was taken it answers {own}; {above} places answer more.", words),
      why);
  }
}

// ---- Parts -------------------------------------------------------------------------------------

const shapeWords = () => ({
  "upright edge": _("upright edge"), "level line": _("level line"), "spot": _("spot"),
});

/** Return the rows and columns of a patch. */
function edges([top, left], size) {
  return { top, left, bottom: top + size - 1, right: left + size - 1 };
}

/** Make an enlarged patch: {root, grid, caption}. */
function cells(label, colour, attributes) {
  const grid = element("div",
    { class: "cells", "aria-label": label, style: `border-color: ${colour}`, ...attributes });
  const caption = element("figcaption");
  return { root: element("figure", { class: "patch" }, grid, caption), grid, caption };
}

/** Put numbers and their colours into the cells of an enlarged patch. */
function fill({ grid }, values, colour) {
  const whole = values.every(Number.isInteger);
  const labels = values.map((value) => (whole ? formatNumber(value)
    : value.toFixed(2).replace("-", "−").replace("0.", ".")));
  grid.style.setProperty("--size", Math.sqrt(values.length));
  grid.style.setProperty("--length", Math.max(...labels.map((label) => label.length)));
  values.forEach((value, n) => {
    const ground = colour(value);
    const cell = grid.children[n];
    cell.style.cssText = `background: rgb(${ground}); color: ${inkOn(ground)}`;
    cell.textContent = labels[n];
  });
}

customElements.define("find-pattern", FindPattern);
