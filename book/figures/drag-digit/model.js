// Drag the digit: a test digit moved by whole pixels, and what two networks make of it that differ
// in one layer. tools/make/shift.py trains them; tests compare every number with Keras's. No page.

import { convolve, dense, padded, pool } from "../shared/convolution.js";
import { clamp, grid, range, softmax } from "../shared/numbers.js";
import { parseInteger, parseList } from "../shared/parse.js";
import { readTensors } from "../shared/tensors.js";

export const NETWORKS = ["flatten", "global"];
export const MAPS = 8; // of the first convolution
/** How far a digit moves, in pixels, and the move that the question is about: [down, right]. */
export const REACH = 5;
export const ASKED = [0, 4];

// ---- State -------------------------------------------------------------------------------------

export const START = { digit: 1, move: [0, 0], map: 3 };
export const NAMES = Object.keys(START);

/** Read the state out of the address; nonsense stays at its start. `given`: something was not. */
export function stateFrom(text) {
  const found = Object.entries({
    digit: parseInteger(text.digit, 0, 9),
    move: parseList(text.move, [2], (part) => parseInteger(part, -REACH, REACH)),
    map: parseInteger(text.map, 1, MAPS),
  }).filter(([, value]) => value !== null);
  return { ...START, ...Object.fromEntries(found), given: found.length > 0 };
}

/** Return the state for the address; null for what is as at the start. */
export function addressOf(state) {
  return Object.fromEntries(NAMES.map((name) =>
    [name, String(state[name]) === String(START[name]) ? null : String(state[name])]));
}

/** Return a move, as far as a digit moves. */
export function moveIn(move) {
  return move.map((by) => clamp(by, -REACH, REACH));
}

// ---- The networks ------------------------------------------------------------------------------

/** Read the networks' file: {networks: {name: {conv1, conv2, dense}}, side, samples}. */
export function readNetworks(buffer) {
  const { samples, ...tensors } = readTensors(buffer);
  const [count, side] = samples.shape;
  const layer = (name) => ({ kernel: tensors[`${name}/kernel`], bias: tensors[`${name}/bias`] });
  const networks = Object.fromEntries(NETWORKS.map((name) => [name, Object.fromEntries(
    ["conv1", "conv2", "dense"].map((each) => [each, layer(`${name}/${each}`)]))]));
  const image = (n) => samples.values.subarray(n * side * side, (n + 1) * side * side);
  return { networks, side, samples: range(count, image) };
}

/** Return an image of bytes moved [down, right], as numbers 0 to 1; black comes in. */
export function moved(bytes, side, [down, right]) {
  const inside = (at) => at >= 0 && at < side;
  return Float32Array.from(grid(side, side, (i, j) => (inside(i - down) && inside(j - right)
    ? bytes[(i - down) * side + j - right] / 255 : 0)));
}

/** Return whether a move takes ink out of the image. */
export function losesInk(bytes, side, move) {
  const ink = (values) => values.reduce((count, value) => count + (value > 0), 0);
  return ink(moved(bytes, side, move)) < ink(bytes);
}

/** Return the largest number of each map. */
export function globalPool({ channels, values }) {
  const largest = new Float32Array(channels).fill(-Infinity);
  values.forEach((value, n) => {
    largest[n % channels] = Math.max(largest[n % channels], value);
  });
  return largest;
}

/** Return {conv1, pool1, logits, shares, answer} of an image x in 0..1, side by side. */
export function forward(name, network, x, side) {
  const layer = (input, { kernel, bias }) =>
    convolve(padded(input, (kernel.shape[0] - 1) / 2), kernel, bias);
  const conv1 = layer({ size: side, channels: 1, values: x }, network.conv1);
  const pool1 = pool(conv1);
  const pool2 = pool(layer(pool1, network.conv2));
  const numbers = name === "global" ? globalPool(pool2) : pool2.values;
  const logits = dense(numbers, network.dense.kernel, network.dense.bias);
  const shares = softmax(logits);
  return { conv1, pool1, logits, shares, answer: shares.indexOf(Math.max(...shares)) };
}

/** Return map number k, from 1 on, of a layer: {size, values}. */
export function mapOf({ size, channels, values }, k) {
  return { size, values: range(size * size, (n) => values[n * channels + k - 1]) };
}

/** Return how two maps of numbers, none below 0, differ: 0 not at all, 1 nothing in common. */
export function difference(one, other) {
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const all = sum(one) + sum(other);
  return all > 0 ? sum(one.map((value, n) => Math.abs(value - other[n]))) / all : 0;
}

/** Return which answer to the question is right: flatten changes, global, both (2), neither (3). */
export function whichChanges(before, after) {
  const [flatten, global] = NETWORKS.map((name) => before[name].answer !== after[name].answer);
  return flatten ? (global ? 2 : 0) : (global ? 1 : 3);
}
