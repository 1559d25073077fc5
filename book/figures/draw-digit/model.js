// The network of "Draw a digit": its file, a forward pass, MNIST's preprocessing, the state.
// tools/make/digit_network.py trains it; tests compare every number with Keras's. No page.

import { convolve, dense, pool } from "../shared/convolution.js";
import { SIDE } from "../shared/ink.js";
import { clamp, range, softmax } from "../shared/numbers.js";
import { LETTERS, parseInteger, parseOneOf } from "../shared/parse.js";
import { readTensors } from "../shared/tensors.js";

const LAYERS = ["conv1", "pool1", "conv2", "pool2"]; // then "dense"; the file knows their shapes
const POOL = 2;

// ---- State: a drawing or a sample, and the value of a map that is looked at --------------------

export const NAMES = ["digit", "ink", "field"];

/** Read {digit, ink} out of the address; nonsense is an empty field. `given`: a digit was not. */
export function drawingFrom(text) {
  const digit = parseInteger(text.digit, 0, 9);
  const ink = digit === null ? decodeInk(text.ink) : null;
  return { digit, ink: ink ?? [], given: digit !== null || ink !== null };
}

/** Return a drawing for the address. */
export function addressOfDrawing({ digit, ink }) {
  return { digit, ink: ink.length ? encodeInk(ink) : null };
}

/** Read the state out of the address; nonsense stays at its start. */
export function stateFrom(text) {
  const [layer, ...place] = (text.field ?? "").split(",");
  const numbers = place.map((part) => parseInteger(part, 0, 99));
  const isField = parseOneOf(layer, LAYERS) && numbers.length === 3 && !numbers.includes(null);
  const field = isField ? [layer, ...numbers] : ["conv1", 0, 11, 11];
  return { ...drawingFrom(text), field };
}

/** Return the state for the address; the field once the reader has chosen one. */
export function addressOf(state) {
  const [field, start] = [state, stateFrom({})].map((each) => each.field.join());
  return { ...addressOfDrawing(state), field: field === start ? null : field };
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

// ---- The network's file ------------------------------------------------------------------------

/**
 * Read the network's file: {layers, dense, weights, side, samples}. A layer is {name, kernel,
 * window, stride, channels, size, reach, jump}: how wide its window is, how many maps of which
 * size it has, how many pixels of the input one value sees, and how many lie between two
 * neighbours; `dense` the last kernel; none has a bias. `weights` is the number of all weights;
 * `samples` ten images of bytes, 0 to 9; `temperature` what divides its logits, so that it is
 * right as often as it says; `usual` which logits belong to an answer, as
 * tools/make/digit_network.py measured.
 */
export function readNetwork(buffer) {
  const {
    samples, temperature, usual_mean: mean, usual_form: form, usual_limit: limit, ...tensors
  } = readTensors(buffer);
  const [count, side] = samples.shape;
  const layers = [];
  let last = { channels: 1, size: side, reach: 1, jump: 1 };
  for (const name of LAYERS) {
    const kernel = tensors[`${name}/kernel`];
    const [window, stride] = kernel ? [kernel.shape[0], 1] : [POOL, POOL];
    last = {
      name, kernel, window, stride,
      channels: kernel?.shape[3] ?? last.channels,
      size: Math.floor((last.size - window) / stride) + 1,
      reach: last.reach + (window - 1) * last.jump,
      jump: last.jump * stride,
    };
    layers.push(last);
  }
  const image = (n) => samples.values.subarray(n * side * side, (n + 1) * side * side);
  return {
    layers, side, samples: range(count, image), temperature: temperature.values[0],
    usual: { mean: mean.values, form: form.values, limit: limit.values[0] },
    dense: tensors["dense/kernel"],
    weights: Object.values(tensors).reduce((sum, { values }) => sum + values.length, 0),
  };
}

// ---- The forward pass --------------------------------------------------------------------------

/** Return {logits, maps: {layer: {size, channels, values}}} of an image x in 0..1, ink 1. */
export function forward(network, x) {
  const maps = {};
  let last = { size: network.side, channels: 1, values: x };
  for (const { name, kernel } of network.layers) {
    last = maps[name] = kernel ? convolve(last, kernel) : pool(last);
  }
  return { logits: dense(last.values, network.dense), maps };
}

const SURE = 0.75; // an answer with a smaller share is doubted

/** Return how far logits are from the usual ones of their answer, squared. */
function oddity({ mean, form }, logits, answer) {
  const middle = logits.reduce((sum, value) => sum + value, 0) / 10;
  const off = Array.from(logits, (value, n) => value - middle - mean[answer * 10 + n]);
  let sum = 0;
  for (let i = 0, at = answer * 55; i < 10; i++) {
    for (let j = i; j < 10; j++, at++) sum += form[at] * off[i] * off[j];
  }
  return sum;
}

/** Return what the logits say: {shares, answer, doubtful}; many letters have doubtful ones. */
export function judge({ temperature, usual }, logits) {
  const shares = softmax(Array.from(logits, (value) => value / temperature));
  const most = Math.max(...shares);
  const answer = shares.indexOf(most);
  return { shares, answer, doubtful: most < SURE || oddity(usual, logits, answer) > usual.limit };
}

// ---- The maps of a layer, side by side ---------------------------------------------------------

/** Return how maps lie on a sheet, two rows of them with lines between: {across, cell, W, H}. */
export function sheetOf({ size, channels }) {
  const across = channels / 2;
  const cell = size + 1;
  return { across, cell, W: across * cell - 1, H: 2 * cell - 1 };
}

/** Return the [row, column] on the sheet of a map's value. */
export function sheetPlace(layer, [map, row, column]) {
  const { across, cell } = sheetOf(layer);
  return [Math.floor(map / across) * cell + row, (map % across) * cell + column];
}

/** Return [map, row, column] of a place on the sheet, or null between two maps. */
export function sheetValue(layer, [y, x]) {
  const { across, cell } = sheetOf(layer);
  if (y % cell === layer.size || x % cell === layer.size) return null;
  return [Math.floor(y / cell) * across + Math.floor(x / cell), y % cell, x % cell];
}

/** Return the sheet's pixels: 0 black, 1 the largest value of the layer, lines grey. */
export function sheetPixels(layer) {
  const { W, H } = sheetOf(layer);
  const { size, channels, values } = layer;
  const largest = values.reduce((a, b) => Math.max(a, b), 1e-9);
  const pixels = new Float32Array(W * H).fill(0.5);
  values.forEach((value, n) => {
    const at = Math.floor(n / channels);
    const [y, x] = sheetPlace(layer, [n % channels, Math.floor(at / size), at % size]);
    pixels[y * W + x] = value / largest;
  });
  return pixels;
}

/** Bring a field [layer, map, row, column] into its layer. */
export function fieldIn({ layers }, [name, map, row, column]) {
  const { channels, size } = layers.find((layer) => layer.name === name);
  return [name, clamp(map, 0, channels - 1), clamp(row, 0, size - 1), clamp(column, 0, size - 1)];
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
