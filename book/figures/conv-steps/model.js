// The numbers of the stepper: an input of 5 by 5 pixels in 3 channels, one zero on each side, and
// 2 filters of 3 by 3 with stride 2 make 18 outputs, each of 27 products and a bias. No page.

import { grid, range } from "../shared/numbers.js";
import { parseInteger } from "../shared/parse.js";
import { randomNumbers } from "../shared/random.js";

/** Input, channels, filters, their size, stride, padding, and outputs along an axis. */
export const [W, C, K, F, S, P, OUT] = [5, 3, 2, 3, 2, 1, 3];
export const STEPS = OUT * OUT * K;

// ---- State: the seed of the numbers, and the output that is computed ---------------------------

export const NAMES = ["seed", "output"];

/** Read the state out of the address; nonsense stays at its start. */
export function stateFrom(text) {
  const seed = parseInteger(text.seed, 1, 999999);
  const output = parseInteger(text.output, 1, STEPS);
  const step = (output ?? 1) - 1;
  return { seed, step, reached: step, given: seed !== null || output !== null };
}

/** Return the state for the address. */
export function addressOf({ seed, step }) {
  return { seed, output: step + 1 };
}

// ---- Numbers -----------------------------------------------------------------------------------

// The example of the chapters: np.random.default_rng(231), image (5, 5, 3) in 0..2, then filters
// (3, 3, 3, 2) in -1..1 as - 0 +, in NumPy's order.
const IMAGE = "010210010121212012202112000002010012212212112020210112020121112122121121101";
const FILTERS = "+00++00++0+0++0-++0000+++--0++0+00-00---+0-0+---00+000";

/**
 * Return {image (75), filters (54), bias (2)}, flat in NumPy's order: those of a seed, or of the
 * chapters' example for null.
 */
export function makeNumbers(seed = null) {
  const bias = [1, 0];
  if (seed === null) {
    const filters = [...FILTERS].map((sign) => "-0+".indexOf(sign) - 1);
    return { image: [...IMAGE].map(Number), filters, bias };
  }
  const random = randomNumbers(seed);
  const draw = (n) => Math.floor(random() * n);
  const image = range(W * W * C, () => draw(3));
  const filters = range(F * F * C * K, () => draw(3) - 1);
  return { image, filters, bias };
}

/** Say whether row i, column j of the padded input lies outside the image. */
export function isZero(i, j) {
  return Math.min(i, j) < P || Math.max(i, j) >= P + W;
}

/** Return the padded input's value at row i, column j, channel c: 0 outside the image. */
export function padded(image, i, j, c) {
  return isZero(i, j) ? 0 : image[((i - P) * W + j - P) * C + c];
}

/** Return filter k's weight at row i, column j, channel c. */
export function weight(filters, i, j, c, k) {
  return filters[((i * F + j) * C + c) * K + k];
}

/** Return which output step n computes: {i, j, k}, filter after filter, row by row. */
export function place(n) {
  return { k: Math.floor(n / (OUT * OUT)), i: Math.floor(n / OUT) % OUT, j: n % OUT };
}

/** Return all the arithmetic of output V[i, j, k]: {products: 3 of 9, sums: 3, bias, total}. */
export function computeOutput({ image, filters, bias }, { i, j, k }) {
  const product = (di, dj, c) =>
    padded(image, S * i + di, S * j + dj, c) * weight(filters, di, dj, c, k) + 0; // no -0
  const products = range(C, (c) => grid(F, F, (di, dj) => product(di, dj, c)));
  const sums = products.map((channel) => channel.reduce((a, b) => a + b));
  return { products, sums, bias: bias[k], total: sums.reduce((a, b) => a + b, bias[k]) };
}

/** Return the 18 outputs in the order of the steps. */
export function computeAll(numbers) {
  return range(STEPS, (n) => computeOutput(numbers, place(n)).total);
}
