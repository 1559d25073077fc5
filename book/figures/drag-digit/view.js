// Drag the digit: a map and its pooled map follow; of two networks that read the digit, the one
// with global pooling hardly minds.

import { digitBars } from "../shared/bars.js";
import { greyColour, paint } from "../shared/colour.js";
import { ARROWS, button, choice, sampleButtons } from "../shared/controls.js";
import { element, set } from "../shared/element.js";
import { Figure } from "../shared/figure.js";
import { formatNumber, range } from "../shared/numbers.js";
import { picture } from "../shared/picture.js";
import { _, sentences } from "../shared/words.js";
import {
  addressOf, ASKED, difference, forward, losesInk, mapOf, MAPS, moved, moveIn, NAMES, NETWORKS,
  readNetworks, stateFrom, whichChanges,
} from "./model.js";

class DragDigit extends Figure {
  static names = NAMES;
  static stateFrom = stateFrom;
  static addressOf = addressOf;

  grip = null; // while the pointer holds the digit: [row, column] of the pointer, less the move

  async load() {
    const response = await fetch(new URL("./networks.safetensors", import.meta.url));
    if (!response.ok) throw new Error(`networks.safetensors: ${response.status}`);
    this.data = readNetworks(await response.arrayBuffer());
  }

  question() {
    return {
      question: _("Two networks read this digit. They differ in one layer: one lays all numbers " +
        "of its last maps in a row (flatten), one keeps only the largest of each map (global " +
        "pooling). You move the digit by 4 pixels to the right. Which network changes its " +
        "answer?"),
      answers: [_("flatten"), _("global pooling"), _("both"), _("neither")],
      right: whichChanges(this.result.before, this.read(ASKED)),
      explain: _("To flatten, a number in another place is another number. Of 6,240 test digits " +
        "moved like this, flatten changes its answer on 30 %, global pooling on 0.4 %. What it " +
        "pays: of all test digits, unmoved, it reads 98.2 %, flatten 99.1 %. Now drag the " +
        "digit."),
    };
  }

  answered() {
    const asked = this.gate.querySelector("p"); // folds, for digit and answers to fit a screen
    const fold = element("details", { class: "asked" },
      element("summary", {}, _("The question")));
    asked.replaceWith(fold);
    fold.append(asked);
    this.asking = false;
    this.change({ move: [...ASKED] });
  }

  // ---- Build -----------------------------------------------------------------------------------

  build() {
    this.digit = picture({
      label: _("The digit: drag it, or move it with the arrow keys"), frames: [],
      pick: (at, event) => this.drag(at, event), lift: () => { this.grip = null; },
      onKey: (event) => this.onKey(event),
    });
    this.map = picture({ frames: [] });
    this.pooled = picture({ frames: [] });
    const arrow = (key, sign, label) =>
      button(sign, () => this.step(ARROWS[key]), { "aria-label": label });
    this.arrows = element("div", { class: "figure-row arrows" },
      arrow("ArrowUp", "↑", _("Move the digit up")),
      arrow("ArrowDown", "↓", _("Move the digit down")),
      arrow("ArrowLeft", "←", _("Move the digit left")),
      arrow("ArrowRight", "→", _("Move the digit right")),
      button(_("Back to its place"), () => this.change({ move: [0, 0] })));
    this.said = element("p", { class: "said", "aria-live": "polite", "data-part": "answers" });
    this.differences = element("p", { "data-part": "differences" });
    const names = networkNames();
    this.answers = Object.fromEntries(NETWORKS.map((name) => {
      const [bars, caption] = [digitBars(names[name], 0), element("p")];
      const root = element("div", {}, element("strong", {}, names[name]), caption, bars.root);
      return [name, { root, bars, caption }];
    }));
    this.samples = sampleButtons((digit) => this.change({ digit }));
    this.kernel = choice(_("Kernel (global pooling)"),
      Object.fromEntries(range(MAPS, (n) => [n + 1, String(n + 1)])),
      (map) => this.change({ map: Number(map) }));
    this.options = element("fieldset", { class: "options", "aria-label": _("Options") },
      element("strong", {}, _("Another digit:")), this.samples,
      element("p", { class: "hint" }, _("Moved 4 to the right, of these ten only 1 and 6 change " +
        "flatten's answer: try 1 and 6, or other moves.")), this.kernel.root);
    this.append(this.gate, element("div", { class: "parts" },
      this.digit.root, this.arrows, this.said,
      element("div", { class: "answers" }, NETWORKS.map((name) => this.answers[name].root)),
      this.map.root, this.pooled.root, this.differences, this.options));
  }

  // ---- What the reader does --------------------------------------------------------------------

  drag(at, event) {
    if (event.type === "pointerdown") {
      this.digit.pad.setPointerCapture(event.pointerId);
      this.grip = at.map((place, axis) => place - this.state.move[axis]);
    } else if (this.grip && event.buttons & 1) {
      this.go(at.map((place, axis) => place - this.grip[axis]));
    }
  }

