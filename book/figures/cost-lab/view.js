// Cost lab: what each way to a convolution multiplies and moves, where they cross, and what they
// take in the reader's own browser, which worker.js measures.

import { COLOURS } from "../shared/colour.js";
import { button, choice, markInvalid, sliderField } from "../shared/controls.js";
import { element, set } from "../shared/element.js";
import { Figure } from "../shared/figure.js";
import { clamp, formatNumber, range } from "../shared/numbers.js";
import { parseInteger } from "../shared/parse.js";
import { _, sentences } from "../shared/words.js";
import {
  addressOf, cheapest, costOf, formulas, linesOf, METHODS, NAMES, passing, roof, scaled, settingsOf,
  SIZES, stateFrom, waysOf,
} from "./model.js";

const DASHES = ["", "7 5", "2 4", "10 4 2 4"]; // of the ways' lines, beside their colours
const KERNELS = [1, 3, 7, 15, 31, 63]; // below the chart
const MOST = SIZES.F.most;
const FIXED = { "vector-effect": "non-scaling-stroke" };

class CostLab extends Figure {
  static names = NAMES;
  static stateFrom = stateFrom;
  static addressOf = addressOf;

  machine = null; // the best that was measured of it
  measured = {}; // by all settings but F, then by F: results as worker.js tells them
  problem = "";
  said = ""; // of the last measurement

  question() {
    return {
      question: _("A kernel of 31 by 31, a column times a row, slides over 128 by 128 pixels. " +
        "Which way needs the fewest multiply-adds?"),
      answers: [_("direct loops"), _("im2col and a matrix product"), _("two thin kernels"),
        _("an FFT")],
      right: 2,
      explain: _("A column, then a row: 2 · 31 multiply-adds an output instead of 31 · 31, 1.02 " +
        "million in all. The FFT has 8.13 million, the loops 15.7 million, and im2col as many: " +
        "it only arranges them. But few kernels are a column times a row, and the fewest " +
        "multiply-adds are not yet the least time. Change the numbers, then measure."),
    };
  }

  // ---- Build -----------------------------------------------------------------------------------

  build() {
    const names = { F: _("Kernel F"), W: _("Input side"), C: _("Channels in"),
      K: _("Channels out"), S: _("Stride") };
    this.fields = Object.fromEntries(Object.entries(SIZES).map(([name, { least, most }]) =>
      [name, sliderField(names[name], { value: this.state[name], min: least, max: most,
        limit: most, onInput: (text) => this.type(name, text, names[name]) })]));
    this.rank = choice(_("Kernels"), { one: _("column times row"), any: _("any") },
      (rank) => this.change({ rank }));
    this.method = choice(_("Way"), Object.fromEntries(Object.entries(shortNames())
      .map(([method, text]) => [method, [sign(method), text]])),
    (method) => this.change({ method }));
    this.cost = choice(_("Draw"), { macs: _("multiply-adds"), bytes: _("bytes"),
      seconds: _("least time") }, (cost) => this.change({ cost }));
    this.error = element("p", { class: "figure-error", role: "alert" });
    this.summary = element("p", { "aria-live": "polite", "data-part": "summary" });
    this.formula = element("p", { class: "formula" });
    this.chart = chart((F) => this.setKernel(F));
    this.toggle = button("", () => (this.worker ? this.stop(_("Stopped: nothing was measured."))
      : this.measure()));
    this.live = element("p", { "aria-live": "polite", "data-part": "live" });
    this.heads = METHODS.map((method) =>
      element("th", { scope: "col" }, sign(method), shortNames()[method]));
    this.rows = Object.fromEntries(Object.entries(rowNames()).map(([name, text]) => {
      const cells = METHODS.map(() => element("td"));
      return [name, { cells,
        root: element("tr", {}, element("th", { scope: "row" }, text), cells) }];
    }));
    const table = element("table", {}, element("thead", {},
      element("tr", {}, element("td"), this.heads)),
    element("tbody", {}, Object.values(this.rows).map(({ root }) => root)));
    this.crossing = element("p", { "aria-live": "polite", "data-part": "crossing" });
    this.why = element("p", { class: "hint" }, _("The least time is the roofline's: all " +
      "multiply-adds at your browser's peak, or all bytes as fast as it copies a large array, " +
      "whichever is longer. What is measured differs. Numbers also have to be found and loaded, " +
      "sums wait for one another, an FFT jumps about in memory, and other programs want the " +
      "processor; arrays that stay in a cache travel faster than a large copy. And all of this " +
      "is JavaScript: one thread, one number at a time. TensorFlow uses all cores, and several " +
      "numbers an instruction (SIMD)."));
    this.tools = element("div", {},
      element("fieldset", { "aria-label": _("Settings") },
        element("div", { class: "fields" }, Object.values(this.fields).map(({ root }) => root)),
        this.rank.root),
      this.method.root, this.cost.root, this.error, this.chart.root, this.crossing,
      element("div", { class: "figure-row" }, this.toggle, this.live), table,
      this.summary, this.formula, this.why,
      element("p", { class: "hint" }, _("k, M, G: thousand, million, thousand million. A number " +
        "has 4 bytes. The input is read once, the output written once, and what a way makes in " +
        "between, such as im2col's matrix, written once and read once. A multiply-add is two " +
        "operations, so two operations of an FFT count as one. It is a plain FFT: complex " +
        "numbers, the side a power of two. A library's needs half as many, or fewer. Padding: " +
        "SAME.")));
    this.append(this.gate, this.tools);
  }

