// Draw a doodle: the reader's strokes, drawn as the data set draws them, through an integer
// network, live. The network is fetched when the reader begins. With the attribute `compact` there
// is no look inside.

import { makeBars } from "../shared/bars.js";
import { greyColour, paint } from "../shared/colour.js";
import { ARROWS, button, choice, numberField } from "../shared/controls.js";
import { element, set } from "../shared/element.js";
import { clamp, formatNumber } from "../shared/numbers.js";
import { PadFigure } from "../shared/pad.js";
import { picture } from "../shared/picture.js";
import { _, sentences } from "../shared/words.js";
import {
  addressOf, around, decode, drawingOf, forward, isDot, judge, mapPixels, NAMES, PIXELS, placeIn,
  rasterise, readNetwork, recordOf, simplify, stateFrom, valueAt, WORDS,
} from "./model.js";

const LIKELIEST = 3; // words that get a bar
const AROUND = 7; // integers along a side of the table

class DrawDoodle extends PadFigure {
  static names = NAMES;
  static stateFrom = stateFrom;
  static addressOf = addressOf;

  none = { simple: null };

  // ---- The network comes when it is needed -----------------------------------------------------

  async load() {
    if (this.state.given) await this.fetchNetwork();
    for (const kind of ["focusin", "pointerdown"]) { // Safari focuses no button
      this.addEventListener(kind, () => this.begun());
    }
  }

  async fetchNetwork() {
    const response = await fetch(new URL("./network.safetensors", import.meta.url));
    if (!response.ok) throw new Error(`network.safetensors: ${response.status}`);
    this.network = readNetwork(await response.arrayBuffer());
    if (this.network.names.join() !== WORDS.join()) throw new Error("other words");
  }

  /** The reader has begun: fetch the network, unless it is there or on its way. */
  begun() {
    if (this.network) return undefined;
    this.fetching ??= this.fetchNetwork().then(() => true, () => false).then((done) => {
      this.failed = !done;
      if (!done) this.network = this.fetching = undefined; // the next touch tries again
      this.update();
      return done;
    });
    return this.fetching;
  }

  // ---- Build -----------------------------------------------------------------------------------

  build() {
    this.words = words();
    const [draw, hint] = this.buildField();
    this.status = element("p", { class: "status", "aria-live": "polite" });
    this.bars = makeBars(LIKELIEST, _("The likeliest"));
    this.record = element("p", { class: "note" });
    this.input = element("canvas", { role: "img", width: PIXELS, height: PIXELS,
      "aria-label": _("What the network reads, {side} by {side} pixels", { side: PIXELS }) });
    this.caption = element("figcaption");
    this.inside = this.hasAttribute("compact") ? null : element("details", { class: "inside" },
      element("summary", {}, _("Look inside: the integers of a layer")));
    this.append(
      element("p", {}, _("The network knows ten words. Draw one of them, or press it to take a " +
        "doodle by this book's authors.")),
      element("div", { class: "samples", role: "group", "aria-label": _("Doodles of this book") },
        WORDS.map((word) => button(this.words[word], () => this.take(word),
          { "aria-label": _("{word}: a doodle", { word: this.words[word] }) }))),
      element("div", { class: "panes" }, draw,
        element("div", { class: "answer" }, this.gate, this.status, this.bars.root,
          element("figure", { class: "read" }, this.input, this.caption), this.record),
        element("div", { class: "more" }, hint,
          element("p", { class: "note" }, _("The network learned from drawings of players of " +
            "Quick, Draw! (Google, CC BY 4.0). It does not learn from yours, which stays on this " +
            "page.")))));
    if (this.inside) this.append(this.inside);
  }