  onKey(event) {
    const by = event.key === "Home" ? this.state.move.map((each) => -each) : ARROWS[event.key];
    if (!by || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.step(by);
  }

  step(by) {
    this.go(this.state.move.map((each, axis) => each + by[axis]));
  }

  /** Move the digit, as far as it goes. */
  go(move) {
    const next = moveIn(move);
    if (next.join() !== this.state.move.join()) this.change({ move: next });
  }

  // ---- What follows from the state -------------------------------------------------------------

  /** Return what each network makes of the digit moved [down, right]: {name: ...}. */
  read(move) {
    const x = moved(this.data.samples[this.state.digit], this.data.side, move);
    return Object.fromEntries(NETWORKS.map((name) =>
      [name, forward(name, this.data.networks[name], x, this.data.side)]));
  }

  compute() {
    const { digit, move, map } = this.state;
    const [before, after] = [this.read([0, 0]), this.read(move)];
    const maps = ["conv1", "pool1"].map((layer) => {
      const [rest, now] = [before, after].map((read) => mapOf(read.global[layer], map));
      const limit = Math.max(...rest.values, 1e-9);
      const largest = Math.max(...now.values);
      return { ...now, limit, largest, changed: difference(rest.values, now.values) };
    });
    const lost = losesInk(this.data.samples[digit], this.data.side, move);
    this.result = { before, after, maps, lost };
  }

  // ---- Show ------------------------------------------------------------------------------------

  render() {
    const { state: { digit, move, map }, asking, result: { after, maps } } = this;
    this.digit.pad.inert = asking;
    for (const part of [this.arrows, this.said, this.options, this.differences]) {
      part.hidden = asking;
    }
    this.kernel.show(map);
    const { samples, side } = this.data;
    const where = moveWords(move);
    [...this.samples.children].forEach((each, n) =>
      set(each, "aria-pressed", String(n === digit)));
    paint(this.digit.canvas, moved(samples[digit], side, move), side, side, greyColour);
    this.digit.show(side, side, []);
    this.digit.caption.textContent = _("The digit, {where}", { where });
    set(this.digit.canvas, "aria-label", _("A test digit, {digit}, white on black, {where}",
      { digit, where }));
    [this.map, this.pooled].forEach((part, n) => {
      const { size, values, limit, largest } = maps[n];
      paint(part.canvas, values, size, size, (value) => greyColour(value / limit));
      part.show(size, size, []);
      const words = { map, size, largest: formatNumber(largest, 2) };
      part.caption.textContent = n
        ? _("The largest of each 2 × 2 of it: {size} × {size}", words)
        : _("What kernel {map} of global pooling finds: {size} × {size}", words);
      set(part.canvas, "aria-label", n
        ? _("The pooled map, {size} by {size} numbers, the largest {largest}", words)
        : _("The map of kernel {map} of global pooling, {size} by {size} numbers, the largest " +
          "{largest}", words));
    });
    for (const name of NETWORKS) {
      this.answers[name].bars.show(after[name].shares, after[name].answer);
      this.answers[name].caption.textContent = this.answer(name);
    }
    this.said.textContent = this.verdict();
    this.differences.textContent = this.changes();
  }

  /** Say what a network says, and what it said before. */
  answer(name) {
    const [was, now] = [this.result.before, this.result.after].map((read) => read[name].answer);
    return now === was ? _("says {now}", { now }) : _("says {now}, said {was}", { now, was });
  }

  /** Say which answers have changed. */
  verdict() {
    const { state: { move }, result: { before, after, lost } } = this;
    const where = moveWords(move);
    return sentences([
      _("Moved {where}: only flatten changes its answer.", { where }),
      _("Moved {where}: only global pooling changes its answer.", { where }),
      _("Moved {where}: both change their answer.", { where }),
      move.some(Boolean) ? _("Moved {where}: neither changes its answer.", { where })
        : _("The digit is in its place."),
    ][whichChanges(before, after)], lost && _("Some of its ink has left the image."));
  }

  /** Say how much the maps have changed. */
  changes() {
    const { result: { maps: [map, pooled] } } = this;
    const percent = (share) => formatNumber(100 * share, 0);
    const [rest, now] = [Math.max(...mapOf(this.result.before.global.pool1,
      this.state.map).values), pooled.largest].map((value) => formatNumber(value, 2));
    const words = { map: percent(map.changed), pooled: percent(pooled.changed), rest, now };
    return sentences(
      _("Since the digit was in its place, the map has changed by {map} % and the pooled map by " +
        "{pooled} % (0 %: the same, 100 %: nothing in common).", words),
      rest === now ? _("The map's largest number is still {now}; of its last maps, global " +
        "pooling keeps only the largest.", words)
        : _("The map's largest number was {rest} and is {now}; of its last maps, global pooling " +
          "keeps only the largest.", words));
  }
}

// ---- Words -------------------------------------------------------------------------------------

function networkNames() {
  return { flatten: _("Flatten"), global: _("Global pooling") };
}

/** Say a move, [down, right], in words. */
function moveWords([down, right]) {
  const parts = [
    down < 0 && _("{count} up", { count: -down }), down > 0 && _("{count} down", { count: down }),
    right < 0 && _("{count} to the left", { count: -right }),
    right > 0 && _("{count} to the right", { count: right }),
  ].filter(Boolean);
  return parts.length ? parts.join(", ") : _("in its place");
}

customElements.define("drag-digit", DragDigit);