  // ---- What the reader does --------------------------------------------------------------------

  type(name, text, label) {
    const { least, most } = SIZES[name];
    const value = parseInteger(text, least, most);
    markInvalid(this.fields[name].input, value === null);
    this.problem = value === null
      ? _("{label} must be a whole number from {least} to {most}.", { label, least, most }) : "";
    this.change(value !== null && { [name]: value });
  }

  setKernel(F) {
    this.fields.F.show(F);
    this.type("F", String(F));
  }

  measure() {
    this.problem = "";
    const broken = () => this.stop("", _("This browser could not measure. Please try again; the " +
      "chapter's own cells measure, too."));
    try {
      this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    } catch {
      return broken();
    }
    const { F, ...others } = this.result.settings;
    this.worker.onerror = broken;
    this.worker.onmessage = ({ data }) => {
      if (data.problem) return broken();
      this.take(F, JSON.stringify(others), data);
    };
    this.worker.postMessage({ F, ...others });
    this.said = _("Measuring, for two seconds.");
    this.update();
  }

  stop(said, problem = "") {
    this.worker?.terminate();
    this.worker = undefined;
    [this.said, this.problem] = [said, problem];
    this.update();
  }

  /** Take in what was measured. */
  take(F, others, { machine: { peak, band }, results }) {
    const { machine } = this;
    this.machine = { peak: Math.max(peak, machine?.peak ?? 0),
      band: Math.max(band, machine?.band ?? 0) };
    this.measured[others] = { ...this.measured[others], [F]: results };
    const settings = { F, ...JSON.parse(others) };
    const first = (times) => Object.keys(times).sort((a, b) => times[a] - times[b])[0];
    const names = shortNames();
    const times = Object.fromEntries(Object.entries(results).filter(([, { left }]) => !left)
      .map(([method, { seconds }]) => [method, seconds]));
    const allowed = Object.fromEntries(Object.keys(times).map((method) =>
      [method, roof(costOf(method, settings), this.machine).seconds]));
    const [fastest, expected] = [first(times), first(allowed)];
    this.state.cost = "seconds";
    this.stop(sentences(
      fastest ? _("Fastest here at F = {F}: {way}, {time}; the roofline allows {least}.",
        { F, way: names[fastest], time: time(times[fastest]), least: time(allowed[fastest]) })
        : _("Nothing here fits into two seconds and 134 MB: take smaller numbers."),
      fastest !== expected && _("It expects {way} to be the fastest.", { way: names[expected] }),
      _("Your browser makes at most {peak} multiply-adds and moves {band} a second.",
        { peak: amount(this.machine.peak), band: bytes(this.machine.band) })));
  }

  // ---- What follows from the state -------------------------------------------------------------

  compute() {
    const settings = settingsOf(this.state);
    const { F, ...others } = settings;
    const ways = waysOf(settings);
    const costs = Object.fromEntries(ways.map((method) => [method, costOf(method, settings)]));
    const found = this.measured[JSON.stringify(others)] ?? {};
    const lines = linesOf(this.state.cost, settings, this.machine);
    this.result = { ways, costs, found, lines, settings };
  }

  // ---- Show ------------------------------------------------------------------------------------

