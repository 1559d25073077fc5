// The numbers of the kernel playground: kernels, a cross-correlation, the state. No page.

import { clamp, grid, range, samePadding } from "../shared/numbers.js";
import {
  packBits, parseDecimal, parseInteger, parseList, parseOneOf, unpackBits,
} from "../shared/parse.js";

/** The chapter's kernels, and the display that suits them: signed for those that add up to 0. */
export const PRESETS = {
  "blur": { kernel: [1, 2, 1, 2, 4, 2, 1, 2, 1], divisor: 16, display: "cut" },
  "sharpen": { kernel: [0, -1, 0, -1, 5, -1, 0, -1, 0], divisor: 1, display: "cut" },
  "edge": { kernel: [0, -1, 0, -1, 4, -1, 0, -1, 0], divisor: 1, display: "signed" },
  "top Sobel": { kernel: [1, 2, 1, 0, 0, 0, -1, -2, -1], divisor: 1, display: "signed" },
  "emboss": { kernel: [-2, -1, 0, -1, 1, 1, 0, 1, 2], divisor: 1, display: "cut" },
};

/** Pixels along a side of each input. */
export const SIDE = { photo: 160, draw: 24 };

const PATTERNS = {
  "square": (i, j) => i > 7 && i < 16 && j > 7 && j < 16,
  "one pixel": (i, j) => i === 12 && j === 12,
  "white wall": () => true,
  "stripes": (i, j) => j % 6 < 3,
  "diagonal": (i, j) => Math.abs(i - j) < 2,
  "nothing": () => false,
};
export const PATTERN_NAMES = Object.keys(PATTERNS);

/** Return a drawing, zeros and ones, by its name. */
export function drawn(name) {
  return grid(SIDE.draw, SIDE.draw, (i, j) => Number(PATTERNS[name](i, j)));
}

// ---- State -------------------------------------------------------------------------------------

export const START = {
  source: "photo", kernel: [1, 0, -1, 2, 0, -2, 1, 0, -1], divisor: 1, flip: false,
  display: "signed", stride: 1, at: null,
};
export const NAMES = [
  "source", "drawing", "kernel", "divisor", "flip", "display", "stride", "at",
];

export const parseWeight = (text) => parseDecimal(text, 1000);

/** Read the state out of the address; nonsense stays at its start. `given`: something was not. */
export function stateFrom(text) {
  const found = Object.entries({
    source: parseOneOf(text.source, Object.keys(SIDE)),
    drawing: unpackBits(text.drawing, SIDE.draw ** 2),
    kernel: parseList(text.kernel, [9, 25], parseWeight),
    divisor: parseWeight(text.divisor) || null,
    flip: text.flip === "1" || null,
    display: parseOneOf(text.display, ["cut", "signed"]),
    stride: parseInteger(text.stride, 1, 4),
    at: parseList(text.at, [2], (part) => parseInteger(part, 0, SIDE.photo - 1)),
  }).filter(([, value]) => value !== null);
  return {
    ...START, drawing: drawn("square"), ...Object.fromEntries(found), given: found.length > 0,
  };
}

/** Return the state for the address; null for what is as at the start. */
export function addressOf({ source, drawing, kernel, divisor, flip, display, stride, at }) {
  const draw = source === "draw";
  return {
    kernel: kernel.join() === START.kernel.join() ? null : kernel.join(),
    divisor: divisor === 1 ? null : divisor,
    source: draw ? source : null,
    drawing: draw ? packBits(drawing) : null,
    flip: flip ? 1 : null,
    display: display === "cut" ? display : null,
    stride: stride === 1 ? null : stride,
    at: at?.join() ?? null,
  };
}

// ---- Kernels -----------------------------------------------------------------------------------

/** Return a copy turned by 180 degrees. */
export function turned(kernel) {
  return [...kernel].reverse();
}

/** Return `kernel` in a larger frame of zeros, or its middle: `next` squared weights. */
export function resized(kernel, next) {
  const size = Math.sqrt(kernel.length);
  const shift = (size - next) / 2;
  const inside = (place) => place + shift >= 0 && place + shift < size;
  const old = (i, j) => kernel[(i + shift) * size + j + shift];
  return grid(next, next, (i, j) => (inside(i) && inside(j) ? old(i, j) : 0));
}

/**
 * Return the limit of the signed display: the largest size of a value, the padded rim left out
 * unless nothing else is there.
 */
export function displayLimit({ values, W, top, left }, side, size, stride) {
  const inside = (place, before) =>
    place * stride >= before && place * stride - before + size <= side;
  const inner = values.filter((value, at) =>
    inside(Math.floor(at / W), top) && inside(at % W, left));
  const largest = (some) => some.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return [largest(inner), largest(values)].find((limit) => limit > 1e-9) ?? 1;
}

// ---- One pixel ---------------------------------------------------------------------------------

/** Return the output pixel, [row, column], whose window lies nearest to an input pixel. */
export function outputOf(place, side, size, stride) {
  const { outputs, before } = samePadding(side, size, stride);
  const nearest = (at) => Math.round((at + before - (size - 1) / 2) / stride);
  return place.map((at) => clamp(nearest(at), 0, outputs - 1));
}

/** Return the input pixel in the middle of the window of an output pixel. */
export function inputOf(place, side, size, stride) {
  const { before } = samePadding(side, size, stride);
  return place.map((at) => at * stride - before + (size - 1) / 2);
}

/**
 * Return the products under the window that starts at input pixel [row, column], with zeros around
 * the image: a list of {pixel, weight, product, inside}.
 */
export function productsAt(image, side, kernel, [top, left]) {
  const size = Math.sqrt(kernel.length);
  return kernel.map((weight, at) => {
    const [row, column] = [top + Math.floor(at / size), left + (at % size)];
    const inside = row >= 0 && column >= 0 && row < side && column < side;
    const pixel = inside ? image[row * side + column] : 0;
    return { pixel, weight, product: pixel * weight, inside };
  });
}

/** Return the pixels [row, column] of a line from one to another: a fast pointer skips some. */
export function line(from, to) {
  const steps = Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]), 1);
  return range(steps + 1, (k) =>
    from.map((start, axis) => Math.round(start + (k / steps) * (to[axis] - start))));
}
