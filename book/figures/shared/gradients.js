// The way back through the layers of convolution.js: from the gradient of an output to those of
// the input and the weights. Gradients are flat arrays, one number for each of what they belong
// to. Pure: no page.

import { softmax } from "./numbers.js";

/** The slope of each of BENDS where its output is y. */
const SLOPES = { relu: (y) => (y > 0 ? 1 : 0), sigmoid: (y) => y * (1 - y), none: () => 1 };

/** Return the gradient before the bend, from its outputs y and their gradient dy. */
export function bendGradient(y, dy, bend = "relu") {
  const slope = SLOPES[bend];
  const dz = new Float32Array(dy.length);
  for (let n = 0; n < dz.length; n++) if (dy[n] !== 0) dz[n] = dy[n] * slope(y[n]);
  return dz;
}

/**
 * Return the gradient of the input x of a convolution, where dz is that of its outputs before the
 * bend. Adds those of kernel and bias to the arrays `sums.kernel` and `sums.bias`, where given.
 */
export function convolveGradient({ size, channels, values }, kernel, dz, sums = {}) {
  const [F, , , K] = kernel.shape;
  const weights = kernel.values;
  const out = size - F + 1;
  const run = F * channels; // a window's row is one run of numbers
  const dx = new Float32Array(values.length);
  for (let at = 0; at < dz.length; at++) {
    const g = dz[at];
    if (g === 0) continue; // behind a ReLU and a pooling most are
    const [position, k] = [Math.floor(at / K), at % K];
    const corner = (Math.floor(position / out) * size + position % out) * channels;
    if (sums.bias) sums.bias[k] += g;
    for (let di = 0; di < F; di++) {
      const from = corner + di * size * channels;
      const w = di * run * K + k;
      for (let n = 0; n < run; n++) dx[from + n] += g * weights[w + n * K];
      if (!sums.kernel) continue;
      for (let n = 0; n < run; n++) sums.kernel[w + n * K] += g * values[from + n];
    }
  }
  return dx;
}

/**
 * Return the gradient of the input x of a pooling, where dy is that of its outputs y: all of it
 * goes to the largest of each block, the first in row order if there are several.
 */
export function poolGradient({ size, channels, values }, y, dy) {
  const row = size * channels;
  const dx = new Float32Array(values.length);
  for (let i = 0, at = 0; i < y.size; i++) {
    for (let j = 0; j < y.size; j++) {
      for (let k = 0; k < channels; k++, at++) {
        const a = 2 * i * row + 2 * j * channels + k;
        const b = a + channels;
        const largest = y.values[at];
        if (values[a] === largest) dx[a] = dy[at];
        else if (values[b] === largest) dx[b] = dy[at];
        else if (values[a + row] === largest) dx[a + row] = dy[at];
        else dx[b + row] = dy[at];
      }
    }
  }
  return dx;
}

/** The same as convolveGradient for a dense layer of numbers x. */
export function denseGradient(x, { shape: [inputs, K], values: weights }, dz, sums = {}) {
  const dx = new Float32Array(inputs);
  if (sums.bias) for (let k = 0; k < K; k++) sums.bias[k] += dz[k];
  for (let n = 0, w = 0; n < inputs; n++, w += K) {
    let sum = 0;
    for (let k = 0; k < K; k++) sum += dz[k] * weights[w + k];
    dx[n] = sum;
    if (!sums.kernel || x[n] === 0) continue;
    for (let k = 0; k < K; k++) sums.kernel[w + k] += dz[k] * x[n];
  }
  return dx;
}

/** Return {loss, gradient} of softmax and cross-entropy, where `label` is right. */
export function crossEntropy(logits, label) {
  const largest = Math.max(...logits);
  const sum = logits.reduce((total, z) => total + Math.exp(z - largest), 0);
  return {
    loss: largest + Math.log(sum) - logits[label],
    gradient: Float32Array.from(softmax(logits), (share, k) => share - (k === label ? 1 : 0)),
  };
}