  render() {
    const { asking, machine, worker, problem, said } = this;
    const { F, method, cost, rank } = this.state;
    const { ways, costs, found, lines, settings } = this.result;
    this.tools.hidden = asking;
    this.rank.show(rank);
    this.method.show(method);
    this.cost.show(cost);
    this.cost.root.lastChild.hidden = this.why.hidden = !machine;
    const known = costs[method];
    this.summary.textContent = known
      ? _("{way}, F = {F}: {macs} multiply-adds, {bytes} moved, {each} multiply-adds a byte.",
        { way: longNames()[method], F, macs: amount(known.macs), bytes: bytes(known.bytes),
          each: ratio(known) })
      : _("Only a kernel that is a column times a row can be two thin ones.");
    const [macsOf, bytesOf] = known ? formulas(method, settings) : ["", ""];
    this.formula.replaceChildren(...known ? [_("Multiply-adds: {formula}", { formula: macsOf }),
      _("Bytes: {formula}", { formula: bytesOf })].map((text) => element("span", {}, text)) : []);
    this.crossing.textContent = crossings(lines, cost);
    const marks = Object.entries(found).flatMap(([at, results]) => Object.entries(results)
      .filter(([, { left }]) => !left).map(([way, { seconds }]) => [way, Number(at), seconds]));
    this.chart.show(lines, method, F, cost, cost === "seconds" ? marks : []);
    METHODS.forEach((way, n) => this.heads[n].classList.toggle("chosen", way === method));
    for (const [name, { root, cells }] of Object.entries(this.rows)) {
      root.hidden = !machine && !["macs", "bytes", "each"].includes(name);
      if (!root.hidden) cells.forEach((cell, n) => {
        const way = METHODS[n];
        cell.textContent = ways.includes(way)
          ? written(name, costs[way], machine, found[F]?.[way]) : "–";
        cell.classList.toggle("chosen", way === method);
      });
    }
    this.error.textContent = problem;
    this.toggle.textContent = worker ? _("Stop")
      : _("Measure at F = {F} in this browser", { F });
    this.live.textContent = said;
  }
}

// ---- Words -------------------------------------------------------------------------------------

function longNames() {
  return { direct: _("Direct loops"), im2col: _("im2col and a matrix product"),
    separable: _("Two thin kernels"), fft: _("FFT, product, and back") };
}

function shortNames() {
  return { direct: _("direct"), im2col: _("im2col"), separable: _("separable"), fft: _("FFT") };
}

function rowNames() {
  return { macs: _("multiply-adds"), bytes: _("bytes moved"), each: _("multiply-adds a byte"),
    roof: _("of the peak, at most"), least: _("least time"), measured: _("measured"),
    reached: _("of the peak, measured") };
}

/** Write one cell of the table. */
function written(name, cost, machine, result) {
  if (name === "macs") return amount(cost.macs);
  if (name === "bytes") return bytes(cost.bytes);
  if (name === "each") return ratio(cost);
  if (name === "roof") return percent(roof(cost, machine).share);
  if (name === "least") return time(roof(cost, machine).seconds);
  if (!result) return "–";
  const { left, seconds } = result;
  if (name === "reached") return left ? "–" : percent(cost.macs / seconds / machine.peak);
  return left === "wrong" ? _("wrong") : !left ? time(seconds)
    : _("not run: {much}", { much: left === "memory" ? bytes(cost.memory) : time(seconds) });
}

/** Say which way is the cheapest from where to where, and from where on each passes the loops. */
function crossings(lines, cost) {
  const names = shortNames();
  const on = (method, from) => _("{way} from F = {from} on", { way: names[method], from });
  const stretches = cheapest(lines).map(({ method, from, to }) => (to === MOST ? on(method, from)
    : from === to ? _("{way} at F = {from}", { way: names[method], from })
      : _("{way} from F = {from} to {to}", { way: names[method], from, to })));
  const passes = Object.entries(passing(lines)).map((each) => on(...each));
  const ways = stretches.join("; ");
  return sentences(
    cost === "macs" ? _("Fewest multiply-adds: {ways}.", { ways })
      : cost === "bytes" ? _("Fewest bytes: {ways}.", { ways })
        : _("Least time that your browser allows: {ways}.", { ways }),
    passes.length > 1 && _("Cheaper than the loops: {ways}.", { ways: passes.join("; ") }),
    cost === "seconds" ? _("A ring is a measured time.")
      : cost === "macs" && _("im2col makes as many as the loops."));
}

const whole = (text) => text.replaceAll(" ", "\u00a0"); // no line ends before a unit
const percent = (share) => whole(`${formatNumber(100 * share, share < 0.0995 ? 1 : 0)} %`);
const ratio = ({ macs, bytes: moved }) => scaled(macs / moved).digits;

function amount(value) {
  const { digits: n, power } = scaled(value);
  return whole([n, _("{n} k", { n }), _("{n} M", { n }), _("{n} G", { n }),
    _("{n} T", { n })][power]);
}

