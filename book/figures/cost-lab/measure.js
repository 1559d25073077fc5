// The measurement, with a clock as an argument: all that runs in the reader's browser. No page.

import { costOf, median, waysOf } from "./model.js";
import { errorOf, newProblem, WAYS } from "./ways.js";

/** Seconds for all, seconds that one sample should last at least, and bytes that may be taken. */
export const LIMITS = { all: 2, sample: 0.008, memory: 2 ** 27 };
const ROUNDS = 21;
const SMALL = 32; // the side at which each way warms up
const ERROR = 1e-3; // of the largest output: in 32 bits sums of 64 * 63 * 63 numbers are that good
const PLACES = 2 ** 22; // of the array that is copied: 16 MB

/** Do 8 * count multiply-adds, in 8 chains: as many at a time as the processor can. */
function arithmetic(count) {
  let [a, b, c, d, e, f, g, h] = [1, 2, 3, 4, 5, 6, 7, 8];
  const [x, y] = [0.999, 0.001];
  for (let n = 0; n < count; n++) {
    a = a * x + y;
    b = b * x + y;
    c = c * x + y;
    d = d * x + y;
    e = e * x + y;
    f = f * x + y;
    g = g * x + y;
    h = h * x + y;
  }
  return a + b + c + d + e + f + g + h;
}

/** Return the seconds of one call of `f`: so many calls that they last. */
function timed(f, clock, least) {
  for (let calls = 1; ; calls *= 2) {
    const start = clock();
    for (let call = 0; call < calls; call++) f();
    const seconds = clock() - start;
    if (seconds >= least || calls >= 4096) return seconds / calls;
  }
}

/** Return the least seconds of a call of `f` of those that fit into 30 ms, after the first. */
function warmUp(f, clock) {
  const end = clock() + 0.03;
  f();
  const tries = [];
  do tries.push(timed(f, clock, 0.001)); while (clock() < end);
  return Math.min(...tries);
}

/** Return {peak, band}: the best of some tries, as nothing makes a machine faster than it is. */
export function measureMachine(clock) {
  const count = 500_000;
  const [from, to] = [new Float32Array(PLACES).fill(1), new Float32Array(PLACES)];
  const best = (f) => Math.min(...[1, 2, 3, 4, 5].map(() => timed(f, clock, LIMITS.sample)));
  return { peak: (8 * count) / best(() => arithmetic(count)),
    band: (2 * 4 * PLACES) / best(() => to.set(from)) };
}

/**
 * Measure the machine and each way for some settings. `clock` gives seconds, `random` numbers from
 * 0 to 1. Returns {machine, results}, where results[method] is {seconds, runs}: the median, and of
 * how many samples; or {left: "time", seconds} or {left: "memory"} where it was left out; or
 * {left: "wrong"} where it does not give what the loops give.
 */
export function measure(settings, clock, random) {
  const end = clock() + LIMITS.all;
  const machine = measureMachine(clock);
  const small = { ...settings, W: Math.min(settings.W, SMALL), C: 1, K: 1 };
  const warm = newProblem(small, random);
  const estimate = (method) => {
    const speed = costOf(method, small).macs / warmUp(() => WAYS[method](warm), clock);
    return costOf(method, settings).macs / Math.min(speed, machine.peak / 2);
  };
  const results = {};
  const fits = waysOf(settings).filter((method) => {
    const fitting = costOf(method, settings).memory <= LIMITS.memory;
    if (!fitting) results[method] = { left: "memory" };
    return fitting;
  });
  const about = Object.fromEntries(fits.map((method) => [method, estimate(method)]));
  let problem;
  const ready = fits.sort((a, b) => about[a] - about[b]).filter((method) => {
    if (clock() + about[method] > end) {
      results[method] = { left: "time", seconds: about[method] };
      return false;
    }
    problem ??= newProblem(settings, random);
    const start = clock();
    const y = WAYS[method](problem);
    about[method] = clock() - start;
    if (errorOf(y, problem, random) <= ERROR) return true;
    results[method] = { left: "wrong" };
    return false;
  });
  const samples = Object.fromEntries(ready.map((method) => [method, []]));
  for (let round = 0; round < ROUNDS; round++) { // taking turns: what disturbs, disturbs all
    for (const method of ready) {
      if (clock() + Math.max(about[method], 2 * LIMITS.sample) < end) {
        samples[method].push(timed(() => WAYS[method](problem), clock, LIMITS.sample));
      }
    }
  }
  for (const method of ready) {
    const known = samples[method].length ? samples[method] : [about[method]]; // the first run
    results[method] = { seconds: median(known), runs: known.length };
  }
  return { machine, results };
}
