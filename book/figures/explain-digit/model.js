// The arithmetic of "Explain my digit": each pixel's share of a logit, what is left without the
// largest, a step against the slopes, and the state. Tests compare it with GradientTape. No page.

import { addressOfDrawing, drawingFrom, forward, judge } from "../draw-digit/model.js";
import {
  bendGradient, convolveGradient, denseGradient, poolGradient,
} from "../shared/gradients.js";
import { clamp, range } from "../shared/numbers.js";
import { parseInteger, parseList } from "../shared/parse.js";
import { randomNumbers } from "../shared/random.js";

/** The most pixels that are erased, and the largest step of the attack, in hundredths. */
export const MOST = { erase: 60, attack: 30 };
/** How many random choices each of the two is compared with. */
export const DRAWS = 10;

// ---- State: a digit; why one and not another (null: why the answer); the two sliders ------------

const START = { digit: 8, ink: [], why: null, erase: 0, attack: 0 };
export const NAMES = Object.keys(START);

/** Read the state out of the address; nonsense stays at its start. `given`: something was not. */
export function stateFrom(text) {
  const { given, ...drawn } = drawingFrom(text);
  const why = parseList(text.why, [1, 2], (part) => parseInteger(part, 0, 9));
  const found = Object.entries({
    why: why && why[0] !== why[1] ? why : null,
    erase: parseInteger(text.erase, 0, MOST.erase),
    attack: parseInteger(text.attack, 0, MOST.attack),
  }).filter(([, value]) => value !== null);
  return {
    ...START, ...(given && drawn), ...Object.fromEntries(found), given: given || found.length > 0,
  };
}

/** Return the state for the address. */
export function addressOf(state) {
  const { why, erase, attack } = state;
  return {
    ...addressOfDrawing(state), why: why?.join() ?? null, erase: erase || null,
    attack: attack || null,
  };
}

// ---- Back to the pixels ------------------------------------------------------------------------

/** Return the slope at each pixel of x of the sum of weights times logits; `maps` as of forward. */
function slopeOf(network, x, maps, weights) {
  const outputs = network.layers.map(({ name }) => maps[name]);
  let slope = denseGradient(outputs.at(-1).values, network.dense, weights);
  for (let n = outputs.length - 1; n >= 0; n--) {
    const input = n ? outputs[n - 1] : { size: network.side, channels: 1, values: x };
    const { kernel } = network.layers[n];
    slope = kernel ? convolveGradient(input, kernel, bendGradient(outputs[n].values, slope))
      : poolGradient(input, outputs[n], slope);
  }
  return slope;
}

/**
 * Explain the image x: {logits, slopes, shares}. For each digit, the slope of its logit at each
 * pixel, and each pixel's share, slope times brightness. Without biases they add up to the logit.
 */
export function explain(network, x) {
  const { logits, maps } = forward(network, x);
  const slopes = range(10, (digit) =>
    slopeOf(network, x, maps, Float32Array.from(logits, (z, n) => Number(n === digit))));
  const shares = slopes.map((slope) => slope.map((value, n) => value * x[n]));
  return { logits, slopes, shares };
}

/** Return list[digit], less list[other] number by number where there is another. */
export function differenceOf(list, [digit, other]) {
  return other === undefined ? list[digit] : list[digit].map((value, n) => value - list[other][n]);
}

/** Return what the network says of x: {x, shares, answer, doubtful}. */
export function read(network, x) {
  return { x, ...judge(network, forward(network, x).logits) };
}

// ---- Two experiments, each beside chance -------------------------------------------------------

/**
 * Return {count, chosen, random, still}: what the network says of x without the `count` pixels of
 * the largest shares, at most k and none that speaks against; without as many pixels of ink by
 * chance; and how many of DRAWS such choices leave it at `answer`.
 */
export function erase(network, x, share, k, answer) {
  const largest = range(x.length).filter((n) => share[n] > 0).sort((a, b) => share[b] - share[a]);
  const count = Math.min(k, largest.length);
  const ink = range(x.length).filter((n) => x[n] > 0);
  const without = (order) => {
    const left = x.slice();
    for (const n of order.slice(0, count)) left[n] = 0;
    return read(network, left);
  };
  return { count, ...beside(without(largest), (draw) => without(shuffled(ink, draw)), answer) };
}

/**
 * Return {chosen, random, still}: what the network says of x after a step of `size` at each pixel
 * against the sign of its slope, and after steps of random signs. No pixel leaves 0 to 1.
 */
export function attack(network, x, slope, size, answer) {
  const step = (signs) =>
    read(network, x.map((value, n) => clamp(value + size * signs[n], 0, 1)));
  return beside(step(Array.from(slope, (value) => -Math.sign(value))),
    (draw) => step(range(x.length, () => (draw() < 0.5 ? -1 : 1))), answer);
}

/** Put a choice beside DRAWS random ones, of which the first is shown. */
function beside(chosen, random, answer) {
  const draws = range(DRAWS, (n) => random(randomNumbers(n + 1)));
  return { chosen, random: draws[0], still: draws.filter((each) => each.answer === answer).length };
}

/** Return `list` in a random order. */
function shuffled(list, draw) {
  const keys = new Map(list.map((item) => [item, draw()]));
  return list.toSorted((a, b) => keys.get(a) - keys.get(b));
}