function bytes(value) {
  const { digits: n, power } = scaled(value);
  return whole([_("{n} B", { n }), _("{n} kB", { n }), _("{n} MB", { n }), _("{n} GB", { n }),
    _("{n} TB", { n })][power]);
}

function time(seconds) {
  const { digits: n, power } = scaled(seconds * 1e9);
  return whole([_("{n} ns", { n }), _("{n} µs", { n }), _("{n} ms", { n }), _("{n} s", { n }),
    _("{n} ks", { n })][power]);
}

// ---- The chart ---------------------------------------------------------------------------------

const stroke = (method) => ({ fill: "none", stroke: COLOURS[METHODS.indexOf(method)],
  "stroke-dasharray": DASHES[METHODS.indexOf(method)] || null, ...FIXED });

/** Make the sign of a way: a piece of its line. */
function sign(method) {
  return element("svg", { class: "sign", viewBox: "0 0 32 8", "aria-hidden": "true" },
    element("line", { x1: 0, x2: 32, y1: 4, y2: 4, ...stroke(method), "stroke-width": 3 }));
}

const across = (F) => (100 * Math.log(F)) / Math.log(MOST);

/** Make the chart of cost against F, both logarithmic: {root, show}; `onChoose(F)`. */
function chart(onChoose) {
  const title = element("figcaption");
  const ticks = element("div", { class: "ticks" });
  const svg = element("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img" });
  const choose = (event) => {
    const { left, width } = svg.getBoundingClientRect();
    onChoose(Math.round(MOST ** clamp((event.clientX - left) / width, 0, 1)));
  };
  svg.addEventListener("pointerdown", choose);
  svg.addEventListener("pointermove", (event) => event.buttons && choose(event));
  const below = element("div", { class: "below" }, KERNELS.map((F) =>
    element("span", { style: `left: ${across(F)}%` }, String(F))));
  const root = element("figure", {}, title,
    element("div", { class: "plot" }, ticks, svg, element("span"), below));

  /** `lines`: {method: [cost at F = 1, ...]}; `marks`: [method, F, cost] in rings. */
  function show(lines, chosen, at, cost, marks) {
    const all = [...Object.values(lines).flat(), ...marks.map(([, , value]) => value)];
    const low = Math.floor(Math.log10(Math.min(...all)));
    const high = Math.ceil(Math.log10(Math.max(...all)));
    const up = (value) => 100 * (1 - (Math.log10(value) - low) / (high - low));
    const levels = range(high - low + 1, (n) => 10 ** (low + n));
    const wording = { macs: amount, bytes, seconds: time }[cost];
    const every = Math.ceil(levels.length / 7);
    const round = (value) => wording(value).replace(/\.0+(?=\s|$)/, "");
    ticks.replaceChildren(...levels.filter((unused, n) => n % every === 0).map((value) =>
      element("span", { style: `top: ${up(value)}%` }, round(value))));
    const point = (F, value) => `${across(F).toFixed(2)},${up(value).toFixed(2)}`;
    const dot = (method, F, value, size, colour) => element("polyline", { class: "dot",
      points: `${point(F, value)} ${point(F, value)}`, ...stroke(method),
      "stroke-dasharray": null, "stroke-width": size, ...colour });
    svg.replaceChildren(
      ...levels.map((value) => element("line", { class: "level", x1: 0, x2: 100, y1: up(value),
        y2: up(value), ...FIXED })),
      element("line", { class: "at-f", x1: across(at), x2: across(at), y1: 0, y2: 100, ...FIXED }),
      ...Object.entries(lines).map(([method, values]) => element("polyline", {
        points: values.map((value, n) => point(n + 1, value)).join(" "), ...stroke(method),
        "stroke-width": method === chosen ? 4 : 2, "data-way": method })),
      ...lines[chosen] ? [dot(chosen, at, lines[chosen][at - 1], 11, { "data-mark": chosen })] : [],
      ...marks.flatMap(([method, F, value]) => [
        dot(method, F, value, 14, { "data-measured": method }),
        dot(method, F, value, 7, { stroke: null, class: "dot hole" })]),
    );
    title.textContent = { macs: _("Multiply-adds against the kernel's side F"),
      bytes: _("Bytes moved against the kernel's side F"),
      seconds: _("Least time against the kernel's side F") }[cost];
    const ends = Object.entries(lines).map(([method, values]) =>
      _("{way} from {low} to {high}", { way: shortNames()[method],
        low: wording(Math.min(...values)), high: wording(Math.max(...values)) }));
    set(svg, "aria-label", _("{title}: {lines}",
      { title: title.textContent, lines: ends.join("; ") }));
  }
  return { root, show };
}

customElements.define("cost-lab", CostLab);
