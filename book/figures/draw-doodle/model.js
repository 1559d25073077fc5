// The network of "Draw a doodle": strokes as the data set simplifies and draws them, an integer
// network's file and its integers, and the state. Tests compare each with the chapters. No page.

import { pool } from "../shared/convolution.js";
import { SIDE } from "../shared/ink.js";
import { clamp, range, softmax } from "../shared/numbers.js";
import { LETTERS, parseInteger } from "../shared/parse.js";

// ---- State: what is drawn (and `simple`, the same simplified, where that came from elsewhere),
//      and the value of a map that is looked at

export const NAMES = ["doodle", "look"];

/** The words that the network knows, in its order; its file says the same. */
export const WORDS = ["airplane", "alarm clock", "banana", "bird", "book", "cat", "dog", "flower",
  "house", "rainbow"];

/** Read the state out of the address; nonsense is an empty field. */
export function stateFrom(text) {
  const strokes = decode(text.doodle);
  const [layer, ...place] = (text.look ?? "").split(",");
  const numbers = place.map((part) => parseInteger(part, 0, 999));
  const looks = /^(input|(conv|pool)\d)$/.test(layer) && numbers.length === 3
    && !numbers.includes(null);
  return {
    ...drawingOf(strokes), given: strokes !== null,
    look: looks ? [layer, ...numbers] : ["conv1", 0, 13, 13],
  };
}

/** Return {ink, simple} of strokes that are simplified already, or of none. */
export function drawingOf(strokes) {
  return { ink: strokes ? placed(strokes) : [], simple: strokes };
}

/** Return the state for the address; the place once the reader has chosen one. */
export function addressOf({ ink, simple, look }) {
  const [here, start] = [look, stateFrom({}).look].map((each) => each.join());
  const text = ink.length ? encode(simple ?? simplify(ink)) : null;
  return { doodle: text?.length <= MOST ? text : null, look: here === start ? null : here };
}

const MOST = 4000; // letters of a drawing in an address

/** Write simplified strokes as text: two letters a number, a dot between strokes. */
function encode(strokes) {
  const letters = (value) => LETTERS[value >> 6] + LETTERS[value & 63];
  return strokes.map((stroke) => stroke.flat().map(letters).join("")).join(".");
}

/** Read strokes back; null for anything that is no drawing. */
export function decode(text) {
  if (!/^([\w-]{4})+(\.([\w-]{4})+)*$/.test(text ?? "") || text.length > MOST) return null;
  const number = ([high, low]) => LETTERS.indexOf(high) * 64 + LETTERS.indexOf(low);
  const strokes = text.split(".").map((stroke) => stroke.match(/..../g).map((four) =>
    [number(four.slice(0, 2)), number(four.slice(2))]));
  return strokes.flat(2).every((value) => value <= BOX) ? strokes : null;
}

// ---- Strokes, as the data set has them ---------------------------------------------------------

const BOX = 255; // the longer side of a simplified drawing
const DETAIL = 2; // what a simplified stroke may leave out

/** Round as NumPy does: of two that are as near, the even one. */
function roundHalfEven(value) {
  const up = Math.round(value);
  return up % 2 !== 0 && up - value === 0.5 ? up - 1 : up;
}

/** Put strokes of a box of 255 into the middle of the drawing field. */
function placed(strokes) {
  const [right, down] = [0, 1].map((axis) => Math.max(...strokes.flat().map((at) => at[axis])));
  return strokes.map((stroke) =>
    stroke.map(([x, y]) => [x + (SIDE - right) / 2, y + (SIDE - down) / 2]));
}

/** Return the stroke as points every unit along it, its end included; a tap's point twice. */
function resample(stroke) {
  const along = [0];
  for (let n = 1; n < stroke.length; n++) {
    const [x, y] = [0, 1].map((axis) => stroke[n][axis] - stroke[n - 1][axis]);
    along.push(along[n - 1] + Math.hypot(x, y));
  }
  const length = along.at(-1);
  if (length === 0) return [stroke[0], stroke[0]];
  const points = [];
  for (let t = 0, n = 0; t < length; t++) {
    while (along[n + 1] <= t) n++;
    points.push([0, 1].map((axis) => {
      const [from, to] = [stroke[n][axis], stroke[n + 1][axis]];
      return from + ((to - from) / (along[n + 1] - along[n])) * (t - along[n]);
    }));
  }
  points.push(stroke.at(-1));
  return points;
}

