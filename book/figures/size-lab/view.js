// Size lab, chapter 04: one axis of a convolution. Which pixels does each window see, where are the zeros, how many outputs are there?

import {
  COLOURS, button, choice, clamp, element, inkOn, installStyle, markInvalid, parseInteger, predictionGate, readState, samePadding, sliderField, writeState,
} from "./figure.js";

const START = { W: "10", F: "4", S: "3", D: "1", P: "0", mode: "SAME" };
const NAMES = ["W", "F", "S", "D", "P", "mode", "step"];
// Name, what it is, least value, where the slider ends, where the field ends (a row of 256 pixels still fits the page).
const SIZES = [["W", "input", 1, 30, 256], ["F", "window", 1, 12, 20], ["S", "stride", 1, 8, 20],
  ["D", "dilation", 1, 4, 20], ["P", "zeros", 0, 6, 20]];
const ROWS = 8; // windows drawn at a time
const GROUND = { zero: "#FFF3D6", seen: "#FFFFFF", unseen: "#999999" }; // as in the chapter

// ---- Numbers ---------------------------------------------------------------------------------------------------------

/**
 * Return {outputs, before, after, reach, unseen, error} along one axis: the number of outputs, the zeros padded on each side, the
 * pixels a window reaches over, and the pixels that no window looks at. `mode` is "P" (P zeros on each side), "SAME" or "VALID".
 * Where the numbers make no sense, `error` is the sentence of the chapter's ValueError and all else null.
 */
export function sizeLab({ W, F, P = 0, S = 1, D = 1, mode = "P" }) {
  const nothing = { outputs: null, before: null, after: null, reach: null, unseen: null };
  for (const [name, value, least] of [["W", W, 1], ["F", F, 1], ["S", S, 1], ["D", D, 1], ["P", mode === "P" ? P : 0, 0]]) {
    if (!Number.isInteger(value) || value < least) {
      return { ...nothing, error: `${name} must be an integer >= ${least}, got ${written(value)}` };
    }
  }
  const reach = D * (F - 1) + 1;
  const zeros = mode === "P" ? P : 0;
  if (mode !== "SAME" && reach > W + 2 * zeros) {
    return { ...nothing, error: `a window of ${reach} pixels (F=${F}, D=${D}) does not fit into ${W + 2 * zeros} (W=${W}, P=${zeros})` };
  }
  const { outputs, before, after } = mode === "SAME" ? samePadding(W, F, S, D)
    : { outputs: Math.floor((W + 2 * zeros - reach) / S) + 1, before: zeros, after: zeros };
  const seen = new Set();
  for (let k = 0; k < outputs; k += 1) for (const cell of windowCells(k, { F, S, D }, before)) seen.add(cell);
  const unseen = Array.from({ length: W }, (_, cell) => cell).filter((cell) => !seen.has(cell));
  return { outputs, before, after, reach, unseen, error: null };
}

/** Return the cells under the weights of window number k; cell 0 is the first pixel, zeros before it count down from -1. */
export function windowCells(k, { F, S, D }, before) {
  return Array.from({ length: F }, (_, i) => k * S - before + D * i);
}

function written(value) {
  return typeof value === "string" ? `'${value}'` : Number.isNaN(value) ? "nan" : String(value);
}

/** Return what a field holds: a number where it is one, else the text. */
function fieldValue(text) {
  return text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text);
}

function count(number, word) {
  return `${number} ${word}${number === 1 ? "" : /[sx]$/.test(word) ? "es" : "s"}`;
}

/** Return the formula filled in, line by line. */
export function formulaLines({ W, F, S, D, P, mode }, { outputs, before, after, reach }) {
  if (mode === "SAME") {
    const needed = (outputs - 1) * S + D * (F - 1) + 1 - W;
    return ["outputs = ⌈W / S⌉", `= ⌈${W} / ${S}⌉ = ${outputs}`, "zeros = max((outputs − 1) · S + D · (F − 1) + 1 − W, 0)",
      `= max(${outputs - 1} · ${S} + ${D} · ${F - 1} + 1 − ${W}, 0) = max(${signed(needed)}, 0) = ${before + after}`];
  }
  const zeros = mode === "P" ? P : 0;
  return [`outputs = ⌊(W − D · (F − 1) − 1 + 2P) / S⌋ + 1${mode === "VALID" ? ", P = 0" : ""}`,
    `= ⌊(${W} − ${D} · ${F - 1} − 1 + 2 · ${zeros}) / ${S}⌋ + 1`, `= ⌊${W + 2 * zeros - reach} / ${S}⌋ + 1 = ${outputs}`];
}

