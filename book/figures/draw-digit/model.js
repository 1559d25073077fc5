// The network behind "Draw a digit": its file, a forward pass, its maps, the state. Without biases.
// tools/make/digit_network.py trains it; tests compare every number with Keras's. No page.

import { convolve, dense, pool } from "../shared/convolution.js";
import { addressOfInk, inkFrom } from "../shared/ink.js";
import { clamp, range, softmax } from "../shared/numbers.js";
import { parseInteger, parseOneOf } from "../shared/parse.js";
import { readTensors } from "../shared/tensors.js";

const LAYERS = ["conv1", "pool1", "conv2", "pool2"]; // then "dense"; the file knows their shapes
const POOL = 2;

// ---- State: a drawing or a sample, and the value of a map that is looked at --------------------

export const NAMES = ["digit", "ink", "field"];

/** Read the state out of the address; nonsense stays at its start. `given`: a digit was not. */
export function stateFrom(text) {
  const [layer, ...place] = (text.field ?? "").split(",");
  const numbers = place.map((part) => parseInteger(part, 0, 99));
  const isField = parseOneOf(layer, LAYERS) && numbers.length === 3 && !numbers.includes(null);
  const field = isField ? [layer, ...numbers] : ["conv1", 0, 11, 11];
  return { ...inkFrom(text), field };
}

/** Return the state for the address; the field once the reader has chosen one. */
export function addressOf(state) {
  const [field, start] = [state, stateFrom({})].map((each) => each.field.join());
  return { ...addressOfInk(state), field: field === start ? null : field };
}

// ---- The network's file ------------------------------------------------------------------------

/**
 * Read the network's file: {layers, dense, weights, side, samples}. A layer is {name, kernel,
 * window, stride, channels, size, reach, jump}: how wide its window is, how many maps of which
 * size it has, how many pixels of the input one value sees, and how many lie between two
 * neighbours; `dense` the last kernel. `weights` is the number of all weights; `samples` ten images of bytes, 0 to 9;
 * `temperature` what divides its logits, so that it is right as often as it says; `usual` which
 * logits belong to an answer, as tools/make/digit_network.py measured.
 */
export function readNetwork(buffer) {
  const {
    samples, temperature, usual_mean: mean, usual_inverse: inverse, usual_limit: limit, ...tensors
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
    usual: { mean: mean.values, inverse: inverse.values, limit: limit.values[0] },
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
function oddity({ mean, inverse }, logits, answer) {
  const middle = logits.reduce((sum, value) => sum + value, 0) / 10;
  const off = Array.from(logits, (value, n) => value - middle - mean[answer * 10 + n]);
  return off.reduce((sum, a, i) => sum + a * off.reduce(
    (part, b, j) => part + b * inverse[(answer * 10 + i) * 10 + j], 0), 0);
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