/** Return the points that Ramer, Douglas and Peucker keep; distances are those to the line. */
function withoutDetail(points) {
  const keep = new Set([0, points.length - 1]);
  const pieces = [[0, points.length - 1]];
  while (pieces.length) {
    const [first, last] = pieces.pop();
    const [[x, y], [u, v]] = [points[first], points[last]];
    const [dx, dy] = [u - x, v - y];
    const length = Math.hypot(dx, dy);
    let [most, at] = [DETAIL, null];
    for (let n = first + 1; n < last; n++) {
      const [px, py] = [points[n][0] - x, points[n][1] - y];
      const gap = length === 0 ? Math.hypot(px, py) : Math.abs(dx * py - dy * px) / length;
      if (gap > most) [most, at] = [gap, n];
    }
    if (at === null) continue;
    keep.add(at);
    pieces.push([first, at], [at, last]);
  }
  return points.filter((point, n) => keep.has(n));
}

/**
 * Return strokes as the data set simplifies them: aligned to the top left, the longer side 255,
 * a point every unit, without detail, whole numbers.
 */
export function simplify(ink) {
  const all = ink.flat();
  const [low, high] = [Math.min, Math.max].map((end) => [0, 1].map((axis) =>
    all.reduce((so, point) => end(so, point[axis]), all[0][axis])));
  const side = Math.max(high[0] - low[0], high[1] - low[1]);
  const scaled = (point) =>
    point.map((value, axis) => (side ? ((value - low[axis]) * BOX) / side : 0));
  return ink.map((stroke) => withoutDetail(resample(stroke.map(scaled)))
    .map((point) => point.map(roundHalfEven)));
}

/** Say whether strokes are no drawing yet: all in one place. */
export function isDot(ink) {
  const [x, y] = ink[0][0];
  return ink.flat().every((point) => Math.hypot(point[0] - x, point[1] - y) < 4);
}

// ---- Pixels, as the data set has them ----------------------------------------------------------

/** Pixels along a side of what the network reads. */
export const PIXELS = 28;
const SCALE = PIXELS / 304; // 256 units, half a line and 16 units of margin on each side
const REACH = 8 * SCALE + 0.5; // of a line, from its middle: a half of it, and half a pixel

/**
 * Return simplified strokes as bytes (28, 28), ink 255: the drawing in the middle, a soft line
 * around each stroke, and the strokes laid over each other. It is chapter 22's `rasterise`.
 */
export function rasterise(strokes) {
  const [right, down] = [0, 1].map((axis) => Math.max(...strokes.flat().map((at) => at[axis])));
  const [left, top] = [(256 - right) / 2 + 24, (256 - down) / 2 + 24];
  const paper = new Float64Array(PIXELS * PIXELS).fill(1);
  for (const stroke of strokes) {
    const q = stroke.map(([x, y]) => [(x + left) * SCALE, (y + top) * SCALE]);
    if (q.length === 1) q.push(q[0]);
    const gaps = new Float64Array(PIXELS * PIXELS).fill(REACH);
    for (let k = 0; k + 1 < q.length; k++) {
      const [[a, b], [u, v]] = [q[k], q[k + 1]];
      const [dx, dy] = [u - a, v - b];
      const [[i, I], [j, J]] = [[b, v], [a, u]].map((ends) => [
        Math.max(0, Math.floor(Math.min(...ends) - REACH)),
        Math.min(PIXELS - 1, Math.ceil(Math.max(...ends) + REACH))]);
      for (let row = i; row <= I; row++) {
        for (let column = j; column <= J; column++) {
          const [px, py] = [column + 0.5 - a, row + 0.5 - b];
          const t = clamp((px * dx + py * dy) / Math.max(dx * dx + dy * dy, 1e-9), 0, 1);
          const n = row * PIXELS + column;
          gaps[n] = Math.min(gaps[n], Math.hypot(px - t * dx, py - t * dy));
        }
      }
    }
    gaps.forEach((gap, n) => { paper[n] *= 1 - clamp(REACH - gap, 0, 1); });
  }
  return Uint8Array.from(paper, (value) => roundHalfEven(255 * (1 - value)));
}

// ---- The network's file ------------------------------------------------------------------------

/** Throw where something in a file is not as it must be. */
function insist(fact, what) {
  if (!fact) throw new Error(what);
}

const TYPES = { F64: Float64Array, I32: Int32Array, I8: Int8Array };

