// The numbers of the cost lab: what each way to a convolution multiplies and moves, what a machine
// allows, and the state. No page.

import { range, samePadding } from "../shared/numbers.js";
import { parseInteger, parseOneOf } from "../shared/parse.js";

/** The ways: loops, im2col and a matrix product, two thin passes, FFT. */
export const METHODS = ["direct", "im2col", "separable", "fft"];
/** The least, the most, and the most of the slider. */
export const SIZES = {
  F: { least: 1, most: 63 }, W: { least: 8, most: 512 }, C: { least: 1, most: 64 },
  K: { least: 1, most: 64 }, S: { least: 1, most: 4 },
};

// ---- State -------------------------------------------------------------------------------------

const START = { F: 31, W: 128, C: 1, K: 1, S: 1, rank: "one", method: "direct", cost: "macs" };
export const NAMES = Object.keys(START);

/** Read the state out of the address; nonsense stays at its start. `given`: something was not. */
export function stateFrom(text) {
  const found = Object.entries({
    ...Object.fromEntries(Object.entries(SIZES).map(([name, { least, most }]) =>
      [name, parseInteger(text[name], least, most)])),
    rank: parseOneOf(text.rank, ["one", "any"]),
    method: parseOneOf(text.method, METHODS),
    cost: parseOneOf(text.cost, ["macs", "bytes"]), // "seconds" has no machine yet
  }).filter(([, value]) => value !== null);
  return { ...START, ...Object.fromEntries(found), given: found.length > 0 };
}

/** Return the state for the address; null for what is as at the start. */
export function addressOf(state) {
  return Object.fromEntries(NAMES.map((name) =>
    [name, state[name] === START[name] || state[name] === "seconds" ? null : state[name]]));
}

/** Return the settings of a state; `thin` says that each kernel is a column times a row. */
export function settingsOf({ F, W, C, K, S, rank }) {
  return { F, W, C, K, S, thin: rank === "one" };
}

// ---- What a way costs --------------------------------------------------------------------------

/**
 * Return the settings with O, the side of the output (padding SAME), `before`, the zeros above and
 * on the left, P, the side of the picture with all zeros, and N, the power of two it fits into.
 */
export function sizesOf(settings) {
  const { F, W, S } = settings;
  const { outputs, before, after } = samePadding(W, F, S);
  const P = W + before + after;
  return { ...settings, O: outputs, before, P, N: 2 ** Math.ceil(Math.log2(P)) };
}

/**
 * Return {macs, bytes, memory} of a way: its multiply-adds (two operations of an FFT are one), the
 * bytes it moves where each array is written once and read once (the input only read, the output
 * only written; a number has 4 bytes), and the bytes that all arrays take together.
 */
export function costOf(method, settings) {
  const { F, W, C, K, O, P, N } = sizesOf(settings);
  const weights = F * F * C * K;
  const ends = 4 * (W * W * C + weights + O * O * K); // input, kernels and output
  if (method === "direct") return { macs: O * O * weights, bytes: ends, memory: ends };
  if (method === "im2col") {
    const matrix = 4 * O * O * F * F * C;
    return { macs: O * O * weights, bytes: ends + 2 * matrix, memory: ends + matrix };
  }
  if (method === "separable") { // down, then along
    const middle = O * W * C * K;
    return { macs: F * (middle + O * O * C * K),
      bytes: ends + 4 * (2 * F * C * K - weights + 2 * middle), memory: ends + 4 * O * P };
  }
  const transforms = C + C * K + K;
  const plane = 2 * 4 * N * N; // of complex numbers
  return { macs: transforms * 5 * N * N * Math.log2(N) + 4 * N * N * C * K,
    bytes: ends + 2 * plane * transforms, memory: ends + plane * (C + 2) };
}

/** Return the ways that the settings leave: two thin passes need kernels of rank 1. */
export function waysOf({ thin }) {
  return METHODS.filter((method) => thin || method !== "separable");
}

// ---- What a machine allows ---------------------------------------------------------------------

/**
 * Return {seconds, share} under the roof of a machine {peak: multiply-adds a second, band: bytes a
 * second}: the least time, and the largest share of the peak.
 */
export function roof({ macs, bytes }, { peak, band }) {
  const seconds = Math.max(macs / peak, bytes / band);
  return { seconds, share: macs / peak / seconds };
}

/**
 * Return the lines of a chart, {method: [cost at F = 1, at 2, ...]}, where the cost is "macs",
 * "bytes" or "seconds", the least that the machine allows.
 */
export function linesOf(cost, settings, machine) {
  const at = (method, F) => {
    const costs = costOf(method, { ...settings, F });
    return cost === "seconds" ? roof(costs, machine).seconds : costs[cost];
  };
  return Object.fromEntries(waysOf(settings).map((method) =>
    [method, range(SIZES.F.most, (n) => at(method, n + 1))]));
}

/**
 * Return the stretches of F in which one way is the cheapest, of {method: its line}:
 * [{method, from, to}, ...]. Of two that cost the same the first counts.
 */
export function cheapest(lines) {
  const found = [];
  for (let F = 1; F <= SIZES.F.most; F++) {
    const [method] = Object.entries(lines)
      .reduce((best, each) => (each[1][F - 1] < best[1][F - 1] ? each : best));
    if (found.at(-1)?.method === method) found.at(-1).to = F;
    else found.push({ method, from: F, to: F });
  }
  return found;
}

/**
 * Return from which F on each other way is cheaper than the loops, for good: {method: F}, without
 * those that never are.
 */
export function passing(lines) {
  const { direct, ...others } = lines;
  return Object.fromEntries(Object.entries(others).map(([method, line]) =>
    [method, line.findLastIndex((value, n) => value >= direct[n]) + 2])
    .filter(([, F]) => F <= SIZES.F.most));
}

// ---- What is written ---------------------------------------------------------------------------

/** Return the two formulas of a way, filled in: multiply-adds and bytes. */
export function formulas(method, settings) {
  const { F, W, C, K, O, N } = sizesOf(settings);
  const { macs, bytes } = costOf(method, settings);
  const whole = (value) => Math.round(value).toLocaleString("en");
  const [macsOf, moved] = {
    direct: [`${O}² · ${F}² · ${C} · ${K}`, ""],
    im2col: [`${O}² · ${F}² · ${C} · ${K}`, `2 · ${O}² · ${F}² · ${C}`],
    separable: [`${F} · ${O} · (${W} + ${O}) · ${C} · ${K}`, `2 · ${O} · ${W} · ${C} · ${K}`],
    fft: [`${C + C * K + K} · 5 · ${N}² · ${Math.log2(N)} + 4 · ${N}² · ${C} · ${K}`,
      `4 · ${N}² · ${C + C * K + K}`],
  }[method];
  const weights = method === "separable" ? `2 · ${F} · ${C} · ${K}` : `${F}² · ${C} · ${K}`;
  const arrays = [`${W}² · ${C}`, weights, moved, `${O}² · ${K}`].filter(Boolean).join(" + ");
  return [`${macsOf} = ${whole(macs)}`, `4 · (${arrays}) = ${whole(bytes)}`];
}

/** Return {digits, power} of a number as people read it: three digits, and 2 for millions. */
export function scaled(value) {
  const power = value < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(value * 1.0005) / 3));
  const few = Number.isInteger(value) && value < 1000;
  return { digits: few ? String(value) : (value / 1000 ** power).toPrecision(3), power };
}

/** Return the median. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
