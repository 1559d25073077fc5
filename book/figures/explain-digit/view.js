// Explain my digit: each pixel's share of each logit; erase what has the largest; draw the attack.
// Inside a draw-digit (its `reader`) it explains what is drawn there.

import { preprocessSteps } from "../draw-digit/model.js";
import { DigitFigure } from "../draw-digit/digit-figure.js";
import { writeAddress } from "../shared/address.js";
import { percentSaid } from "../shared/bars.js";
import { divergingColour, greyColour, paint } from "../shared/colour.js";
import { ARROWS, button, choice, sliderField } from "../shared/controls.js";
import { element, set } from "../shared/element.js";
import { clamp, formatNumber, range } from "../shared/numbers.js";
import { legend, picture } from "../shared/picture.js";
import { parseInteger } from "../shared/parse.js";
import { _, sentences } from "../shared/words.js";
import {
  addressOf, attack, differenceOf, DRAWS, erase, explain, MOST, NAMES, read, stateFrom,
} from "./model.js";

const NOBODY = "nobody"; // where there is no other digit
const number = (value) => formatNumber(value, 2);

class ExplainDigit extends DigitFigure {
  static names = NAMES;
  static stateFrom = stateFrom;
  static addressOf = addressOf;

  at = [14, 14]; // the pixel that is looked at: row, column

  get reader() {
    return this.closest("draw-digit");
  }

  async load() {
    const { reader, state: { why, erase: pixels, attack: size } } = this;
    if (!reader) return super.load();
    this.network = reader.network;
    this.asking = !why && !pixels && !size; // the digit in the address is the reader's
  }

  question() {
    return {
      question: _("Each pixel gets a share of the answer: its brightness times its slope, which " +
        "says how fast the answer's logit grows when the pixel grows brighter. All 784 shares " +
        "add up to the logit. How much of it goes to the black pixels around the digit?"),
      answers: [_("about half"), _("a little"), _("nothing")],
      right: 2,
      explain: _("Black has brightness 0, and 0 times any slope is 0. So these maps speak of ink " +
        "alone: that a place is empty, which tells a 3 from an 8, gets no number of its own. " +
        "Press a digit to see what speaks for it and against it."),
    };
  }

  /** Inside a draw-digit the drawing in the address is the reader's. */
  save() {
    const { digit, ink, ...own } = addressOf(this.state);
    writeAddress(this.reader ? own : { digit, ink, ...own });
  }

  // ---- Build -----------------------------------------------------------------------------------

  build() {
    const { reader } = this;
    this.status = element("p", { class: "status", "aria-live": "polite" });
    this.digits = range(10, (digit) => {
      const [canvas, logit] = [element("canvas"), element("span")];
      const root = button(canvas, () => this.explain(digit, this.result.why[1]));
      root.append(element("strong", {}, String(digit)), logit);
      return { root, canvas, logit };
    });
    this.all = element("div", {},
      element("p", { class: "note" }, _("Each digit gets a logit, of which its percentage is " +
        "made. The maps show each pixel's share of it.")),
      element("div", { class: "digits", role: "group", "aria-label": _("Why this digit?") },
        this.digits.map(({ root }) => root)));
    const answer = element("div", { class: "answer" }, this.gate, !reader && this.status, this.all);
    this.parts = element("div", {}, this.buildMap(),
      this.buildPart(_("Erase the largest shares"), "erase", _("Pixels")),
      this.buildPart(_("Draw the attack: one step by someone who knows the weights"), "attack",
        _("Hundredths of brightness")));
    reader?.addEventListener("read", () => {
      if (!this.asking) this.gate.replaceChildren();
      this.change({ why: null });
    });
    this.append(reader ? answer : element("div", { class: "panes" }, this.buildPad(), answer),
      this.parts);
  }

