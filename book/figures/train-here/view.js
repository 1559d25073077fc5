// Train it here: a network learns in the page, by worker.js; what it does is drawn while it does.

import { COLOURS, divergingColour, paint, rgb, UNSEEN } from "../shared/colour.js";
import { button, choice } from "../shared/controls.js";
import { element, set } from "../shared/element.js";
import { Figure } from "../shared/figure.js";
import { formatNumber, range } from "../shared/numbers.js";
import { _, sentences } from "../shared/words.js";
import {
  addressOf, CHOICES, LAYERS, NAMES, PRESETS, presetOf, SHAPES, START, stateFrom, thin,
} from "./model.js";

const MOST = 1000; // steps until it pauses by itself
const POINTS = 200; // of a curve
const DASHES = ["", "6 3", "2 3", "8 3 2 3"]; // of the layers' lines, beside their colours
const MEAN = 20; // batches that the loss and the steps in words and table are means of
const TINY = -6; // the power of ten at the bottom of the steps' curves

class TrainHere extends Figure {
  static names = NAMES;
  static stateFrom = stateFrom;
  static addressOf = addressOf;

  number = 0; // of the run: what the worker says of an older one is too late
  until = 0; // the step that the worker goes on to
  problem = "";
  before = []; // the losses of the last run
  seen = false; // whether there are charts, be it of the run before

  question() {
    return {
      question: _("Two networks should learn to read digits. After 150 steps the loss of both " +
        "still stands near 2.30, which is ln 10, and both are right one time in ten: they " +
        "guess. One has too low a rate, the other was born with dead units. What tells them " +
        "apart?"),
      answers: [_("the loss, looked at closely"), _("the digits read right"),
        _("how far a step moves the weights"), _("nothing, so early")],
      right: 2,
      explain: _("Too low a rate still moves every layer, but by a ten-thousandth of its " +
        "length a step, or less. Around dead units no kernel moves at all: the step is 0. Loss " +
        "and digits say “a guess” of both. Now train a network that learns, then the five that " +
        "do not."),
    };
  }

  // ---- Build -----------------------------------------------------------------------------------

  build() {
    this.begin();
    const words = settingWords();
    this.presets = Object.fromEntries(Object.entries(presetNames()).map(([name, text]) =>
      [name, button(text, () => this.choose({ ...START, ...PRESETS[name],
        seed: this.state.seed }, true))]));
    this.toggle = button("", () => this.go(this.running ? 0 : this.nextPause()));
    this.one = button(_("One step"), () => this.go(this.at + 1));
    this.reset = button(_("Back to the start"), () => this.choose({}, false));
    this.other = button(_("Other random numbers"),
      () => this.choose({ seed: this.state.seed % 999999 + 1 }, this.running));
    this.buttons = element("div", { class: "figure-row" },
      this.toggle, this.one, this.reset, this.other);
    this.error = element("p", { class: "figure-error", role: "alert" });
    this.status = element("p", { class: "status", "data-part": "status" });
    this.live = element("p", { "aria-live": "polite", "data-part": "live" });
    this.advice = element("p", { class: "advice", "data-part": "advice" });
    this.loss = chart(_("Loss of a batch"), [[0, "0"], [Math.log(10), _("ln 10")], [3, "3"]], 2);
    this.right = chart(_("Digits held back, read right"), [[0, "0"], [0.5, "50 %"], [1, "100 %"]]);
    this.ratio = chart(_("How far a step moves the weights, of their length"),
      [[TINY, "0"], [-4, "0.01 %"], [-2, "1 %"], [0, "100 %"]], 4);
    this.dead = chart(_("Dead units: 0 for all digits held back"),
      [[0, "0"], [0.5, "50 %"], [1, "100 %"]], 3);
    this.rows = LAYERS.map((layer, n) => {
      const [step, dead] = [element("td"), element("td")];
      const root = element("tr", {}, element("th", { scope: "row" }, key(n), layerNames()[n]),
        step, dead);
      return { root, step, dead };
    });
    const [layer, step, dead] = [_("Layer"), _("A step, of the weights"), _("Dead units")]
      .map((text) => element("th", { scope: "col" }, text));
    this.deadHead = dead;
    const table = element("table", {}, element("thead", {}, element("tr", {}, layer, step, dead)),
      element("tbody", {}, this.rows.map(({ root }) => root)));
    this.filters = [_("The 8 filters of conv1 at the start"), _("and now")].map((label) => {
      const canvases = range(SHAPES.conv1.at(-1), () => element("canvas"));
      const pictures = element("div", { class: "filters", role: "img" }, canvases);
      return { root: element("figure", {}, element("figcaption", {}, label), pictures),
        canvases, pictures };
    });
    this.shown = element("div", { class: "shown" },
      element("div", { class: "charts" }, [this.loss, this.right, this.ratio, this.dead]
        .map(({ root }) => root)),
      table, this.filters.map(({ root }) => root),
      element("p", { class: "hint" }, _("Filters: orange below 0, purple above, dark grey where " +
        "a weight is no number. The dashed grey loss is that of the run before. The digits held " +
        "back are 500 training images that the network does not learn from.")));
    this.choices = Object.fromEntries(Object.entries(CHOICES).map(([name, values]) =>
      [name, choice(words[name], Object.fromEntries(values.map((value) =>
        [value, words.values[name]?.[value] ?? value])), (value) =>
        this.choose({ [name]: value }, this.running))]));
    this.settings = element("fieldset", { "aria-label": _("Settings") },
      Object.values(this.choices).map(({ root }) => root));
    this.tools = element("div", {},
      element("div", { class: "figure-row presets", role: "group", "aria-label": _("Runs") },
        Object.values(this.presets)),
      this.buttons, this.error, this.status, this.live, this.advice, this.shown, this.settings);
    this.append(this.gate, this.tools);
  }