/**
 * Read a safetensors file of such numbers: {tensors: {name: {shape, values}}, metadata: {name:
 * text}}. What is no such file, or not a whole one, throws.
 */
function readFile(buffer) {
  insist(buffer.byteLength >= 8, "too short");
  const start = 8 + Number(new DataView(buffer).getBigUint64(0, true));
  insist(start <= buffer.byteLength, "its header is cut off");
  const text = new Uint8Array(buffer, 8, start - 8).reduce((all, byte) =>
    all + String.fromCharCode(byte), "");
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(text);
  const read = ([name, { dtype, shape, data_offsets: [from, to] }]) => {
    insist(Object.hasOwn(TYPES, dtype), `${name}: a type that is not known`);
    const Numbers = TYPES[dtype];
    const count = shape.reduce((product, size) => product * size, 1);
    insist(shape.every((size) => Number.isInteger(size) && size > 0) && Number.isInteger(from)
      && from >= 0 && to - from === count * Numbers.BYTES_PER_ELEMENT
      && start + to <= buffer.byteLength, `${name}: its place does not fit`);
    return [name, { shape, values: new Numbers(buffer.slice(start + from, start + to)) }];
  };
  return { tensors: Object.fromEntries(Object.entries(entries).map(read)), metadata };
}

const KINDS = ["Conv2D", "Dense"];
const isInt8 = (value) => Number.isInteger(value) && value >= -128 && value <= 127;

/**
 * Read an integer network's file: {layers, output}, with what else its metadata say of {names,
 * temperature, accuracy, confusion, samples}. A layer is {name, kind, zero, scale, shape, weights,
 * bias, multiplier}. A file that does not hold a network from 28 by 28 bytes to its names throws.
 */
export function readNetwork(buffer) {
  const { tensors, metadata } = readFile(buffer);
  const read = (name, missing = null) =>
    (Object.hasOwn(metadata, name) ? JSON.parse(metadata[name]) : missing);
  let [size, channels] = [PIXELS, 1];
  const layers = read("layers").map(({ name, kind, zero, scale }) => {
    const part = (which) => tensors[`${name}/${which}`];
    const [weights, bias, multiplier] = ["weights", "bias", "multiplier"].map(part);
    const { shape, values } = weights;
    const outputs = shape.at(-1);
    const dense = kind === "Dense";
    const wanted = dense ? [size * size * channels] : [shape[0], shape[0], channels];
    insist(KINDS.includes(kind) && wanted.join() === shape.slice(0, -1).join()
      && (dense || shape[0] % 2 === 1), `${name}: weights of ${shape}`);
    insist(values instanceof Int8Array && bias.values instanceof Int32Array
      && bias.values.length === outputs && multiplier.values instanceof Float64Array
      && multiplier.values.length === outputs && multiplier.values.every(Number.isFinite)
      && isInt8(zero), `${name}: numbers that do not fit`);
    [size, channels] = dense ? [1, outputs] : [size >> 1, outputs];
    return { name, kind, zero, scale, shape, weights: values, bias: bias.values,
      multiplier: multiplier.values };
  });
  const [output, temperature] = [read("output"), read("temperature", 1)];
  const names = read("names", range(channels, String));
  insist(layers.at(-1).kind === "Dense" && channels === names.length && output.scale > 0
    && isInt8(output.zero) && temperature > 0, "no end that fits");
  return { layers, output, names, temperature, accuracy: read("accuracy"),
    confusion: read("confusion"), samples: read("samples", {}) };
}

// ---- The integers ------------------------------------------------------------------------------

/** Return the int8 that an accumulator becomes; halves go up, as chapter 23 rounds. */
function requantised(sum, multiplier, zero, low) {
  return clamp(Math.floor(sum * multiplier + 0.5) + zero, low, 127);
}

/** Return relu(conv(q) + b) with SAME padding, in integers; q {size, channels, zero, values}. */
function convolve({ size, channels, zero: rest, values }, layer) {
  const { shape: [F, , , K], weights, bias, multiplier, zero, scale } = layer;
  const result = new Int8Array(size * size * K);
  const sums = new Int32Array(K);
  const before = F >> 1;
  for (let i = 0, at = 0; i < size; i++) {
    for (let j = 0; j < size; j++, at += K) {
      sums.set(bias);
      for (let di = Math.max(0, before - i); di < F && i + di - before < size; di++) {
        for (let dj = Math.max(0, before - j); dj < F && j + dj - before < size; dj++) {
          const from = ((i + di - before) * size + j + dj - before) * channels;
          for (let c = 0; c < channels; c++) {
            const value = values[from + c] - rest;
            if (value === 0) continue;
            const w = ((di * F + dj) * channels + c) * K;
            for (let k = 0; k < K; k++) sums[k] += value * weights[w + k];
          }
        }
      }
      for (let k = 0; k < K; k++) result[at + k] = requantised(sums[k], multiplier[k], zero, zero);
    }
  }
  return { size, channels: K, zero, scale, values: result };
}

