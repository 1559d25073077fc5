// Arithmetic that more than one figure needs. Pure: no page.

/** Return `value`, or the nearer end where it does not lie between `low` and `high`. */
export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** Return [f(0), f(1), ... f(n - 1)]. */
export function range(n, f = (i) => i) {
  return Array.from({ length: n }, (unused, i) => f(i));
}

/** Return f(row, column) of each cell of H rows and W columns, flat in row order. */
export function grid(H, W, f) {
  return range(H * W, (at) => f(Math.floor(at / W), at % W));
}

/** Return TensorFlow's SAME along one axis: {outputs, before, after}; an odd zero goes after. */
export function samePadding(W, F, S = 1, D = 1) {
  const outputs = Math.ceil(W / S);
  const total = Math.max((outputs - 1) * S + D * (F - 1) + 1 - W, 0);
  return { outputs, before: Math.floor(total / 2), after: Math.ceil(total / 2) };
}

/** Return the probabilities that softmax makes of logits. */
export function softmax(logits) {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

/** Write a number for people: at most `digits` decimals, a true minus sign, no "−0". */
export function formatNumber(value, digits = 3) {
  const text = String(Number(value.toFixed(digits)));
  return (text === "-0" ? "0" : text).replace("-", "−");
}
