// The two convolutions of the figures: one kernel over one image, and a layer of a network with
// its pooling. Pure: no page.

import { samePadding } from "./numbers.js";

/**
 * Slide `kernel` (FH, FW) over `image` (H, W), both flat arrays in row order: tf.nn.conv2d's
 * cross-correlation, `padding` SAME or VALID. Returns {values, H, W, top, left}: the output, its
 * size, and the zeros padded above and on the left.
 */
export function correlate(image, H, W, kernel, FH, FW, stride = 1, padding = "SAME") {
  const along = (size, F) => (padding === "SAME" ? samePadding(size, F, stride)
    : { outputs: Math.floor((size - F) / stride) + 1, before: 0 });
  const [rows, columns] = [along(H, FH), along(W, FW)];
  const values = new Float64Array(rows.outputs * columns.outputs);
  for (let at = 0; at < values.length; at += 1) {
    const y = Math.floor(at / columns.outputs) * stride - rows.before;
    const x = (at % columns.outputs) * stride - columns.before;
    for (let i = Math.max(0, -y); i < FH && y + i < H; i += 1) {
      for (let j = Math.max(0, -x); j < FW && x + j < W; j += 1) {
        values[at] += image[(y + i) * W + x + j] * kernel[i * FW + j];
      }
    }
  }
  return { values, H: rows.outputs, W: columns.outputs, top: rows.before, left: columns.before };
}

/** What bends the outputs of a layer. */
export const BENDS = {
  relu: (z) => (z > 0 ? z : 0), sigmoid: (z) => 1 / (1 + Math.exp(-z)), none: (z) => z,
};

/**
 * Return bend(conv(x) + b) without padding, stride 1: x {size, channels, values} is square,
 * channels last; `bias` may be missing.
 */
export function convolve({ size, channels, values }, kernel, bias, bend = "relu") {
  const [F, , , K] = kernel.shape;
  const weights = kernel.values;
  const out = size - F + 1;
  const result = new Float32Array(out * out * K);
  const sums = new Float64Array(K);
  const bent = BENDS[bend];
  for (let i = 0, at = 0; i < out; i++) {
    for (let j = 0; j < out; j++, at += K) {
      if (bias) sums.set(bias.values);
      else sums.fill(0);
      for (let di = 0; di < F; di++) {
        // The window's row is one run of F * channels numbers, and so are the weights that meet it.
        let from = ((i + di) * size + j) * channels;
        let w = di * F * channels * K;
        for (const end = from + F * channels; from < end; from++, w += K) {
          const value = values[from];
          if (value !== 0) for (let k = 0; k < K; k++) sums[k] += value * weights[w + k];
        }
      }
      for (let k = 0; k < K; k++) result[at + k] = bent(sums[k]);
    }
  }
  return { size: out, channels: K, values: result };
}

/** Return x with `zeros` zeros on each side. */
export function padded({ size, channels, values }, zeros) {
  const out = size + 2 * zeros;
  const result = new Float32Array(out * out * channels);
  for (let row = 0; row < size; row++) {
    const from = row * size * channels;
    const to = ((row + zeros) * out + zeros) * channels;
    result.set(values.subarray(from, from + size * channels), to);
  }
  return { size: out, channels, values: result };
}

/** Return the largest of each 2 by 2 block, channel by channel. */
export function pool({ size, channels, values, ...more }) {
  const out = size >> 1;
  const row = size * channels;
  const result = new values.constructor(out * out * channels);
  for (let i = 0, at = 0; i < out; i++) {
    for (let j = 0; j < out; j++) {
      for (let k = 0; k < channels; k++, at++) {
        const a = 2 * i * row + 2 * j * channels + k;
        const b = a + channels;
        result[at] = Math.max(values[a], values[b], values[a + row], values[b + row]);
      }
    }
  }
  return { ...more, size: out, channels, values: result };
}

/** Return bend(x w + b) of numbers x: kernel (inputs, outputs); `bias` may be missing. */
export function dense(x, { shape: [, outputs], values: weights }, bias, bend = "none") {
  const result = bias ? Float32Array.from(bias.values) : new Float32Array(outputs);
  x.forEach((value, n) => {
    if (value === 0) return;
    for (let k = 0, w = n * outputs; k < outputs; k++, w++) result[k] += value * weights[w];
  });
  return result.map(BENDS[bend]);
}
