// Convolution, step by step: <conv-steps>, the example of chapter 04. Input 5x5x3, P = 1, K = 2 filters 3x3x3, stride 2:
// 18 outputs, and for each of them all 27 products. State in the address: ?seed=17&output=5 (no seed: the chapter's numbers).

import { button, element, formatNumber, grid, installStyle, parseInteger, predictionGate, readState, writeState } from "./figure.js";

const [W, C, K, F, S, P, OUT] = [5, 3, 2, 3, 2, 1, 3];
const STEPS = OUT * OUT * K;
const MAX_SEED = 999999;

// np.random.default_rng(231) as in chapter 04: image (5, 5, 3) in 0..2, filters (3, 3, 3, 2) in -1..1 as - 0 +, in NumPy's order.
const CHAPTER_IMAGE = "010210010121212012202112000002010012212212112020210112020121112122121121101";
const CHAPTER_FILTERS = "+00++00++0+0++0-++0000+++--0++0+00-00---+0-0+---00+000";

/** Return a generator of integers below n that starts at `seed` (mulberry32). */
function randomIntegers(seed) {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

/** Return {image (75), filters (54), bias (2)}, flat in NumPy's order: those of a seed, or of chapter 04 for null. */
export function makeNumbers(seed = null) {
  const bias = [1, 0];
  if (seed === null) return { image: [...CHAPTER_IMAGE].map(Number), filters: [...CHAPTER_FILTERS].map((sign) => "-0+".indexOf(sign) - 1), bias };
  const draw = randomIntegers(seed);
  return { image: Array.from({ length: W * W * C }, () => draw(3)), filters: Array.from({ length: F * F * C * K }, () => draw(3) - 1), bias };
}

/** Return the padded input's value at row i, column j, channel c: 0 outside the image. */
export function padded(image, i, j, c) {
  const [row, column] = [i - P, j - P];
  return row < 0 || column < 0 || row >= W || column >= W ? 0 : image[(row * W + column) * C + c];
}

/** Return one filter's weight at row i, column j, channel c. */
const weight = (filters, i, j, c, k) => filters[((i * F + j) * C + c) * K + k];

/** Return which output step n computes: {i, j, k}, filter after filter, row by row. */
export const place = (n) => ({ k: Math.floor(n / (OUT * OUT)), i: Math.floor((n % (OUT * OUT)) / OUT), j: n % OUT });

/** Return all the arithmetic of output V[i, j, k]: {products: 3 channels of 9, sums: 3, bias, total}. */
export function computeOutput({ image, filters, bias }, { i, j, k }) {
  const products = Array.from({ length: C }, (_, c) => grid(F, F, (di, dj) =>
    padded(image, S * i + di, S * j + dj, c) * weight(filters, di, dj, c, k) + 0)); // + 0 turns -0 into 0
  const sums = products.map((channel) => channel.reduce((a, b) => a + b));
  return { products, sums, bias: bias[k], total: sums.reduce((a, b) => a + b, bias[k]) };
}

/** Return the 18 outputs in the order of the steps. */
export function computeAll(numbers) {
  return Array.from({ length: STEPS }, (_, n) => computeOutput(numbers, place(n)).total);
}

/** Make a table of numbers; `cell(row, column)` returns {text, class} or an element to put in. */
function table(caption, rows, columns, cell) {
  const body = Array.from({ length: rows }, (_, i) => element("tr", {}, Array.from({ length: columns }, (_, j) => {
    const { node, kind } = cell(i, j);
    return element("td", { class: kind }, node);
  })));
  return element("table", {}, element("caption", {}, caption), element("tbody", {}, body));
}

const signed = (value) => (value < 0 ? `(${formatNumber(value)})` : formatNumber(value));

class ConvSteps extends HTMLElement {
  connectedCallback() {
    if (this.stage) return;
    const { seed, output } = readState(["seed", "output"]);
    this.seed = parseInteger(seed, 1, MAX_SEED);
    this.step = (parseInteger(output, 1, STEPS) ?? 1) - 1;
    this.reached = this.step;
    this.numbers = makeNumbers(this.seed);
    this.build();
    const shared = this.seed !== null || parseInteger(output, 1, STEPS) !== null;
    if (shared) this.reveal();
    else this.ask();
    this.draw();
  }

  /** Replace the fallback by the parts that stay. */
  build() {
    this.classList.add("living-figure", "conv-steps");
    this.gate = element("div");
    this.status = element("p", { class: "conv-status", "aria-live": "polite" });
    this.moves = [["First", () => 0], ["Back", () => this.step - 1], ["Forward", () => this.step + 1], ["Last", () => STEPS - 1]]
      .map(([text, target]) => ({ target, control: button(text, () => this.go(target())) }));
    this.source = element("span");
    this.controls = element("div", { class: "conv-controls" },
      element("div", { class: "figure-row", role: "group", "aria-label": "Steps" }, this.moves.map(({ control }) => control)),
      element("div", { class: "figure-row" }, button("New numbers", () => this.renew(1 + Math.floor(Math.random() * 9999))),
        button("The chapter's numbers", () => this.renew(null)), this.source));
    this.stage = element("div", { class: "conv-stage" });
    this.replaceChildren(this.gate, this.controls, this.status, this.stage);
  }

  /** Ask how many numbers come out; until then only the input and the filters are there. */
  ask() {
    this.controls.hidden = true;
    predictionGate(this.gate, {
      question: "5 by 5 pixels in 3 channels, one zero on each side, 2 filters of 3 by 3, stride 2. How many numbers come out?",
      answers: ["9", "18", "27", "54"],
      right: 1,
      explain: "(5 − 3 + 2)/2 + 1 = 3 along each axis, and two filters: 3 · 3 · 2 = 18. Each of them takes 27 products and a bias.",
      onDone: () => { this.reveal(); this.draw(); },
    });
  }

  reveal() {
    this.revealed = true;
    this.controls.hidden = false;
  }

  /** Go to a step, 0 to 17. */
  go(step) {
    if (step < 0 || step >= STEPS) return;
    this.step = step;
    this.reached = Math.max(this.reached, step);
    writeState({ output: step + 1 });
    this.draw();
  }

  /** Start again with the numbers of a seed. */
  renew(seed) {
    this.seed = seed;
    this.numbers = makeNumbers(seed);
    this.step = this.reached = 0;
    writeState({ seed, output: 1 });
    this.draw();
  }

  draw() {
    const at = place(this.step), result = computeOutput(this.numbers, at);
    const focused = this.stage.contains(document.activeElement);
    for (const { control, target } of this.moves) control.setAttribute("aria-disabled", target() < 0 || target() >= STEPS || target() === this.step);
    this.source.textContent = this.seed === null ? "These are chapter 04's numbers." : `Numbers of seed ${this.seed}.`;
    const rows = Array.from({ length: C }, (_, c) => this.drawChannel(c, at, result));
    this.stage.replaceChildren(element("div", { class: "conv-channels" }, rows));
    if (!this.revealed) { this.status.textContent = ""; return; }
    const { i, j, k } = at;
    const total = `${result.sums.map(signed).join(" + ")} + bias ${result.bias} = ${formatNumber(result.total)}`;
    this.status.textContent = `Step ${this.step + 1} of ${STEPS}: V[${i}, ${j}, ${k}] = ${formatNumber(result.total)}, ` +
      `filter ${k} on rows ${S * i} to ${S * i + 2} and columns ${S * j} to ${S * j + 2} of the padded input.`;
    this.stage.append(element("p", { class: "conv-total" }, `The channels, added up: ${total}`), this.drawOutputs());
    if (focused) this.stage.querySelector("[aria-current]").focus({ preventScroll: true });
  }

  /** Draw one channel: the padded input with its window, the filter, the nine products and their sum. */
  drawChannel(c, { i, j, k }, result) {
    const { image, filters } = this.numbers;
    const inside = (row, column) => row >= S * i && row < S * i + F && column >= S * j && column < S * j + F;
    const zero = (row, column) => Math.min(row, column) < P || Math.max(row, column) >= P + W;
    const input = table(`input, channel ${c}`, W + 2 * P, W + 2 * P, (row, column) => ({ node: String(padded(image, row, column, c)),
      kind: [zero(row, column) ? "conv-zero" : "", inside(row, column) ? "conv-window" : ""].join(" ") }));
    const filter = table(`filter ${k}`, F, F, (row, column) => ({ node: formatNumber(weight(filters, row, column, c, k)), kind: "conv-window conv-weight" }));
    const parts = [element("span", {}, "×"), filter];
    if (this.revealed) {
      const products = table("products", F, F, (row, column) => ({ kind: "conv-product", node: [
        element("span", {}, `${padded(image, S * i + row, S * j + column, c)}·${signed(weight(filters, row, column, c, k))}`),
        element("strong", {}, formatNumber(result.products[c][row * F + column]))] }));
      parts.push(element("span", {}, "="), products, element("span", { class: "conv-sum" }, "sum ", element("strong", {}, formatNumber(result.sums[c]))));
    }
    return element("div", { class: "conv-channel" }, input, element("div", { class: "conv-work" }, parts));
  }

  /** Draw the two grids of outputs, each cell a button; what has not been reached is a question mark. */
  drawOutputs() {
    const values = computeAll(this.numbers);
    const grids = Array.from({ length: K }, (_, k) => table(`output ${k}`, OUT, OUT, (i, j) => {
      const n = (k * OUT + i) * OUT + j, text = n <= this.reached ? formatNumber(values[n]) : "?";
      return { kind: "", node: button(text, () => this.go(n), { "aria-label": `V[${i}, ${j}, ${k}] = ${text}`, "aria-current": n === this.step && "step" }) };
    }));
    return element("div", { class: "conv-outputs" }, grids);
  }
}

installStyle(`
.conv-steps { min-height: 42rem; }
.conv-steps .conv-controls:not([hidden]) { display: grid; gap: 0.5rem; margin-bottom: 0.75rem; }
.conv-steps .conv-status { min-height: 3em; }
.conv-steps .conv-channels { display: grid; gap: 0.75rem; }
.conv-steps .conv-channel, .conv-steps .conv-work, .conv-steps .conv-outputs { display: flex; flex-wrap: wrap; gap: 0.5rem 0.75rem; align-items: center; }
.conv-steps table { display: table; width: auto; margin: 0; border-collapse: collapse; font-variant-numeric: tabular-nums; line-height: 1.2; overflow: visible; }
.conv-steps caption { caption-side: top; padding: 0 0 0.15rem; font-size: 0.875rem; color: var(--pst-color-text-muted); white-space: nowrap; }
.conv-steps td { min-width: 1.4rem; height: 1.4rem; padding: 0 0.2rem; border: 1px solid var(--pst-color-border); text-align: center; vertical-align: middle; color: var(--pst-color-text-base); }
.conv-steps td.conv-zero { color: var(--pst-color-text-muted); border-style: dotted; }
.conv-steps td.conv-window { border: 2px solid var(--pst-color-primary); font-weight: 700; color: var(--pst-color-text-base); }
.conv-steps td.conv-weight { min-width: 1.9rem; }
.conv-steps td.conv-product { min-width: 3.2rem; padding: 0.1rem 0.25rem; }
.conv-steps td.conv-product span { display: block; font-size: 0.8rem; color: var(--pst-color-text-muted); }
.conv-steps .conv-total { margin: 0.75rem 0 0.5rem; font-weight: 600; }
.conv-steps .conv-outputs td { padding: 0; }
.conv-steps .conv-outputs button { width: 3.25rem; border: 0; border-radius: 0; padding: 0.25rem; }
.conv-steps .conv-outputs button[aria-current] { box-shadow: inset 0 0 0 3px var(--pst-color-primary); font-weight: 700; }
@media (max-width: 600px) { /* the input on the left, the filter and the products one below the other */
  .conv-steps td { min-width: 1.2rem; height: 1.25rem; padding: 0 0.1rem; font-size: 0.9rem; }
  .conv-steps .conv-channel { gap: 0.5rem; }
  .conv-steps .conv-work { flex: 1 1 9.5rem; gap: 0.25rem 0.4rem; }
  .conv-steps td.conv-weight { min-width: 1.6rem; }
  .conv-steps td.conv-product { min-width: 2.9rem; padding: 0.05rem; }
  .conv-steps td.conv-product span { font-size: 0.75rem; }
  .conv-steps .conv-outputs button { width: 2.75rem; padding: 0; }
}
`);

customElements.define("conv-steps", ConvSteps);