  /** Make the look inside, once the network is there. */
  buildInside() {
    const names = this.layers = layerNames(this.network);
    this.layer = choice(_("Layer"), names, (layer) => this.look(layer, ...this.place));
    this.map = numberField(_("Map"), { min: 0, step: 1, onInput: (text) => {
      if (/^\d+$/.test(text)) this.look(this.state.look[0], Number(text), ...this.place.slice(1));
    } });
    this.view = picture({
      label: _("A map: point at a pixel, or move with the arrow keys"), tap: true,
      pick: (at) => this.look(...this.state.look.slice(0, 2), ...at),
      onKey: (event) => this.onKey(event),
    });
    this.table = element("table", {});
    this.seen = element("p", { "aria-live": "polite" });
    this.inside.append(
      element("p", {}, _("All that the network computes with are integers from −128 to 127. " +
        "Black stands for 0, which is the integer {zero} where a layer cuts off what is below.",
      { zero: formatNumber(this.network.layers[0].zero) })),
      this.layer.root, element("div", { class: "figure-row" }, this.map.root),
      element("div", { class: "figure-halves" }, this.view.root,
        element("div", {}, this.seen, this.table)),
      this.last = element("p", { class: "note" }));
  }

  // ---- What the reader does --------------------------------------------------------------------

  /** Take a doodle of the book. */
  async take(word) {
    if (!this.network && !await this.begun()) return;
    this.finish(drawingOf(decode(this.network.samples[word])));
  }

  look(...place) {
    this.change({ look: placeIn(this.maps, place) });
  }

