// Draw a doodle: the reader's strokes, drawn as the data set draws them, through an integer
// network, live. The network is fetched when the reader begins. With the attribute `compact` there
// is no look inside.

import { makeBars, percentSaid } from "../shared/bars.js";
import { greyColour, paint } from "../shared/colour.js";
import { ARROWS, button, choice, numberField } from "../shared/controls.js";
import { element, set, write } from "../shared/element.js";
import { clamp, formatNumber } from "../shared/numbers.js";
import { PadFigure } from "../shared/pad.js";
import { picture } from "../shared/picture.js";
import { _, sentences } from "../shared/words.js";
import {
  addressOf, around, decode, drawingOf, forward, isDot, judge, mapPixels, NAMES, PIXELS, placeIn,
  rasterise, readNetwork, recordOf, simplify, stateFrom, valueAt, WORDS,
} from "./model.js";

const LIKELIEST = 3; // words that get a bar
const CHAPTER = "23_ship_it.html"; // beside the only page where one can look inside
const AROUND = 7; // integers along a side of the table

class DrawDoodle extends PadFigure {
  static names = NAMES;
  static stateFrom = stateFrom;
  static addressOf = addressOf;

  none = { simple: null };

  // ---- The network comes when it is needed -----------------------------------------------------

  async load() {
    if (this.state.given) await this.fetchNetwork();
    for (const kind of ["focusin", "pointerdown", "keydown"]) { // Safari focuses no button
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
      if (!this.isDrawing) this.update(); // else the end of the stroke does
      else if (done) this.showDrawing();
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
    this.waits = element("p", {}, _("The integers come with the network's file."));
    this.inside = this.hasAttribute("compact") ? null : element("details",
      { class: "inside", ontoggle: () => this.begun() },
      element("summary", {}, _("Look inside: the integers of a layer")), this.waits);
    const samples = element("details", { class: "ours" },
      element("summary", {}, _("Or take one of ours")),
      element("div", { class: "samples", role: "group", "aria-label": _("Doodles of this book") },
        WORDS.map((word) => button(this.words[word], () => this.take(word),
          { "aria-label": _("{word}: a doodle", { word: this.words[word] }) }))));
    this.append(
      element("p", {}, _("The network knows ten words: {words}. Draw one of them.",
        { words: WORDS.map((word) => this.words[word]).join(", ") })),
      element("div", { class: "panes" }, draw,
        element("div", { class: "answer" }, this.gate, this.status, this.bars.root,
          element("figure", { class: "read" }, this.input, this.caption), this.record),
        element("div", { class: "more" }, samples, hint,
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
    this.waits.replaceWith(
      element("p", {}, _("All weights and all values between layers are integers from −128 to " +
        "127. Sums of their products are larger: a multiplier brings each back. Black stands " +
        "for 0, which is the integer {zero} where a layer cuts off what is below.",
      { zero: formatNumber(this.network.layers[0].zero) }), " ",
      element("a", { href: CHAPTER }, _("Chapter 23 makes such a network."))));
    this.inside.append(
      this.layer.root, element("div", { class: "figure-row" }, this.map.root),
      element("div", { class: "figure-halves" }, this.view.root,
        element("div", {}, this.seen, this.table)),
      this.last = element("p", { class: "note" }));
  }

  // ---- What the reader does --------------------------------------------------------------------

  /** Take a doodle of the book. */
  async take(word) {
    const wish = this.wish = Symbol(word); // until there is another, or a stroke
    if (!this.network && !await this.begun()) return;
    if (this.wish === wish) this.finish(drawingOf(decode(this.network.samples[word])));
  }

  begin(point) {
    this.wish = null;
    super.begin(point);
  }

  finish(some = {}) {
    this.wish = null;
    super.finish(some);
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
      answers: WORDS.map((word) => this.words[word]), right: said.unsure ? null : said.answer,
      explain: this.said(),
    };
  }

  /** The network's answer in words. */
  said() {
    const { shares, answer, unsure } = this.result.said;
    const said = { word: this.words[WORDS[answer]], share: percentSaid(shares[answer]) };
    return unsure
      ? _("The network is not sure. Likeliest of its words: {word}, {share}.", said)
      : _("The network says {word}, with {share}.", said);
  }

  /** What it did with drawings that it had never seen, where it gave this answer. */
  recordSaid() {
    const { network, result: { said: { answer } } } = this;
    const { other, taken, ...record } = recordOf(network, answer);
    const named = (n) => this.words[WORDS[n]];
    const known = { ...record, all: record.all.toLocaleString("en"), word: named(answer),
      other: named(other), taken: named(taken) };
    return sentences(
      _("Of {all} drawings of these ten words that it had never seen, it said “{word}” for " +
        "{said}, rightly for {right}.", known),
      record.others > 0 && _("The others were most often “{other}” ({others}).", known),
      record.times > 0 && _("Of the {own} that were “{word}”, it took {times} for “{taken}”.",
        known),
      _("It has no other word: a star of five lines becomes an airplane, with 99\u00a0%."));
  }

  // ---- Show ------------------------------------------------------------------------------------

  render() {
    this.renderDrawing();
    const { said } = this.result;
    write(this.status, this.statusLine());
    this.status.classList.toggle("figure-error", Boolean(this.failed));
    this.status.classList.toggle("spoken", Boolean(this.asking && said)); // the question is seen
    write(this.record, said && !this.asking && !said.unsure ? this.recordSaid() : "");
  }

  /** What the line below the question says; the question itself says the answer it has had. */
  statusLine() {
    if (this.failed) {
      return _("The network's file did not arrive as it should. Draw on, and it is fetched again.");
    }
    if (!this.result.said) return this.waitingSaid();
    if (this.asking) return _("Now guess what it will say.");
    return this.isSaid ? "" : this.said();
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
    this.toggleAttribute("data-blank", this.isBlank);
    paint(this.input, bytes, PIXELS, PIXELS, (byte) => greyColour(byte / 255));
    this.caption.textContent = this.captionSaid();
    for (let n = 0; n < LIKELIEST; n += 1) {
      const word = said && !asking ? said.ranked[n] : null;
      this.bars.show(n, { name: word === null ? "?" : this.words[WORDS[word]],
        share: word === null ? null : said.shares[word], decimals: 1,
        best: n === 0 && word !== null && !said.unsure });
    }
    if (network && this.inside) this.renderInside();
  }

  captionSaid() {
    const { ink } = this.state;
    const [points, kept] = [ink, this.result.strokes ?? []].map((each) => each.flat().length);
    if (!kept) return _("What the network reads: {side} × {side} pixels", { side: PIXELS });
    const words = { points, kept, side: PIXELS };
    return points === kept
      ? _("What the network reads: {points} points, as {side} × {side} pixels", words)
      : _("What the network reads: {points} points, simplified to {kept}, as {side} × {side} " +
        "pixels", words);
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
