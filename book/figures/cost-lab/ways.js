// Four ways to one convolution, each as short as it stays clear. One thread, no library. No page.
//
// x: C planes of P by P numbers, the zeros around them in place; w: K filters of C planes, F by F.
// Each way returns K planes of O by O numbers: y[k, r, s] = sum of x[c, r S + i, s S + j] times
// w[k, c, i, j] over c, i and j.

import { range } from "../shared/numbers.js";
import { sizesOf } from "./model.js";

/** Return {sizes, x, w, columns, rows}, random; w is columns times rows where `thin`. */
export function newProblem(settings, random) {
  const sizes = sizesOf(settings);
  const { F, W, C, K, P, before } = sizes;
  const numbers = (length) => Float32Array.from({ length }, () => random() - 0.5);
  const x = new Float32Array(C * P * P);
  for (let c = 0; c < C; c++) {
    for (let row = 0; row < W; row++) x.set(numbers(W), (c * P + before + row) * P + before);
  }
  const thin = settings.thin;
  const [columns, rows] = thin ? [numbers(K * C * F), numbers(K * C * F)] : [];
  const w = numbers(K * C * F * F);
  if (thin) {
    w.forEach((unused, n) => {
      const [kernel, i, j] = [Math.floor(n / F / F), Math.floor(n / F) % F, n % F];
      w[n] = columns[kernel * F + i] * rows[kernel * F + j];
    });
  }
  return { sizes, x, w, columns, rows };
}

// ---- Loops, as the sum is written ---------------------------------------------------------------

/** Return one output. */
function outputAt({ F, C, S, P }, x, w, k, r, s) {
  let sum = 0;
  for (let c = 0; c < C; c++) {
    for (let i = 0; i < F; i++) {
      const pixel = (c * P + r * S + i) * P + s * S;
      const weight = ((k * C + c) * F + i) * F;
      for (let j = 0; j < F; j++) sum += x[pixel + j] * w[weight + j];
    }
  }
  return sum;
}

function direct({ sizes, x, w }) {
  const { K, O } = sizes;
  const y = new Float32Array(K * O * O);
  for (let k = 0, at = 0; k < K; k++) {
    for (let r = 0; r < O; r++) {
      for (let s = 0; s < O; s++, at++) y[at] = outputAt(sizes, x, w, k, r, s);
    }
  }
  return y;
}

// ---- im2col: every window a row, then one matrix product ----------------------------------------

function windowRows({ F, C, S, P, O }, x) {
  const matrix = new Float32Array(O * O * C * F * F);
  for (let r = 0, at = 0; r < O; r++) {
    for (let s = 0; s < O; s++) {
      for (let c = 0; c < C; c++) {
        for (let i = 0; i < F; i++) {
          const pixel = (c * P + r * S + i) * P + s * S;
          for (let j = 0; j < F; j++, at++) matrix[at] = x[pixel + j];
        }
      }
    }
  }
  return matrix;
}

/**
 * Return the products of each row of `a` (M, L) with each row of `b` (K, L), as (K, M). Four rows
 * at a time: four sums that need not wait for one another, and each weight is loaded once for all.
 */
function product(a, b, M, L, K) {
  const y = new Float32Array(K * M);
  for (let m = 0; m < M; m += 4) {
    const m1 = Math.min(m + 1, M - 1); // after the last row comes the last again
    const m2 = Math.min(m + 2, M - 1);
    const m3 = Math.min(m + 3, M - 1);
    for (let k = 0; k < K; k++) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let l = 0; l < L; l++) {
        const weight = b[k * L + l];
        s0 += a[m * L + l] * weight;
        s1 += a[m1 * L + l] * weight;
        s2 += a[m2 * L + l] * weight;
        s3 += a[m3 * L + l] * weight;
      }
      y[k * M + m] = s0;
      y[k * M + m1] = s1;
      y[k * M + m2] = s2;
      y[k * M + m3] = s3;
    }
  }
  return y;
}

function byProduct({ sizes, x, w }) {
  const { F, C, K, O } = sizes;
  return product(windowRows(sizes, x), w, O * O, C * F * F, K);
}

// ---- Two thin passes: each kernel is a column times a row ---------------------------------------

function byThinPasses({ sizes, x, columns, rows }) {
  const { F, W, C, K, S, P, O, before } = sizes;
  const y = new Float32Array(K * O * O);
  const middle = new Float32Array(O * P); // its zeros on the left and on the right stay
  for (let kernel = 0; kernel < K * C; kernel++) {
    const [k, c] = [Math.floor(kernel / C), kernel % C];
    for (let r = 0; r < O; r++) {
      for (let s = before; s < before + W; s++) {
        let sum = 0;
        let pixel = (c * P + r * S) * P + s;
        for (let i = 0; i < F; i++, pixel += P) sum += x[pixel] * columns[kernel * F + i];
        middle[r * P + s] = sum;
      }
      for (let s = 0; s < O; s++) {
        let sum = 0;
        for (let j = 0; j < F; j++) sum += middle[r * P + s * S + j] * rows[kernel * F + j];
        y[(k * O + r) * O + s] += sum;
      }
    }
  }
  return y;
}