function signed(number) {
  return String(number).replace("-", "−");
}

/** Say in words what to do about an error of `sizeLab`. */
export function advice({ W, F, S, D, P, mode }) {
  const bad = [["W", W, 1], ["F", F, 1], ["S", S, 1], ["D", D, 1], ["P", P, 0]].find(([, value, least]) => !Number.isInteger(value) || value < least);
  if (bad && (bad[0] !== "P" || mode === "P")) {
    const why = { W: "It counts pixels", F: "It counts pixels", S: "A window moves by whole pixels, at least one", P: "It counts zeros",
      D: "It is the distance between neighbouring weights, at least one pixel" }[bad[0]];
    return `${why}: write a whole number, ${bad[2]} or more.`;
  }
  return `There is no place where the window lies on the row, so there is no output. Make F${D > 1 ? " or D" : ""} smaller, W larger, or add zeros.`;
}

/** Say what is left over: pixels that no window looks at, and zeros that none uses. */
export function leftovers({ S }, { outputs, before, after, reach, unseen }, W) {
  const spare = Math.min(W + before + after - ((outputs - 1) * S + reach), after);
  const zeros = spare > 0 ? ` ${count(spare, "zero")} after the row ${spare === 1 ? "is" : "are"} not used.` : "";
  if (unseen.length === 0) return `Every pixel is seen.${zeros}`;
  const names = unseen.length > 6 ? `x${unseen[0]} … x${unseen.at(-1)}` : unseen.map((cell) => `x${cell}`).join(", ");
  return `${count(unseen.length, "pixel")} ${unseen.length === 1 ? "is" : "are"} never seen: ${names}.${zeros}`;
}

/** Read the settings out of the address; whatever is nonsense stays at its start. `given`: something was not. */
export function stateFrom(text) {
  const state = { ...START, step: 0, given: false };
  for (const [name, , least, , most] of SIZES) {
    const value = parseInteger(text[name], least, most);
    if (value !== null) Object.assign(state, { [name]: String(value), given: true });
  }
  if (["P", "SAME", "VALID"].includes(text.mode)) Object.assign(state, { mode: text.mode, given: true });
  return { ...state, step: (parseInteger(text.step, 1, 999) ?? 1) - 1 };
}

// ---- The element -----------------------------------------------------------------------------------------------------

class SizeLab extends HTMLElement {
  connectedCallback() {
    if (this.state) return;
    this.state = stateFrom(readState(NAMES));
    this.classList.add("living-figure");
    this.replaceChildren();
    this.build();
    this.update();
    if (!this.state.given) this.ask();
    new ResizeObserver(() => this.draw()).observe(this.stage);
  }

  ask() {
    this.controls.hidden = this.formula.hidden = true;
    Object.assign(this.state, { mode: "VALID" });
    this.update();
    predictionGate(this, {
      question: "10 pixels, a window of 4, stride 3. With VALID, three windows use every pixel, as drawn below. How many zeros does SAME add?",
      answers: ["none, it fits already", "1 before and 1 after", "1 before and 2 after", "2 before and 1 after"],
      right: 2,
      explain: "SAME first fixes the number of outputs, 10 / 3 rounded up: 4. Four windows reach over 3 · 3 + 4 = 13 pixels, so 3 zeros "
        + "are missing, and the odd one goes after the row. Now change the numbers.",
      onDone: () => {
        this.controls.hidden = false;
        Object.assign(this.state, { mode: "SAME", step: 0 });
        this.update();
      },
    });
  }

