// The numbers of the size lab: one axis of a convolution, and the state. No page.

import { range, samePadding } from "../shared/numbers.js";
import { parseInteger, parseOneOf } from "../shared/parse.js";

/**
 * The least value that makes sense, where the slider ends, and where the field ends: a row of 256
 * pixels still fits the page.
 */
export const SIZES = {
  W: { least: 1, slider: 30, most: 256 },
  F: { least: 1, slider: 12, most: 20 },
  S: { least: 1, slider: 8, most: 20 },
  D: { least: 1, slider: 4, most: 20 },
  P: { least: 0, slider: 6, most: 20 },
};

// ---- State: the sizes as they were typed, which may be no numbers ------------------------------

const START = { W: "10", F: "4", S: "3", D: "1", P: "0", mode: "SAME" };
export const NAMES = [...Object.keys(START), "step"];

/** Read the state out of the address; nonsense stays at its start. `given`: a setting was not. */
export function stateFrom(text) {
  const found = Object.entries({
    ...Object.fromEntries(Object.entries(SIZES).map(([name, { least, most }]) =>
      [name, parseInteger(text[name], least, most)?.toString() ?? null])),
    mode: parseOneOf(text.mode, ["P", "SAME", "VALID"]),
  }).filter(([, value]) => value !== null);
  const step = (parseInteger(text.step, 1, 999) ?? 1) - 1;
  return { ...START, ...Object.fromEntries(found), step, given: found.length > 0 };
}

/** Return the state for the address. */
export function addressOf({ W, F, S, D, P, mode, step }) {
  return { W, F, S, D, P: mode === "P" ? P : null, mode, step: step ? step + 1 : null };
}

/** Return the settings as numbers; a text that is none stays a text. */
export function settingsOf({ mode, ...state }) {
  const number = (text) => (text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text));
  const sizes = Object.keys(SIZES).map((name) => [name, number(state[name])]);
  return { ...Object.fromEntries(sizes), mode };
}

// ---- Sizes -------------------------------------------------------------------------------------

/** Return the name of the first size that makes no sense; P counts in its own mode only. */
export function wrongSize({ mode = "P", P = 0, ...sizes }) {
  const values = { S: 1, D: 1, ...sizes, P: mode === "P" ? P : 0 };
  const wrong = (name) => !Number.isInteger(values[name]) || values[name] < SIZES[name].least;
  return Object.keys(SIZES).find(wrong);
}

/**
 * Return {outputs, before, after, reach, unseen, error} along one axis: the number of outputs, the
 * zeros padded on each side, the pixels a window reaches over, and the pixels that no window looks
 * at. `mode` is "P" (P zeros on each side), "SAME" or "VALID". Where the numbers make no sense,
 * `error` is the message of the chapter's ValueError, English as all code, and all else null.
 */
export function sizeLab({ W, F, P = 0, S = 1, D = 1, mode = "P" }) {
  const refused = (error) =>
    ({ outputs: null, before: null, after: null, reach: null, unseen: null, error });
  const wrong = wrongSize({ W, F, S, D, P, mode });
  if (wrong) {
    const got = written({ W, F, S, D, P }[wrong]);
    return refused(`${wrong} must be an integer >= ${SIZES[wrong].least}, got ${got}`);
  }
  const reach = D * (F - 1) + 1;
  const zeros = mode === "P" ? P : 0;
  const room = W + 2 * zeros;
  if (mode !== "SAME" && reach > room) {
    return refused(`a window of ${reach} pixels (F=${F}, D=${D}) does not fit into ${room} ` +
      `(W=${W}, P=${zeros})`);
  }
  const { outputs, before, after } = mode === "SAME" ? samePadding(W, F, S, D)
    : { outputs: Math.floor((room - reach) / S) + 1, before: zeros, after: zeros };
  const windows = range(outputs, (k) => windowCells(k, { F, S, D }, before));
  const seen = new Set(windows.flat());
  const unseen = range(W, (cell) => cell).filter((cell) => !seen.has(cell));
  return { outputs, before, after, reach, unseen, error: null };
}

/** Write a value as Python does in the chapter's message. */
function written(value) {
  return typeof value === "string" ? `'${value}'` : Number.isNaN(value) ? "nan" : String(value);
}

/**
 * Return the cells under the weights of window number k; cell 0 is the first pixel, zeros before
 * it count down from -1.
 */
export function windowCells(k, { F, S, D }, before) {
  return range(F, (i) => k * S - before + D * i);
}

/** Return how many of the zeros after the row no window looks at. */
export function unusedZeros({ W, S }, { outputs, before, after, reach }) {
  return Math.max(0, Math.min(W + before + after - ((outputs - 1) * S + reach), after));
}

/** Return the chapter's formula filled in, line by line. */
export function formulaLines({ W, F, S, D, P, mode }, { outputs, before, after, reach }) {
  if (mode === "SAME") {
    const needed = String((outputs - 1) * S + D * (F - 1) + 1 - W).replace("-", "−");
    return [
      "outputs = ⌈W / S⌉",
      `= ⌈${W} / ${S}⌉ = ${outputs}`,
      "zeros = max((outputs − 1) · S + D · (F − 1) + 1 − W, 0)",
      `= max(${outputs - 1} · ${S} + ${D} · ${F - 1} + 1 − ${W}, 0) = max(${needed}, 0) ` +
        `= ${before + after}`,
    ];
  }
  const zeros = mode === "P" ? P : 0;
  return [
    `outputs = ⌊(W − D · (F − 1) − 1 + 2P) / S⌋ + 1${mode === "VALID" ? ", P = 0" : ""}`,
    `= ⌊(${W} − ${D} · ${F - 1} − 1 + 2 · ${zeros}) / ${S}⌋ + 1`,
    `= ⌊${W + 2 * zeros - reach} / ${S}⌋ + 1 = ${outputs}`,
  ];
}