  buildMap() {
    const digits = Object.fromEntries(range(10, (digit) => [digit, String(digit)]));
    this.other = choice(_("and not"), { ...digits, [NOBODY]: _("any other") }, (value) =>
      this.explain(this.result.why[0], value === NOBODY ? undefined : Number(value)));
    const look = (label) => picture({ label, tap: true, pick: (at) => this.look(at),
      onKey: (event) => this.onKey(event) });
    this.input = look(_("The network's input: point at a pixel, or move with the arrow keys"));
    this.map = look(_("The shares: point at a pixel, or move with the arrow keys"));
    this.scale = legend();
    this.map.root.append(this.scale.root);
    this.input.caption.textContent = _("What the network reads");
    this.map.caption.textContent = _("The shares: purple speaks for it, orange against it");
    this.why = element("strong");
    this.sum = element("p", { "aria-live": "polite", "data-part": "sum" });
    this.pixel = element("p", { class: "note", "aria-live": "polite", "data-part": "pixel" });
    return element("section", {},
      element("div", { class: "figure-row" }, this.why, this.other.root), this.sum,
      element("div", { class: "pair" }, this.input.root, this.map.root), this.pixel,
      element("p", { class: "note" }, _("That they add up does not make them the reasons: with " +
        "random weights they would add up as well. So test them:")));
  }

  /** Make the part of an experiment: a slider, and two pictures that are read. */
  buildPart(title, name, label) {
    const slider = sliderField(label, { value: this.state[name], min: 0, max: MOST[name],
      limit: MOST[name], onInput: (text) => {
        const value = parseInteger(text, 0, MOST[name]);
        if (value !== null) this.change({ [name]: value });
      } });
    slider.input.addEventListener("change", () => { // what is no such number does not stay there
      const typed = slider.input.value;
      const value = typed === "" ? this.state[name] : Math.round(Number(typed));
      this.change({ [name]: clamp(value, 0, MOST[name]) });
      slider.input.value = this.state[name];
    });
    const pictures = range(2, () => picture({ frames: [] }));
    this[name] = { slider, pictures };
    return element("section", { "data-part": name }, element("strong", {}, title), slider.root,
      element("div", { class: "pair" }, pictures.map(({ root }) => root)));
  }

  // ---- What the reader does --------------------------------------------------------------------

  finish(some = {}) {
    super.finish({ why: null, ...some });
  }

  /** Explain why it is one digit, and not another if there is one. */
  explain(of, other) {
    this.change({ why: other === undefined || other === of ? [of] : [of, other] });
  }

  look(at) {
    this.at = at;
    this.renderPixel();
  }