  build() {
    const { state } = this;
    this.mode = choice("Padding", { P: "P zeros on each side", SAME: "SAME", VALID: "VALID" },
      { value: state.mode, onChange: (mode) => this.change({ mode }) });
    this.fields = Object.fromEntries(SIZES.map(([name, what, min, max, limit]) => [name,
      sliderField(`${name}, ${what}`, { value: state[name], min, max, limit, onInput: (text) => this.change({ [name]: text }) })]));
    this.controls = element("fieldset", { "aria-label": "Settings" },
      this.mode.root, element("div", { class: "lab-fields" }, Object.values(this.fields).map((field) => field.root)));
    this.error = element("p", { class: "figure-error", role: "alert" });
    this.result = element("p", { class: "lab-result", "aria-live": "polite" });
    this.formula = element("p", { class: "lab-formula" });
    this.picture = element("svg", { "aria-hidden": "true" });
    this.stage = element("div", { class: "lab-stage", tabindex: 0, role: "slider", "aria-label": "Window", "aria-valuemin": 1,
      onkeydown: (event) => this.onKey(event) }, this.picture);
    this.back = button("Back", () => this.go(this.state.step - 1));
    this.next = button("Forward", () => this.go(this.state.step + 1));
    this.live = element("p", { "aria-live": "polite" });
    this.drawn = element("p");
    const key = Object.entries({ seen: "seen", unseen: "never seen", zero: "padded zero" }).map(([name, text]) =>
      element("span", {}, element("i", { style: `background: ${GROUND[name]}` }), text));
    this.drawing = element("div", {}, element("div", { class: "figure-row lab-key" }, key), this.stage,
      element("div", { class: "figure-row" }, this.back, this.next, this.live, this.drawn));
    this.bench = element("div", { class: "lab-bench" }, this.error, this.result, this.drawing, this.formula);
    this.append(this.controls, this.bench);
  }

  get sizes() {
    const { W, F, S, D, P, mode } = this.state;
    return { W: fieldValue(W), F: fieldValue(F), S: fieldValue(S), D: fieldValue(D), P: fieldValue(P), mode };
  }

  change(some) {
    Object.assign(this.state, some, { step: 0 });
    this.save();
    this.update();
  }

  /** Go to window number `step`, as far as there are windows. */
  go(step) {
    this.state.step = clamp(step, 0, this.lab.outputs - 1);
    this.save();
    this.showStep();
  }

  onKey(event) {
    const last = (this.lab.outputs ?? 1) - 1;
    const target = { ArrowRight: this.state.step + 1, ArrowUp: this.state.step + 1, ArrowLeft: this.state.step - 1,
      ArrowDown: this.state.step - 1, Home: 0, End: last }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    this.go(target);
  }

  save() {
    const { W, F, S, D, P, mode, step } = this.state;
    writeState({ W, F, S, D, P: mode === "P" ? P : null, mode, step: step ? step + 1 : null });
  }

  update() {
    const { sizes } = this;
    this.lab = sizeLab(sizes);
    for (const [name, , , , most] of SIZES) {
      if (!this.lab.error && Number(sizes[name]) > most) this.lab = { ...this.lab, error: `${name} = ${sizes[name]} is more than this figure draws (${most})` };
    }
    this.fields.P.root.hidden = sizes.mode !== "P";
    for (const [name, field] of Object.entries(this.fields)) markInvalid(field.input, this.lab.error?.startsWith(`${name} `));
    const { error } = this.lab;
    this.drawing.hidden = this.result.hidden = Boolean(error);
    this.formula.hidden = Boolean(error) || this.controls.hidden;
    this.mode.show(sizes.mode);
    this.error.textContent = error ? `No output: ${error}. ${error.includes("figure draws") ? "" : advice(sizes)}` : "";
    if (error) return;
    this.state.step = Math.min(this.state.step, this.lab.outputs - 1);
    const { outputs, before, after } = this.lab;
    this.result.replaceChildren(element("strong", {}, `${count(outputs, "output")}. `),
      `Padding: ${count(before, "zero")} before (left or top), ${after} after (right or bottom). ${leftovers(sizes, this.lab, sizes.W)}`);
    this.formula.replaceChildren(...formulaLines(sizes, this.lab).map((line) => element("span", {}, line)));
    this.showStep();
  }

  showStep() {
    const { step } = this.state;
    const { outputs, before } = this.lab;
    const cells = windowCells(step, this.sizes, before);
    const name = (cell) => (cell < 0 || cell >= this.sizes.W ? "0" : `x${cell}`);
    const sees = cells.length > 8 ? `${cells.slice(0, 3).map(name).join(", ")}, … ${name(cells.at(-1))}` : cells.map(name).join(", ");
    this.live.textContent = `Window ${step + 1} of ${outputs} sees ${sees}`;
    this.back.setAttribute("aria-disabled", String(step === 0));
    this.next.setAttribute("aria-disabled", String(step === outputs - 1));
    for (const [key, value] of [["aria-valuemax", outputs], ["aria-valuenow", step + 1], ["aria-valuetext", this.live.textContent]]) this.stage.setAttribute(key, value);
    this.draw();
  }