  onKey(event) {
    const by = ARROWS[event.key];
    if (!by || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const [name, map, ...at] = this.state.look;
    const last = this.maps[name].size - 1;
    this.look(name, map, ...at.map((value, axis) => clamp(value + by[axis], 0, last)));
  }

  // ---- What follows from the state -------------------------------------------------------------

  invitation() {
    return _("Draw here");
  }

  /** The chosen [map, row, column]. */
  get place() {
    return this.state.look.slice(1);
  }

  compute() {
    const { network, state: { ink, simple } } = this;
    const strokes = !this.isBlank && !isDot(ink) ? simple ?? simplify(ink) : null;
    const bytes = strokes ? rasterise(strokes) : new Uint8Array(PIXELS * PIXELS);
    this.result = { strokes, bytes };
    if (!network) return;
    const { logits, maps } = forward(network, bytes);
    this.maps = maps;
    this.state.look = placeIn(maps, this.state.look);
    if (strokes) this.result.said = { logits, ...judge(network, logits) };
  }

  question() {
    const { said } = this.result;
    return said && {
      question: _("Which word will the network say?"),
      answers: WORDS.map((word) => this.words[word]), right: said.answer, explain: this.said(),
    };
  }

  /** The network's answer in words. */
  said() {
    const { shares, answer, unsure } = this.result.said;
    const said = { word: this.words[WORDS[answer]], share: formatNumber(100 * shares[answer], 1) };
    return unsure
      ? _("The network is not sure. Likeliest of its words: {word}, {share}\u00a0%.", said)
      : _("The network says {word}, with {share}\u00a0%.", said);
  }

  /** What it did with drawings that it had never seen, where it gave this answer. */
  recordSaid() {
    const { network, result: { said: { answer } } } = this;
    const { other, taken, ...record } = recordOf(network, answer);
    const named = (n) => this.words[WORDS[n]];
    const known = { ...record, all: record.all.toLocaleString("en"), word: named(answer),
      other: named(other), taken: named(taken) };
    return sentences(
      _("Of {all} drawings that it had never seen, it said “{word}” {said} times, {right} times " +
        "rightly.", known),
      record.others > 0 && _("Its most frequent error there: “{other}” ({others}).", known),
      record.times > 0 && _("Of the {own} that were “{word}”, it took {times} for “{taken}”.",
        known));
  }

  // ---- Show ------------------------------------------------------------------------------------

  render() {
    this.renderDrawing();
    const { said } = this.result;
    this.status.textContent = this.failed
      ? _("The network's file did not arrive as it should. Draw on, and it is fetched again.")
      : said ? (this.asking ? "" : this.said()) : this.waitingSaid();
    this.status.classList.toggle("figure-error", Boolean(this.failed));
    this.record.textContent = said && !this.asking ? this.recordSaid() : "";
  }

  /** Say what is missing to an answer. */
  waitingSaid() {
    if (this.isBlank) {
      return this.asking ? _("Draw, then guess what the network will say.") : _("Draw something.");
    }
    return this.result.strokes ? _("The network is on its way.") : _("A dot: draw a little more.");
  }

  /** Show everything but the sentences about it. */
  renderDrawing() {
    const { asking, network, result: { strokes, bytes, said } } = this;
    this.renderPad();
    paint(this.input, bytes, PIXELS, PIXELS, (byte) => greyColour(byte / 255));
    this.caption.textContent = strokes
      ? _("What the network reads: {points} points, simplified to {kept}, as {side} × {side} " +
        "pixels", { points: this.state.ink.flat().length, kept: strokes.flat().length,
        side: PIXELS })
      : _("What the network reads: {side} × {side} pixels", { side: PIXELS });
    for (let n = 0; n < LIKELIEST; n += 1) {
      const word = said && !asking ? said.ranked[n] : null;
      this.bars.show(n, { name: word === null ? "?" : this.words[WORDS[word]],
        share: word === null ? null : said.shares[word], decimals: 1,
        best: n === 0 && word !== null });
    }
    if (network && this.inside) this.renderInside();
  }

  renderInside() {
    if (!this.layer) this.buildInside();
    const { maps, place, result: { said }, network: { output }, asking } = this;
    const [name, map, row, column] = this.state.look;
    const layer = maps[name];
    const { size, channels, scale, zero } = layer;
    const value = valueAt(layer, place);
    const nought = zero < 0 ? `(${formatNumber(zero)})` : zero;
    this.layer.show(name);
    this.map.input.max = channels - 1;
    if (Number(this.map.input.value) !== map || !this.map.input.value) this.map.input.value = map;
    paint(this.view.canvas, mapPixels(layer, map), size, size, greyColour);
    this.view.show(size, size, [[[row, column], 1]]);
    const shown = { layer: this.layers[name], map, most: channels - 1, size };
    this.view.caption.textContent = _("{layer}: map {map} of 0 to {most}, {size} × {size} integers",
      shown);
    set(this.view.canvas, "aria-label", this.view.caption.textContent);
    this.seen.textContent = _("{layer}, map {map}, row {row}, column {column}: the integer " +
      "{value}. It stands for ({value} − {zero}) × {scale} = {real}.", { ...shown, row, column,
      value: formatNumber(value), zero: nought, scale: formatNumber(scale, 5),
      real: formatNumber((value - zero) * scale, 3) });
    const { top, left, rows } = around(layer, place, AROUND);
    this.table.replaceChildren(element("caption", {}, _("The integers around it")),
      element("tbody", {}, rows.map((each, i) => element("tr", {}, each.map((integer, j) =>
        element("td", { class: top + i === row && left + j === column && "middle" },
          formatNumber(integer)))))));
    const list = said && WORDS.map((word, n) =>
      `${this.words[word]} ${formatNumber(said.logits[n])}`).join(", ");
    this.last.textContent = said && !asking ? _("The integers at the end, each step worth " +
      "{scale} of a logit: {list}.", { scale: formatNumber(output.scale, 3), list }) : "";
  }
}

// ---- Words -------------------------------------------------------------------------------------

/** Return the network's words in the language of the page. */
function words() {
  return {
    airplane: _("airplane"), "alarm clock": _("alarm clock"), banana: _("banana"), bird: _("bird"),
    book: _("book"), cat: _("cat"), dog: _("dog"), flower: _("flower"), house: _("house"),
    rainbow: _("rainbow"),
  };
}

/** Return {name: what it is called} of the input and each layer that has maps. */
function layerNames({ layers }) {
  const names = { input: _("input") };
  layers.filter(({ kind }) => kind === "Conv2D").forEach((layer, n) => {
    names[`conv${n + 1}`] = _("convolution {n}", { n: n + 1 });
    names[`pool${n + 1}`] = _("pooling {n}", { n: n + 1 });
  });
  return names;
}

customElements.define("draw-doodle", DrawDoodle);
