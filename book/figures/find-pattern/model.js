// Look for a pattern: a patch of the photograph as a kernel, its answers everywhere, a bias and the
// bend. No page.

import { correlate } from "../shared/convolution.js";
import { clamp, grid } from "../shared/numbers.js";
import { parseInteger, parseList, parseOneOf } from "../shared/parse.js";

/** Pixels along a side of the photograph, and of a pattern. */
export const SIDE = 160;
export const SIZES = [3, 5, 7];

// ---- State -------------------------------------------------------------------------------------

/** A part of the rim of her glasses. `drawn` is a pattern of -1, 0 and 1 in place of the patch. */
export const START = {
  size: 5, at: [79, 46], drawn: null, brightness: "counts", bias: 0, bend: "off",
};
export const NAMES = ["size", "at", "drawn", "brightness", "bias", "bend"];

/** Read the state out of the address; nonsense stays at its start. `given`: something was not. */
export function stateFrom(text) {
  const size = parseInteger(text.size, 3, 7);
  const drawn = parseList(text.drawn, SIZES.map((each) => each ** 2),
    (part) => parseInteger(part, -1, 1));
  const found = Object.fromEntries(Object.entries({
    size: drawn ? Math.sqrt(drawn.length) : SIZES.includes(size) ? size : null,
    at: parseList(text.at, [2], (part) => parseInteger(part, 0, SIDE - 1)),
    drawn,
    brightness: parseOneOf(text.brightness, ["ignored"]),
    bias: parseInteger(text.bias, -100, 100),
    bend: parseOneOf(text.bend, ["on"]),
  }).filter(([, value]) => value !== null));
  const state = { ...START, ...found, given: Object.keys(found).length > 0 };
  return { ...state, at: placeIn(state.at, state.size) };
}

/** Return the state for the address; null for what is as at the start. */
export function addressOf({ size, at, drawn, brightness, bias, bend }) {
  return {
    size: size === START.size || drawn ? null : size,
    at: at.join() === START.at.join() ? null : at.join(),
    drawn: drawn?.join() ?? null,
    brightness: brightness === START.brightness ? null : brightness,
    bias: bias || null,
    bend: bend === START.bend ? null : bend,
  };
}

/** Bring the first pixel, [row, column], of a patch to where the whole patch is inside. */
export function placeIn(at, size) {
  return at.map((place) => clamp(place, 0, SIDE - size));
}

// ---- Patterns ----------------------------------------------------------------------------------

/** Patterns to start a drawing from, around the middle cell `m`. */
const SHAPES = {
  "upright edge": (i, j, m) => Math.sign(j - m),
  "level line": (i, j, m) => (i === m) - (Math.abs(i - m) === 1),
  "spot": (i, j, m) => (Math.hypot(i - m, j - m) < (2 * m + 1) / 3 ? 1 : -1),
};
export const SHAPE_NAMES = Object.keys(SHAPES);

/** Return a pattern, flat, by its name. */
export function shape(name, size) {
  return grid(size, size, (i, j) => SHAPES[name](i, j, (size - 1) / 2) || 0);
}

/** Return the size by size pixels from [row, column] on. */
export function patchAt(image, [row, column], size) {
  return grid(size, size, (i, j) => image[(row + i) * SIDE + column + j]);
}

/** Return [mean, standard deviation]: how bright a patch is, and how much contrast it has. */
export function moments(values) {
  const mean = values.reduce((a, b) => a + b) / values.length;
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return [mean, Math.sqrt(square / values.length)];
}

/** Return a patch as a drawing: 1 and -1 where it is half a deviation from its mean, or more. */
export function rounded(patch) {
  const [mean, deviation] = moments(patch);
  return patch.map((value) => (Math.abs(value - mean) < deviation / 2 || deviation < 1e-9 ? 0
    : Math.sign(value - mean)));
}

/** Return the weights of the kernel that the pattern is. */
export function kernelOf({ size, at, drawn, brightness }, image) {
  const pattern = drawn ?? patchAt(image, at, size);
  if (brightness === "counts") return pattern;
  const [mean, deviation] = moments(pattern);
  return pattern.map((value) => (deviation < 1e-9 ? 0 : value - mean)); // a flat one is all gone
}

// ---- Answers -----------------------------------------------------------------------------------

const ROUNDING = 1e-9; // answers that differ by less are the same, added up in another order

/**
 * Return the kernel's answers at every place of the image: {values, H, limit, most, least}, where
 * [row, column] of the largest and of the smallest answer are the first pixel of their patch.
 */
export function answersOf(kernel, image) {
  const size = Math.sqrt(kernel.length);
  const { values, H } = correlate(image, SIDE, SIDE, kernel, size, size, 1, "VALID");
  let [high, low] = [0, 0];
  values.forEach((value, n) => {
    if (value > values[high]) high = n;
    if (value < values[low]) low = n;
  });
  const place = (n) => [Math.floor(n / H), n % H];
  const limit = Math.max(values[high], -values[low]);
  return { values, H, limit, most: place(high), least: place(low) };
}

/** Return the answer at a place, and how many places answer more. */
export function rankOf({ values, H }, [row, column]) {
  const own = values[row * H + column];
  return { own, above: values.reduce((count, value) => count + (value > own + ROUNDING), 0) };
}

/** Return the answers plus the bias, cut at 0 with the bend on, and how many are above 0. */
export function passed({ values }, bias, bend) {
  const biased = values.map((value) => value + bias);
  const left = biased.reduce((count, value) => count + (value > ROUNDING), 0);
  return { values: bend === "on" ? biased.map((value) => Math.max(value, 0)) : biased, left };
}

/**
 * Return what the patch that answers most has more of than the pattern: "brightness", or
 * "contrast" (for a kernel without its mean nothing else helps); "own" where it is the pattern.
 */
export function winner({ at, size, brightness }, { most }, image) {
  if (most.join() === at.join()) return "own";
  const [mine, other] = [at, most].map((place) => moments(patchAt(image, place, size))[0]);
  return brightness === "counts" && other > mine ? "brightness" : "contrast";
}