  /** Draw the row of cells, and below it the windows around the current one. */
  draw() {
    if (this.lab.error) return;
    const { W, F, S, D } = this.sizes;
    const { before, after, outputs, unseen } = this.lab;
    const { step } = this.state;
    const total = W + before + after;
    const size = clamp(Math.floor((this.stage.clientWidth - 8) / total), W > 99 ? 26 : 22, 40);
    const first = clamp(step - ROWS + 2, 0, Math.max(outputs - ROWS, 0));
    const rows = Math.min(outputs, ROWS);
    this.drawn.textContent = outputs > ROWS ? `(drawn: windows ${first + 1} to ${first + rows})` : "";
    Object.entries({ width: total * size + 2, height: (rows + 1) * size + 10, viewBox: `-1 -1 ${total * size + 2} ${(rows + 1) * size + 10}` })
      .forEach(([name, value]) => this.picture.setAttribute(name, value));
    const skipped = new Set(unseen);
    const cells = Array.from({ length: total }, (_, i) => cellShapes(i, i - before, W, size, skipped)).flat();
    const windows = Array.from({ length: rows }, (_, row) => windowCells(first + row, { F, S, D }, before).map((cell, i) =>
      windowShapes((cell + before) * size, (row + 1) * size + 8, size, first + row, first + row === step, i))).flat(2);
    const frames = windowCells(step, { F, S, D }, before).map((cell) => element("rect",
      { x: (cell + before) * size + 2, y: 2, width: size - 4, height: size - 4, fill: "none", stroke: COLOURS[step % 6], "stroke-width": 3 }));
    this.picture.replaceChildren(...cells, ...windows, ...frames);
    const left = step * S * size;
    const right = left + this.lab.reach * size;
    if (left < this.stage.scrollLeft || right > this.stage.scrollLeft + this.stage.clientWidth) this.stage.scrollLeft = left - size;
  }
}

function cellShapes(place, cell, W, size, skipped) {
  const zero = cell < 0 || cell >= W;
  const fill = zero ? GROUND.zero : skipped.has(cell) ? GROUND.unseen : GROUND.seen;
  return [element("rect", { x: place * size, y: 0, width: size, height: size, fill, stroke: "black" }),
    element("text", { x: (place + 0.5) * size, y: size / 2, "font-size": size < 32 ? (cell > 99 ? 9 : 10) : 12, fill: "black" }, zero ? "0" : `x${cell}`)];
}

function windowShapes(x, y, size, number, current, i) {
  const colour = COLOURS[number % 6];
  const rgb = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const shape = element("rect", { x: x + 1, y, width: size - 2, height: size * 0.8, fill: current ? colour : "none", stroke: colour, "stroke-width": current ? 1 : 1.5,
    class: current ? "lab-current" : false });
  return current ? [shape, element("text", { x: x + size / 2, y: y + size * 0.4, "font-size": 11, fill: inkOn(rgb) }, `w${i}`)] : [shape];
}

installStyle(`
.lab-fields { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 0.25rem 1.5rem; }
.living-figure .lab-fields .figure-field { justify-content: space-between; flex: 0 0 12.5rem; }
.living-figure .lab-fields input[type=number] { flex: none; width: 4.75rem; padding: 0.25rem; text-align: center; }
.lab-bench { margin-top: 0.75rem; }
.lab-key { font-size: 0.9rem; gap: 0.25rem 1rem; }
.lab-key i { display: inline-block; width: 1rem; height: 1rem; margin-right: 0.4rem; border: 1px solid var(--pst-color-text-base); vertical-align: -0.15rem; }
.lab-stage { overflow-x: auto; margin: 0.5rem 0; padding: 2px; }
.lab-stage svg { display: block; }
.lab-stage text { text-anchor: middle; dominant-baseline: central; font-family: inherit; }
.living-figure .figure-row p { margin: 0; }
.living-figure .lab-formula { margin: 0.75rem 0 0; }
.lab-formula span { display: block; padding-left: 1.5rem; text-indent: -1.5rem; }
`);

customElements.define("size-lab", SizeLab);