  onKey(event) {
    const by = ARROWS[event.key];
    if (!by || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.look(this.at.map((place, axis) => clamp(place + by[axis], 0, this.network.side - 1)));
  }

  // ---- What follows from the state -------------------------------------------------------------

  compute() {
    const { network, network: { side }, reader, state } = this;
    const drawing = !reader && this.drawing();
    const steps = reader ? reader.result.steps
      : drawing && preprocessSteps(drawing[0], drawing[1], drawing[1], side);
    const x = steps?.image ?? new Float32Array(side * side);
    const explained = explain(network, x);
    const said = read(network, x);
    const { answer } = said;
    const why = state.why ?? [answer];
    const [slope, map] = ["slopes", "shares"].map((name) => differenceOf(explained[name], why));
    this.result = {
      ...explained, empty: !steps, said, why, slope, map,
      erase: erase(network, x, map, state.erase, answer),
      attack: attack(network, x, slope, state.attack / 100, answer),
    };
  }

  // ---- Show ------------------------------------------------------------------------------------

  renderDrawing() {
    this.renderPad();
  }

  render() {
    const { asking, result: { empty, said, logits, shares, why: [of, other], map } } = this;
    if (!this.reader) this.renderPad();
    this.all.hidden = this.parts.hidden = asking || empty;
    this.status.textContent = asking ? "" : empty ? _("Draw a digit.") : saidOf(said);
    const limit = [...shares[said.answer], ...map].reduce((a, b) => Math.max(a, Math.abs(b)), 1e-9);
    this.digits.forEach(({ root, canvas, logit }, digit) => {
      this.paint(canvas, shares[digit], limit);
      logit.textContent = formatNumber(logits[digit], 1);
      set(root, "aria-pressed", String(digit === of));
      set(root, "aria-label", _("Why {digit}? Its logit is {logit}",
        { digit, logit: logit.textContent }));
    });
    this.why.textContent = _("Why {of}", { of });
    this.other.show(other ?? NOBODY);
    this.sum.textContent = this.sumWords();
    this.paint(this.input.canvas, said.x);
    this.paint(this.map.canvas, map, limit);
    for (const { canvas, caption } of [this.input, this.map]) {
      set(canvas, "aria-label", caption.textContent);
    }
    this.scale.show(limit);
    this.renderPixel();
    this.renderExperiments();
  }

  /** Paint numbers onto a canvas: grey, or with a limit signed. */
  paint(canvas, values, limit) {
    const { side } = this.network;
    const signed = (value) => divergingColour(value, limit);
    paint(canvas, values, side, side, limit ? signed : greyColour);
  }

  /** Say what the map adds up to, and beside it what the network's logits are. */
  sumWords() {
    const { logits, why: [of, other], map } = this.result;
    const gap = logits[of] - (logits[other] ?? 0);
    const words = { of, other, sum: number(map.reduce((a, b) => a + b, 0)),
      one: number(logits[of]), two: number(logits[other] ?? 0), gap: number(gap) };
    return other === undefined
      ? _("These 784 numbers add up to {sum}. The logit of {of} is {one}.", words)
      : _("These 784 numbers add up to {sum}. The logit of {of} is {one} and the logit of " +
        "{other} is {two}: the difference is {gap}.", words);
  }

  /** Say how the share of the pixel that is looked at comes about. */
  renderPixel() {
    const { at: [row, column], network: { side }, result: { said: { x }, slope, map } } = this;
    const n = row * side + column;
    for (const each of [this.input, this.map]) each.show(side, side, [[this.at, 1]]);
    this.pixel.textContent = _("Row {row}, column {column}: brightness {x} × slope {slope} = " +
      "share {share}", { row, column, x: number(x[n]), slope: number(slope[n]),
      share: number(map[n]) });
  }

  renderExperiments() {
    const { state, result: { said: { answer }, why: [of, other], ...result } } = this;
    const [count, size] = [result.erase.count, number(state.attack / 100)];
    const why = other === undefined ? _("“why {of}”", { of })
      : _("“why {of} and not {other}”", { of, other });
    const titles = {
      erase: [_("Without the {count} largest shares of {why}.", { count, why }),
        _("Without {count} pixels of ink, chosen at random.", { count })],
      attack: [_("Each pixel at most {size} brighter or darker, against the slope of {why}.",
        { size, why }),
        _("Each pixel at most {size} brighter or darker, at random.", { size })],
    };
    for (const [name, [title, chance]] of Object.entries(titles)) {
      const { slider, pictures } = this[name];
      const { chosen, random, still } = result[name];
      const captions = state[name] ? [sentences(title, saidOf(chosen)),
        sentences(chance, saidOf(random), _("Of {draws} such choices, {still} leave it at " +
          "{answer}.", { draws: DRAWS, still, answer }))] : [_("Move the slider."), ""];
      slider.show(state[name]);
      [chosen, random].forEach(({ x }, n) => {
        this.paint(pictures[n].canvas, x);
        pictures[n].caption.textContent = captions[n];
        set(pictures[n].canvas, "aria-label", [title, chance][n]);
      });
    }
  }
}

/** Say what the network says, and whether it doubts it, as draw-digit does. */
function saidOf({ answer, shares, doubtful }) {
  const words = { answer, share: percentSaid(shares[answer]) };
  return sentences(_("The network says {answer}, with {share}.", words),
    doubtful && _("But this is unlike the digits that it knows: is it one?"));
}

customElements.define("explain-digit", ExplainDigit);

/** Put such a figure, with its style, below an element of a draw-digit; return it. */
export function explainBelow(place) {
  const href = new URL("./style.css", import.meta.url);
  const figure = element("explain-digit", { tabindex: -1 });
  document.head.append(element("link", { rel: "stylesheet", href }));
  place.after(figure);
  return figure;
}
