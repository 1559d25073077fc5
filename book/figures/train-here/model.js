// Train it here: a network that learns from 4,000 digits, and what a reader watches meanwhile.
// tools/make/digits_to_learn.py packs the digits; tests compare a step with TensorFlow's. No page.

import { convolve, dense, pool } from "../shared/convolution.js";
import {
  bendGradient, convolveGradient, crossEntropy, denseGradient, poolGradient,
} from "../shared/gradients.js";
import { range } from "../shared/numbers.js";
import { parseInteger, parseOneOf } from "../shared/parse.js";
import { randomNumbers } from "../shared/random.js";

/** Of the file: the digits to learn from, those held back, the side of one, its shades of grey. */
export const [LEARN, HELD_BACK, SIDE, SHADES] = [4000, 500, 28, 15];
/** The layers with weights, and the shapes of their kernels: (rows, columns, inputs, outputs). */
export const SHAPES = {
  conv1: [5, 5, 1, 8], conv2: [3, 3, 8, 16], dense: [400, 32], logits: [32, 10],
};
export const LAYERS = Object.keys(SHAPES);
const BENT = ["conv1", "conv2", "dense"]; // the layers behind which there is a bend

// ---- State -------------------------------------------------------------------------------------

/** What the reader chooses, as in the address. */
export const CHOICES = {
  rate: ["0.0001", "0.001", "0.01", "0.1", "0.3", "1.0", "3.0"],
  batch: ["8", "32", "128"],
  start: ["he", "small", "large", "zero", "dead"],
  bend: ["relu", "sigmoid", "none"],
};
const CHOSEN = Object.keys(CHOICES);
export const NAMES = [...CHOSEN, "seed"]; // the seed of all random numbers
export const START = { rate: "0.1", batch: "32", start: "he", bend: "relu", seed: 1 };
/** One run that learns, and five that do not: what each changes. */
export const PRESETS = {
  healthy: {}, low: { rate: "0.0001" }, high: { rate: "3.0" }, dead: { start: "dead" },
  sigmoid: { bend: "sigmoid" }, zero: { start: "zero" },
};

/** Read the state out of the address; nonsense stays at its start. `given`: something was not. */
export function stateFrom(text) {
  const found = [
    ...CHOSEN.map((name) => [name, parseOneOf(text[name], CHOICES[name])]),
    ["seed", parseInteger(text.seed, 1, 999999)],
  ].filter(([, value]) => value !== null);
  return { ...START, ...Object.fromEntries(found), given: found.length > 0 };
}

/** Return the state for the address; null for what is as at the start. */
export function addressOf(state) {
  return Object.fromEntries(NAMES.map((name) =>
    [name, state[name] === START[name] ? null : state[name]]));
}

/** Return the name of the preset that the state is, whatever its seed, or undefined. */
export function presetOf(state) {
  return Object.keys(PRESETS).find((preset) =>
    CHOSEN.every((name) => state[name] === (PRESETS[preset][name] ?? START[name])));
}

// ---- Digits ------------------------------------------------------------------------------------

/** Read the unpacked file: {labels, images}, the images as maps of numbers 0 to 1. */
export function readDigits(buffer) {
  const [count, pixels] = [LEARN + HELD_BACK, SIDE * SIDE];
  const bytes = new Uint8Array(buffer);
  if (bytes.length !== count * (1 + pixels)) throw new Error("not the digits");
  const all = Float32Array.from(bytes.subarray(count), (shade) => shade / SHADES);
  const image = (n) =>
    ({ size: SIDE, channels: 1, values: all.subarray(n * pixels, (n + 1) * pixels) });
  return { labels: bytes.slice(0, count), images: range(count, image) };
}

/** Return a function that gives the rows of one batch after the other, shuffled in each epoch. */
export function batches(size, seed) {
  const random = randomNumbers(seed);
  const order = range(LEARN);
  let at = LEARN;
  return () => {
    if (at + size > LEARN) {
      for (let n = LEARN - 1; n > 0; n--) {
        const other = Math.floor(random() * (n + 1));
        [order[n], order[other]] = [order[other], order[n]];
      }
      at = 0;
    }
    at += size;
    return order.slice(at - size, at);
  };
}

// ---- The network -------------------------------------------------------------------------------

/**
 * Return the weights at the start: {bend, layer: {kernel, bias}}, normal numbers after He, but for
 * what `start` says. The logits begin smaller: undecided, with a loss near ln 10.
 */