// ---- FFT: transform, multiply, transform back ---------------------------------------------------

/** What a transform of N numbers needs, N a power of two. */
export function newPlan(N) {
  const swapped = new Uint32Array(N); // each place with its bits in reverse
  for (let n = 1; n < N; n++) swapped[n] = (swapped[n >> 1] >> 1) | (n & 1 && N >> 1);
  const turn = (f) => Float64Array.from({ length: N / 2 }, (unused, n) => f((2 * Math.PI * n) / N));
  return { N, swapped, cos: turn(Math.cos), sin: turn(Math.sin) };
}

/** Transform the N complex numbers from place `at` on: radix 2, in place. */
export function transform(re, im, at, { N, swapped, cos, sin }) {
  for (let n = 0; n < N; n++) if (n < swapped[n]) swap(re, im, at + n, at + swapped[n]);
  for (let half = 1; half < N; half *= 2) {
    const apart = N / 2 / half; // of the angles
    for (let start = at; start < at + N; start += 2 * half) {
      for (let n = 0; n < half; n++) {
        const a = start + n;
        const b = a + half;
        const c = cos[n * apart];
        const s = sin[n * apart];
        const reA = re[a];
        const imA = im[a];
        const reB = re[b] * c + im[b] * s;
        const imB = im[b] * c - re[b] * s;
        re[a] = reA + reB;
        im[a] = imA + imB;
        re[b] = reA - reB;
        im[b] = imA - imB;
      }
    }
  }
}

function swap(re, im, a, b) {
  const reA = re[a];
  const imA = im[a];
  re[a] = re[b];
  im[a] = im[b];
  re[b] = reA;
  im[b] = imA;
}

/** Transform N by N complex numbers in place. Their rows come out as columns, and back again. */
function transformPlane(re, im, plan) {
  const { N } = plan;
  for (let n = 0; n < N; n++) transform(re, im, n * N, plan);
  for (let n = 0; n < N; n++) for (let m = 0; m < n; m++) swap(re, im, n * N + m, m * N + n);
  for (let n = 0; n < N; n++) transform(re, im, n * N, plan);
}

function byFFT({ sizes, x, w }) {
  const { F, C, K, S, P, O, N } = sizes;
  const plan = newPlan(N);
  const plane = () => [new Float32Array(N * N), new Float32Array(N * N)];
  const pictures = range(C, (c) => {
    const [re, im] = plane();
    for (let row = 0; row < P; row++) {
      for (let n = 0; n < P; n++) re[row * N + n] = x[(c * P + row) * P + n];
    }
    transformPlane(re, im, plan);
    return [re, im];
  });
  const [kernelRe, kernelIm] = plane();
  const [sumRe, sumIm] = plane();
  const y = new Float32Array(K * O * O);
  for (let k = 0; k < K; k++) {
    sumRe.fill(0);
    sumIm.fill(0);
    for (let c = 0; c < C; c++) {
      kernelRe.fill(0);
      kernelIm.fill(0);
      for (let i = 0; i < F; i++) { // mirrored: a convolution with it is our sum
        for (let j = 0; j < F; j++) {
          kernelRe[((N - i) % N) * N + ((N - j) % N)] = w[((k * C + c) * F + i) * F + j];
        }
      }
      transformPlane(kernelRe, kernelIm, plan);
      const [re, im] = pictures[c];
      for (let n = 0; n < N * N; n++) {
        sumRe[n] += re[n] * kernelRe[n] - im[n] * kernelIm[n];
        sumIm[n] += re[n] * kernelIm[n] + im[n] * kernelRe[n];
      }
    }
    transformPlane(sumIm, sumRe, plan); // the other way round: back, N * N times too large
    for (let r = 0, at = k * O * O; r < O; r++) {
      for (let s = 0; s < O; s++, at++) y[at] = sumRe[r * S * N + s * S] / (N * N);
    }
  }
  return y;
}

// ---- All of them --------------------------------------------------------------------------------

export const WAYS = { direct, im2col: byProduct, separable: byThinPasses, fft: byFFT };

/**
 * Return how far `y` is from the loops, as a share of the largest output: at `count` outputs that
 * `random` picks, and in the corners.
 */
export function errorOf(y, { sizes, x, w }, random, count = 60) {
  const { K, O } = sizes;
  const one = () => [K, O, O].map((n) => Math.floor(random() * n));
  const places = [[0, 0, 0], [K - 1, 0, O - 1], [0, O - 1, 0], [K - 1, O - 1, O - 1],
    ...range(count, one)];
  const right = places.map((place) => outputAt(sizes, x, w, ...place));
  const errors = places.map(([k, r, s], n) => Math.abs(y[(k * O + r) * O + s] - right[n]));
  return Math.max(...errors) / Math.max(...right.map(Math.abs));
}