  // ---- What the reader does --------------------------------------------------------------------

  get running() {
    return this.at < this.until;
  }

  /** The step at which a run that goes on will pause by itself. */
  nextPause() {
    return (Math.floor(this.at / MOST) + 1) * MOST;
  }

  /** Forget the run. */
  begin() {
    [this.at, this.losses, this.ratios, this.exams, this.filterValues] = [0, [], [], [], []];
  }

  /** Change settings, which begins a new run; it trains at once where `train`. */
  choose(settings, train) {
    Object.assign(this.state, settings);
    this.save();
    if (this.worker) {
      if (this.at > 1) this.before = this.losses;
      this.begin();
      this.send(train ? MOST : 0, true);
    } else if (train) {
      return this.go(MOST);
    }
    return this.update();
  }

  /** Go on to step number `until`; 0 pauses. */
  go(until) {
    const first = !this.worker;
    if (first) {
      this.problem = "";
      try {
        this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
      } catch {
        return this.fail(_("This browser cannot train here: it has no workers that are modules."));
      }
      this.worker.onmessage = ({ data }) => this.hear(data);
      this.worker.onerror = () => this.fail(_("The training could not be loaded, or this " +
        "browser cannot run it. Please try again; the chapter's own cells can train, too."));
    }
    this.send(until, first);
    this.update();
  }

  send(until, anew) {
    this.until = until;
    this.removeAttribute("data-rests"); // until the worker says so
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (anew) this.number += 1;
    this.worker.postMessage({ until, every: calm ? 2000 : 250, run: this.number,
      state: anew && { ...this.state } });
  }

  fail(problem) {
    this.worker?.terminate();
    this.worker = undefined;
    this.begin();
    [this.until, this.problem, this.seen] = [0, problem, false];
    this.update();
  }

  /** Take in what the worker tells. */
  hear({ problem, rests, run, at, steps, exam, filters }) {
    if (problem) return this.fail(_("The digits could not be loaded. Please try again."));
    if (rests === this.number && !this.running) this.setAttribute("data-rests", "");
    if (run !== this.number) return;
    this.at = at;
    this.losses.push(...steps.map(({ loss }) => loss));
    this.ratios.push(...steps.map(({ ratios }) => ratios));
    if (exam) this.exams.push(exam);
    this.seen ||= Boolean(exam);
    this.filterValues = [this.filterValues[0] ?? filters, filters];
    this.update();
  }

  // ---- What follows from the state -------------------------------------------------------------

  compute() {
    const { losses, ratios, exams } = this;
    const last = (values) => thin(values.slice(-MEAN), 1)[0];
    this.result = {
      preset: presetOf(this.state), exam: exams.at(-1), loss: last(losses),
      ratio: LAYERS.map((unused, n) => last(ratios.map((each) => each[n]))),
    };
  }

  // ---- Show ------------------------------------------------------------------------------------