export function newNetwork({ start, bend, seed }) {
  const random = randomNumbers(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const scale = { small: 0.01, large: 10, zero: 0 }[start] ?? 1;
  const layers = LAYERS.map((name) => {
    const shape = SHAPES[name];
    const [length, outputs] = [shape.reduce((a, b) => a * b), shape.at(-1)];
    const size = scale * Math.sqrt((2 * outputs) / length) * (name === "logits" ? 0.3 : 1);
    const kernel = { shape, values: Float32Array.from({ length }, () => size * normal()) };
    const bias = { shape: [outputs], values: new Float32Array(outputs) };
    if (start === "dead" && name === "dense") bias.values.fill(-10);
    return [name, { kernel, bias }];
  });
  return { bend, ...Object.fromEntries(layers) };
}

/** Return what each layer makes of an image. */
export function forward({ bend, ...layers }, image) {
  const through = (layer, f, x, ...more) => f(x, layers[layer].kernel, layers[layer].bias, ...more);
  const conv1 = through("conv1", convolve, image, bend);
  const pool1 = pool(conv1);
  const conv2 = through("conv2", convolve, pool1, bend);
  const pool2 = pool(conv2);
  const units = through("dense", dense, pool2.values, bend);
  return { conv1, pool1, conv2, pool2, units, logits: through("logits", dense, units) };
}

/** Add the gradients of one image's loss to `sums`, {layer: {kernel, bias}}; returns the loss. */
function backward({ bend, ...layers }, image, label, sums) {
  const { conv1, pool1, conv2, pool2, units, logits } = forward({ bend, ...layers }, image);
  const { loss, gradient } = crossEntropy(logits, label);
  const back = (layer, f, x, dz) => f(x, layers[layer].kernel, dz, sums[layer]);
  const dUnits = bendGradient(units, back("logits", denseGradient, units, gradient), bend);
  const dPool2 = back("dense", denseGradient, pool2.values, dUnits);
  const dConv2 = bendGradient(conv2.values, poolGradient(conv2, pool2, dPool2), bend);
  const dPool1 = back("conv2", convolveGradient, pool1, dConv2);
  const dConv1 = bendGradient(conv1.values, poolGradient(conv1, pool1, dPool1), bend);
  back("conv1", convolveGradient, image, dConv1);
  return loss;
}

const norm = (values) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/**
 * Move the weights by one step of gradient descent on the digits of `rows`. Returns {loss, ratios}:
 * the mean loss before it, and how long the step of each layer's kernel is, as a share of it.
 */
export function trainStep(network, { images, labels }, rows, rate) {
  const zeros = ({ values }) => new Float64Array(values.length);
  const sums = Object.fromEntries(LAYERS.map((layer) => [layer,
    { kernel: zeros(network[layer].kernel), bias: zeros(network[layer].bias) }]));
  const losses = rows.map((row) => backward(network, images[row], labels[row], sums));
  const by = rate / rows.length;
  const ratios = LAYERS.map((layer) => {
    const { kernel, bias } = network[layer];
    const length = norm(kernel.values);
    kernel.values.forEach((w, n) => { kernel.values[n] = w - by * sums[layer].kernel[n]; });
    bias.values.forEach((b, n) => { bias.values[n] = b - by * sums[layer].bias[n]; });
    return length === 0 ? 0 : (by * norm(sums[layer].kernel)) / length; // may be NaN, not 0 then
  });
  return { loss: losses.reduce((a, b) => a + b) / rows.length, ratios };
}

/**
 * Return {accuracy, dead} on digits held back: dead is the share of units at 0 for all of them, and
 * NaN from the first layer on whose weights are no numbers.
 */
export function examine(network, { images, labels }, rows = range(HELD_BACK, (n) => LEARN + n)) {
  const alive = Object.fromEntries(BENT.map((layer) => [layer, new Set()]));
  const mark = (layer, values) => {
    const outputs = SHAPES[layer].at(-1);
    values.forEach((value, n) => { if (value !== 0) alive[layer].add(n % outputs); });
  };
  const right = rows.filter((row) => {
    const { conv1, conv2, units, logits } = forward(network, images[row]);
    mark("conv1", conv1.values);
    mark("conv2", conv2.values);
    mark("dense", units);
    return logits.indexOf(Math.max(...logits)) === labels[row];
  });
  const lost = LAYERS.findIndex((layer) =>
    Object.values(network[layer]).some(({ values }) => values.some(Number.isNaN)));
  return {
    accuracy: right.length / rows.length,
    dead: BENT.map((layer, n) => (lost >= 0 && n >= lost ? NaN
      : 1 - alive[layer].size / SHAPES[layer].at(-1))),
  };
}

// ---- A run -------------------------------------------------------------------------------------

/** Begin a run with the settings of a state. */
export function newRun(state) {
  return {
    at: 0, network: newNetwork(state), rate: Number(state.rate),
    next: batches(Number(state.batch), state.seed),
  };
}

/** Go one step further; returns what trainStep does. */
export function advance(run, digits) {
  run.at += 1;
  return trainStep(run.network, digits, run.next(), run.rate);
}

/** Return at most `most` means of as many neighbours each: what a curve shows of many values. */
export function thin(values, most) {
  const size = Math.ceil(values.length / most);
  return range(Math.ceil(values.length / size) || 0, (n) => {
    const some = values.slice(n * size, (n + 1) * size);
    return some.reduce((a, b) => a + b) / some.length;
  });
}
