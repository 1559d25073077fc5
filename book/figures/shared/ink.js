// Ink: what the reader draws, as strokes in the address, and MNIST's preprocessing of it. No page.

import { clamp, range } from "./numbers.js";
import { LETTERS, parseInteger } from "./parse.js";

/** Pixels along a side of the drawing field. */
export const SIDE = 280;

/** Read {digit, ink} out of the address: a test digit, or strokes; `given`: it has one of them. */
export function inkFrom(text) {
  const digit = parseInteger(text.digit, 0, 9);
  const ink = digit === null ? decodeInk(text.ink) : null;
  return { digit, ink: ink ?? [], given: digit !== null || ink !== null };
}

/** Return them for the address. */
export function addressOfInk({ digit, ink }) {
  return { digit, ink: ink.length ? encodeInk(ink) : null };
}

/**
 * Write strokes, lists of [x, y] in 0..280, as text: two letters a point, a dot between strokes.
 */
function encodeInk(strokes) {
  const letter = (value) => LETTERS[Math.round(clamp(value / SIDE, 0, 1) * 63)];
  return strokes.map((stroke) => stroke.flat().map(letter).join("")).join(".");
}

/** Read strokes back; null for anything that is no drawing. */
function decodeInk(text) {
  if (!/^([\w-]{2})+(\.([\w-]{2})+)*$/.test(text ?? "") || text.length > 4000) return null;
  const point = (pair) => [...pair].map((letter) => (LETTERS.indexOf(letter) / 63) * SIDE);
  return text.split(".").map((stroke) => stroke.match(/../g).map(point));
}

// ---- MNIST's preprocessing ---------------------------------------------------------------------

/**
 * Return, for each of `to` equal pieces of `from` pixels, [its first pixel, the share of each of
 * its pixels].
 */
function shares(from, to) {
  const step = from / to;
  return range(to, (n) => {
    const start = n * step;
    const end = Math.min((n + 1) * step, from);
    const first = Math.floor(start);
    const parts = [];
    for (let p = first; p < end - 1e-9; p++) {
      parts.push((Math.min(end, p + 1) - Math.max(start, p)) / step);
    }
    return [first, parts];
  });
}

/** Return the image scaled to width x height: each new pixel is the mean of the area it covers. */
function areaScale(values, fromWidth, fromHeight, width, height) {
  const narrow = new Float32Array(fromHeight * width);
  shares(fromWidth, width).forEach(([first, parts], x) => parts.forEach((part, n) => {
    for (let y = 0; y < fromHeight; y++) {
      narrow[y * width + x] += part * values[y * fromWidth + first + n];
    }
  }));
  const result = new Float32Array(height * width);
  shares(fromHeight, height).forEach(([first, parts], y) => parts.forEach((part, n) => {
    for (let x = 0; x < width; x++) {
      result[y * width + x] += part * narrow[(first + n) * width + x];
    }
  }));
  return result;
}

/** Return the smallest box around the ink, {left, top, width, height}, or null without ink. */
function inkBox(gray, width, height) {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (gray[y * width + x] <= 0.02) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  }
  if (right < 0) return null;
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** Return the pieces of connected ink on a grid, the largest first: lists of [x, y]. */
function piecesOf(seen, width, height) {
  const left = Uint8Array.from(seen);
  const pieces = [];
  for (let start = 0; start < left.length; start++) {
    if (!left[start]) continue;
    const piece = [];
    const next = [start];
    left[start] = 0;
    while (next.length) {
      const at = next.pop();
      const [x, y] = [at % width, Math.floor(at / width)];
      piece.push([x, y]);
      for (let j = Math.max(0, y - 1); j <= Math.min(height - 1, y + 1); j++) {
        for (let i = Math.max(0, x - 1); i <= Math.min(width - 1, x + 1); i++) {
          if (left[j * width + i]) next.push(j * width + i);
          left[j * width + i] = 0;
        }
      }
    }
    pieces.push(piece);
  }
  return pieces.sort((a, b) => b.length - a.length);
}

const CELL = 4; // pixels of a drawing that count as one when its pieces are told apart

/**
 * Say whether a drawing holds two digits: a second piece of ink stands beside the largest, nearly
 * as high, and not close to it. The loose bar of a 5 is flat, and above; a stroke broken off is
 * close.
 */
export function isSeveral(gray, width, height) {
  const [across, down] = [width, height].map((size) => Math.ceil(size / CELL));
  const seen = new Uint8Array(across * down);
  gray.forEach((value, n) => {
    const [x, y] = [n % width, Math.floor(n / width)];
    if (value > 0.5) seen[Math.floor(y / CELL) * across + Math.floor(x / CELL)] = 1;
  });
  const [main, ...others] = piecesOf(seen, across, down);
  if (!main) return false;
  const sides = (piece) => [0, 1].map((axis) => {
    const at = piece.map((point) => point[axis]);
    return [at.reduce((a, b) => Math.min(a, b)), at.reduce((a, b) => Math.max(a, b)) + 1];
  });
  const [columns, rows] = sides(main);
  const long = Math.max(columns[1] - columns[0], rows[1] - rows[0]);
  return others.some((piece) => {
    const [[left, right], [top, bottom]] = sides(piece);
    const shared = Math.min(right, columns[1]) - Math.max(left, columns[0]);
    if (bottom - top <= 0.6 * (rows[1] - rows[0]) || shared >= (right - left) / 4) return false;
    const gap = piece.reduce((least, [x, y]) => main.reduce(
      (near, [i, j]) => Math.min(near, Math.hypot(x - i, y - j)), least), Infinity);
    return gap > 0.14 * long;
  });
}

/** Say whether the scaled ink is a blob, as a tap's dot is: it fills a box that no stroke fills. */
export function isBlob({ width, height, values }) {
  return Math.min(width, height) > 10 && values.reduce((a, b) => a + b) > 0.7 * values.length;
}

/**
 * Return what MNIST's makers did, step by step: {box, crop, scaled, offset, image}; null for an
 * empty drawing. `gray` is width x height numbers in 0..1, ink 1; `image` is the network's input.
 */
export function preprocessSteps(gray, width, height, side = 28) {
  const box = inkBox(gray, width, height);
  if (!box) return null;
  const crop = new Float32Array(box.width * box.height);
  for (let y = 0; y < box.height; y++) {
    const from = (box.top + y) * width + box.left;
    crop.set(gray.subarray(from, from + box.width), y * box.width);
  }
  const factor = 20 / Math.max(box.width, box.height);
  const [w, h] = [box.width, box.height].map((n) => Math.max(1, Math.round(n * factor)));
  const scaled = areaScale(crop, box.width, box.height, w, h);
  let [mass, x, y] = [0, 0, 0];
  scaled.forEach((value, n) => {
    mass += value;
    x += value * (n % w);
    y += value * Math.floor(n / w);
  });
  // The centre of mass goes to the middle; whole pixels, and no ink leaves the image.
  const place = (moment, size) => clamp(Math.round(side / 2 - moment / mass), 0, side - size);
  const offset = { left: place(x, w), top: place(y, h) };
  const image = new Float32Array(side * side);
  for (let row = 0; row < h; row++) {
    const to = (offset.top + row) * side + offset.left;
    image.set(scaled.subarray(row * w, (row + 1) * w), to);
  }
  return { box, crop, scaled: { width: w, height: h, values: scaled }, offset, image };
}