  render() {
    const { asking, at, running, worker, problem, seen, result: { preset, exam } } = this;
    this.tools.hidden = asking;
    this.dataset.at = at;
    for (const [name, each] of Object.entries(this.presets)) {
      set(each, "aria-pressed", String(name === preset));
    }
    for (const [name, each] of Object.entries(this.choices)) each.show(this.state[name]);
    for (const each of [this.one, this.reset, this.other]) each.hidden = !seen;
    this.toggle.textContent = !worker ? _("Load 4,000 digits and train (0.45 MB)")
      : running ? _("Pause") : at ? _("Go on") : _("Train");
    this.error.textContent = problem;
    this.shown.hidden = this.status.hidden = this.advice.hidden = !seen;
    set(this.shown, "aria-busy", seen && !exam && "true"); // the charts are of the run before
    this.live.textContent = worker ? this.words()
      : problem ? "" : _("A run first loads the digits: 0.45 MB, once.");
    this.advice.textContent = at >= 50 ? (advice()[preset] ?? "") : "";
    if (exam) this.draw();
    else this.status.textContent = "";
  }

  /** Say whether it trains; what changes rarely, for ears. */
  words() {
    if (!this.exams.length) return this.seen ? _("Beginning again.") : _("Loading the digits.");
    return this.running ? _("It trains.") : sentences(_("It rests at step {at}.", { at: this.at }),
      this.at > 0 && this.at % MOST === 0 && _("That was enough for now; it can go on."));
  }

  draw() {
    const { at, losses, before, ratios, exams, filterValues, result: { exam, loss, ratio } } = this;
    const steps = Math.max(200, Math.ceil(at / 100) * 100);
    const percent = (share) => `${formatNumber(100 * share, 1)} %`;
    const line = (values) => {
      const thinned = thin(values, POINTS);
      return thinned.map((value, n) => [((n + 0.5) * values.length) / thinned.length, value]);
    };
    const words = { at, loss: number(loss), count: Math.min(at, MEAN), then: exam.at,
      right: percent(exam.accuracy) };
    this.status.textContent = at === 0
      ? _("Before the first step, it reads {right} of the digits held back.", words)
      : sentences(at === 1 || !Number.isFinite(loss) ? _("Step {at}: loss {loss}.", words)
        : _("Step {at}: loss {loss}, the mean of the last {count} batches.", words),
      exam.at === at ? _("Of the digits held back it reads {right}.", words)
        : _("At step {then} it read {right} of the digits held back.", words));
    this.loss.show(steps, [losses, before.slice(0, steps)].map((values) =>
      line(values).map(([x, y]) => [x, Number.isNaN(y) ? Infinity : y])));
    this.right.show(steps, [exams.map((each) => [each.at, each.accuracy])]);
    this.ratio.show(steps, LAYERS.map((unused, n) => line(ratios.map((each) => each[n]))
      .map(([x, y]) => [x, Math.log10(y)])));
    this.dead.show(steps, exam.dead.map((unused, n) =>
      exams.map((each) => [each.at, each.dead[n]])));
    this.rows.forEach((row, n) => {
      row.step.textContent = at ? percentOf(ratio[n]) : "–";
      row.dead.textContent = exam.dead[n] === undefined ? "–"
        : Number.isNaN(exam.dead[n]) ? percentOf(NaN) : percent(exam.dead[n]);
    });
    this.deadHead.textContent = _("Dead units at step {then}", words);
    const limit = Math.max(0, ...filterValues.flatMap((values) =>
      [...values].map(Math.abs).filter(Number.isFinite)));
    const colour = (value) =>
      (Number.isNaN(value) ? rgb(UNSEEN) : divergingColour(value, limit));
    this.filters.forEach(({ canvases, pictures }, row) => {
      const [side, , , count] = SHAPES.conv1;
      canvases.forEach((canvas, k) => paint(canvas, range(side * side, (n) =>
        filterValues[row][n * count + k]), side, side, colour));
      const [low, high] = [Math.min, Math.max].map((of) => number(of(...filterValues[row])));
      set(pictures, "aria-label", filterValues[row].some(Number.isNaN)
        ? _("8 filters of 5 by 5 weights, some of which are no numbers")
        : _("8 filters of 5 by 5 weights, from {low} to {high}", { low, high }));
    });
  }
}

// ---- Curves ------------------------------------------------------------------------------------

/** Make the sign of layer number n: a piece of its line. */
function key(n) {
  return element("svg", { class: "sign", viewBox: "0 0 32 8", "aria-hidden": "true" },
    element("line", { x1: 0, x2: 32, y1: 4, y2: 4, ...stroke(n) }));
}