/** Return q w + b, in integers. */
function dense({ zero: rest, values }, { shape: [, K], weights, bias, multiplier, zero }) {
  const sums = Int32Array.from(bias);
  values.forEach((value, n) => {
    for (let k = 0; k < K; k++) sums[k] += (value - rest) * weights[n * K + k];
  });
  return Int8Array.from(sums, (sum, k) => requantised(sum, multiplier[k], zero, -128));
}

/**
 * Return {logits, maps} of bytes (28, 28): the last layer's integers, and the integers of "input",
 * "conv1", "pool1", ... as {size, channels, zero, scale, values}.
 */
export function forward({ layers }, bytes) {
  let last = { size: PIXELS, channels: 1, zero: -128, scale: 1 / 255,
    values: Int8Array.from(bytes, (byte) => byte - 128) };
  const maps = { input: last };
  let logits = null;
  layers.forEach((layer, n) => {
    if (layer.kind === "Dense") {
      logits = dense(last, layer);
      last = { size: 1, channels: logits.length, zero: layer.zero, values: logits };
    } else {
      maps[`conv${n + 1}`] = convolve(last, layer);
      last = maps[`pool${n + 1}`] = pool(maps[`conv${n + 1}`]);
    }
  });
  return { logits, maps };
}

const SURE = 0.5; // an answer with a smaller share is none

/** Return what logits in integers say: {shares, ranked, answer, unsure}. */
export function judge({ output, temperature }, logits) {
  const shares = softmax(Array.from(logits,
    (q) => ((q - output.zero) * output.scale) / temperature));
  const ranked = range(shares.length).sort((a, b) => shares[b] - shares[a]);
  return { shares, ranked, answer: ranked[0], unsure: shares[ranked[0]] < SURE };
}

/**
 * Return what it did with drawings that it had never seen, for one answer: {said, right} times of
 * `all` drawings, {other, others}: what most of the wrong ones were; and {own, taken, times}: of so
 * many drawings of that word, it took most of the wrong ones for which, and how often.
 */
export function recordOf({ confusion }, answer) {
  const sum = (list) => list.reduce((a, b) => a + b);
  const column = confusion.map((row) => row[answer]);
  const most = (list) => list.map((count, n) => (n === answer ? -1 : count))
    .reduce((best, count, n, counts) => (count > counts[best] ? n : best), answer);
  const [other, taken] = [most(column), most(confusion[answer])];
  return {
    all: sum(confusion.flat()), said: sum(column), right: column[answer],
    other, others: column[other], own: sum(confusion[answer]), taken,
    times: confusion[answer][taken],
  };
}

// ---- A map's integers --------------------------------------------------------------------------

/** Bring a place [layer, map, row, column] into its layer. */
export function placeIn(maps, [name, map, row, column]) {
  const layer = Object.hasOwn(maps, name) ? name : "conv1";
  const { channels, size } = maps[layer];
  return [layer, clamp(map, 0, channels - 1), clamp(row, 0, size - 1), clamp(column, 0, size - 1)];
}

/** Return the integer at [map, row, column] of a layer. */
export function valueAt({ size, channels, values }, [map, row, column]) {
  return values[(row * size + column) * channels + map];
}

/** Return one map of a layer: numbers from 0, its zero point, to 1, the largest integer. */
export function mapPixels(layer, map) {
  const { size, zero } = layer;
  return range(size * size, (at) => (valueAt(layer, [map, Math.floor(at / size), at % size]) - zero)
    / (127 - zero));
}

/** Return the integers around [map, row, column], at most `most` a side: {top, left, rows}. */
export function around(layer, [map, row, column], most) {
  const count = Math.min(most, layer.size);
  const start = (at) => clamp(at - (count >> 1), 0, layer.size - count);
  const [top, left] = [start(row), start(column)];
  return { top, left, rows: range(count, (i) => range(count, (j) =>
    valueAt(layer, [map, top + i, left + j]))) };
}
