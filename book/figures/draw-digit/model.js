// The network behind "Draw a digit": MNIST's preprocessing and a forward pass in typed arrays. No page, no dependency.
// tools/train_digit_network.py trains the weights and writes the file; tests compare every number with Keras's.

const FILE = new URL("digit-network.bin", import.meta.url);

/** Return the number that 16 bits of IEEE half precision stand for. */
function fromFloat16(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Read the weights file: {conv1, conv2, dense}, each {shape, weights, bias}, and ten sample images of 784 bytes. */
export function readNetwork(buffer) {
  const size = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  const network = { samples: [], positions: header.samples.positions };
  let at = 4 + size;
  for (const { name, shape } of header.arrays) {
    const bits = new Uint16Array(buffer, at, shape.reduce((a, b) => a * b));
    const [layer, part] = name.split("/");
    network[layer] = { ...network[layer], [part === "kernel" ? "weights" : "bias"]: Float32Array.from(bits, fromFloat16) };
    if (part === "kernel") network[layer].shape = shape;
    at += bits.byteLength;
  }
  for (; at < buffer.byteLength; at += 784) network.samples.push(new Uint8Array(buffer, at, 784));
  return network;
}

/** Fetch the weights from the folder of this module. */
export async function loadNetwork() {
  const response = await fetch(FILE);
  if (!response.ok) throw new Error(`digit-network.bin: ${response.status}`);
  return readNetwork(await response.arrayBuffer());
}

/** Return relu(conv(x) + b) without padding, stride 1: x {size, channels, values} is square, channels last. */
export function convolve({ size, channels, values }, { shape: [F, , , K], weights, bias }) {
  const out = size - F + 1, result = new Float32Array(out * out * K), sums = new Float32Array(K);
  for (let i = 0, at = 0; i < out; i++) {
    for (let j = 0; j < out; j++, at += K) {
      sums.set(bias);
      for (let di = 0; di < F; di++) {
        // The window's row is one run of F * channels numbers, and so are the weights that meet it.
        let from = ((i + di) * size + j) * channels, w = di * F * channels * K;
        for (const end = from + F * channels; from < end; from++, w += K) {
          const value = values[from];
          if (value !== 0) for (let k = 0; k < K; k++) sums[k] += value * weights[w + k];
        }
      }
      for (let k = 0; k < K; k++) result[at + k] = sums[k] > 0 ? sums[k] : 0;
    }
  }
  return { size: out, channels: K, values: result };
}

/** Return the largest of each 2 by 2 block, channel by channel. */
export function pool({ size, channels, values }) {
  const out = size >> 1, result = new Float32Array(out * out * channels), row = size * channels;
  for (let i = 0, at = 0; i < out; i++) {
    for (let j = 0; j < out; j++) {
      for (let k = 0; k < channels; k++, at++) {
        const from = 2 * i * row + 2 * j * channels + k;
        result[at] = Math.max(values[from], values[from + channels], values[from + row], values[from + row + channels]);
      }
    }
  }
  return { size: out, channels, values: result };
}

/** Return {logits (10), maps {conv1, pool1, conv2, pool2}} of an image x: 784 numbers in 0..1, ink is 1. */
export function forward(network, x) {
  const conv1 = convolve({ size: 28, channels: 1, values: x }, network.conv1), pool1 = pool(conv1);
  const conv2 = convolve(pool1, network.conv2), pool2 = pool(conv2);
  const logits = Float32Array.from(network.dense.bias);
  pool2.values.forEach((value, n) => {
    if (value !== 0) for (let k = 0; k < 10; k++) logits[k] += value * network.dense.weights[10 * n + k];
  });
  return { logits, maps: { conv1, pool1, conv2, pool2 } };
}

/** Return the probabilities that softmax makes of logits. */
export function softmax(logits) {
  const largest = Math.max(...logits), powers = Array.from(logits, (value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

// Receptive fields, as chapter 04 computes them: a layer of width F and stride S widens the field by F - 1 jumps.
const LAYERS = { conv1: [5, 1], pool1: [2, 2], conv2: [5, 1], pool2: [2, 2] };

/** Return {size, jump} in input pixels: how far one value of the layer sees, and how far apart two neighbours look. */
export function receptiveField(layer) {
  let size = 1, jump = 1;
  for (const [name, [F, S]] of Object.entries(LAYERS)) {
    size += (F - 1) * jump;
    jump *= S;
    if (name === layer) break;
  }
  return { size, jump };
}

/** Return, for each of `to` pixels, [first source pixel, share of each]: `to` equal pieces of `from` pixels. */
function shares(from, to) {
  const step = from / to;
  return Array.from({ length: to }, (_, n) => {
    const start = n * step, end = Math.min((n + 1) * step, from), first = Math.floor(start), parts = [];
    for (let p = first; p < end - 1e-9; p++) parts.push((Math.min(end, p + 1) - Math.max(start, p)) / step);
    return [first, parts];
  });
}

/** Return the image scaled to width x height: each new pixel is the mean of the area that it covers. */
export function areaScale(values, fromWidth, fromHeight, width, height) {
  const across = shares(fromWidth, width), down = shares(fromHeight, height), narrow = new Float32Array(fromHeight * width);
  for (let y = 0; y < fromHeight; y++) {
    across.forEach(([first, parts], x) => parts.forEach((part, n) => { narrow[y * width + x] += part * values[y * fromWidth + first + n]; }));
  }
  const result = new Float32Array(height * width);
  down.forEach(([first, parts], y) => parts.forEach((part, n) => {
    for (let x = 0; x < width; x++) result[y * width + x] += part * narrow[(first + n) * width + x];
  }));
  return result;
}

/** Return the smallest box around the ink, {left, top, width, height}, or null where there is none. */
export function inkBox(gray, width, height) {
  let left = width, top = height, right = -1, bottom = -1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (gray[y * width + x] <= 0.02) continue;
      left = Math.min(left, x); right = Math.max(right, x);
      top = Math.min(top, y); bottom = Math.max(bottom, y);
    }
  }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/** Return what MNIST's makers did, step by step: {box, crop, scaled, offset, image}; null for an empty drawing. */
export function preprocessSteps(gray, width, height) {
  const box = inkBox(gray, width, height);
  if (!box) return null;
  const crop = new Float32Array(box.width * box.height);
  for (let y = 0; y < box.height; y++) {
    const from = (box.top + y) * width + box.left;
    crop.set(gray.subarray(from, from + box.width), y * box.width);
  }
  const factor = 20 / Math.max(box.width, box.height);
  const w = Math.max(1, Math.round(box.width * factor)), h = Math.max(1, Math.round(box.height * factor));
  const scaled = areaScale(crop, box.width, box.height, w, h);
  let mass = 0, x = 0, y = 0;
  scaled.forEach((value, n) => { mass += value; x += value * (n % w); y += value * Math.floor(n / w); });
  // The centre of mass goes to the middle, 14; whole pixels, and no ink leaves the image.
  const place = (moment, size) => Math.min(28 - size, Math.max(0, Math.round(14 - moment / mass)));
  const offset = { left: place(x, w), top: place(y, h) }, image = new Float32Array(784);
  for (let row = 0; row < h; row++) image.set(scaled.subarray(row * w, (row + 1) * w), (offset.top + row) * 28 + offset.left);
  return { box, crop, scaled: { width: w, height: h, values: scaled }, offset, image };
}

/** Return the network's input, 784 numbers, from a drawing of width x height numbers in 0..1 (ink is 1). */
export function preprocess(gray, width, height) {
  return preprocessSteps(gray, width, height)?.image ?? new Float32Array(784);
}