const stroke = (n) => ({ fill: "none", stroke: COLOURS[n], "stroke-width": 2.5,
  "stroke-dasharray": DASHES[n] || null, "vector-effect": "non-scaling-stroke" });

/**
 * Make a chart of steps: {root, show}. `ticks` are [value, text] from its bottom to its top;
 * `show(steps, lines)`: each line is a list of [step, value], cut at bottom and top, without what
 * is NaN; one point alone is a dot.
 */
function chart(title, ticks, count = 1) {
  const [low, high] = [ticks[0][0], ticks.at(-1)[0]];
  const place = (value) => 100 * (1 - (Math.min(Math.max(value, low), high) - low) / (high - low));
  const levels = ticks.map(([value]) => element("line", { class: "level", x1: 0, x2: 100,
    y1: place(value), y2: place(value), "vector-effect": "non-scaling-stroke" }));
  const lines = range(count, (n) => element("polyline", count === 2 && n
    ? { class: "earlier", "vector-effect": "non-scaling-stroke" } : stroke(n)));
  const svg = element("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img",
    "aria-label": title }, levels, lines.slice().reverse());
  const labels = ticks.map(([value, text]) =>
    element("span", { style: `top: ${place(value)}%` }, text));
  const end = element("span", { class: "end" });
  const root = element("figure", {}, element("figcaption", {}, title),
    element("div", { class: "plot" }, element("div", { class: "ticks" }, labels), svg), end);
  const show = (steps, all) => {
    all.forEach((points, n) => {
      const places = points.filter(([, y]) => !Number.isNaN(y)).map(([x, y]) =>
        `${((100 * x) / steps).toFixed(2)},${place(y).toFixed(2)}`);
      const alone = places.length === 1;
      lines[n].classList.toggle("dot", alone);
      set(lines[n], "points", (alone ? [places[0], places[0]] : places).join(" "));
    });
    end.textContent = _("step {steps}", { steps });
  };
  return { root, show };
}

/** Write a number, or say that it has left the range of numbers. */
function number(value) {
  if (!Number.isFinite(value)) return _("beyond all numbers");
  return value >= 1e6 ? _("over a million") : value.toFixed(2).replace("-", "−");
}

/** Write a share in percent, with two digits however small it is. */
function percentOf(share) {
  if (Number.isNaN(share)) return _("no number");
  if (!Number.isFinite(share)) return number(share);
  const digits = share > 0 ? Math.min(Math.max(0, 1 - Math.floor(Math.log10(100 * share))), 9) : 0;
  return `${formatNumber(100 * share, digits)} %`;
}

// ---- Words -------------------------------------------------------------------------------------

function layerNames() {
  return [_("conv1"), _("conv2"), _("dense"), _("logits")];
}

function presetNames() {
  return {
    healthy: _("It learns"), low: _("Rate too low"), high: _("Rate too high"),
    dead: _("Born dead"), sigmoid: _("Sigmoids"), zero: _("All zeros"),
  };
}

function settingWords() {
  return {
    rate: _("Learning rate"), batch: _("Batch"), start: _("Weights at the start"), bend: _("Bend"),
    values: {
      start: { he: _("He"), small: _("a hundredth of He"), large: _("ten times He"),
        zero: _("zeros"), dead: _("He, but biases of −10 in dense") },
      bend: { relu: _("ReLU"), sigmoid: _("sigmoid"), none: _("none") },
    },
  };
}

/** What to look at in each preset. */
function advice() {
  return {
    healthy: _("The loss falls, and each step moves each layer by about a hundredth of its " +
      "length."),
    low: _("Nothing is broken: all layers move and hardly a unit is dead, but a step is a " +
      "thousand times too short. Raise the rate."),
    high: _("The first steps were so long that units died: they give 0 for every digit, and " +
      "behind a 0 no ReLU lets a gradient through. It will not recover. Lower the rate and begin " +
      "again."),
    dead: _("The units of dense give 0 for every digit, from the first step on: no gradient gets " +
      "past them, and no kernel moves. Only the ten biases of the logits do. The convolutions " +
      "are well."),
    sigmoid: _("Nothing is dead, but each sigmoid shrinks the gradient: the nearer a layer is to " +
      "the input, the shorter its steps. Try rate 1.0, and patience: it learns after some 400 " +
      "steps. Or ReLU."),
    zero: _("All units are 0, and all gradients of kernels with them: nothing tells one weight " +
      "from another. It looks like born dead, but in all layers at once."),
  };
}

customElements.define("train-here", TrainHere);
