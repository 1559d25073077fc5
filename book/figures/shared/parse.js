// Values as text, for the address and for what people type: nonsense is null. Pure: no page.

import { grid } from "./numbers.js";

/** Return `text` as an integer from `min` to `max`, or null for anything else. */
export function parseInteger(text, min, max) {
  const value = /^-?\d{1,6}$/.test(text ?? "") ? Number(text) : NaN;
  return value >= min && value <= max ? value : null;
}

/** Return `text` as a decimal number of size at most `limit`, or null for anything else. */
export function parseDecimal(text, limit) {
  const value = /^\s*[-+]?(\d+\.?\d*|\.\d+)\s*$/.test(text ?? "") ? Number(text) : NaN;
  return Math.abs(value) <= limit ? value : null;
}

/** Return `text` where it is one of `values`, or null. */
export function parseOneOf(text, values) {
  return values.includes(text) ? text : null;
}

/**
 * Return "1,2,3" as a list, each part read by `parse`; null where one part is null or the length
 * is none of `lengths`.
 */
export function parseList(text, lengths, parse) {
  const parts = (text ?? "").split(",").map(parse);
  return lengths.includes(parts.length) && !parts.includes(null) ? parts : null;
}

/** Letters that stand in an address as they are, six bits each. */
export const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Pack zeros and ones, a multiple of six, into letters. */
export function packBits(bits) {
  const six = (k) => bits.slice(6 * k, 6 * k + 6).reduce((sum, bit) => 2 * sum + bit, 0);
  return grid(bits.length / 6, 1, (k) => LETTERS[six(k)]).join("");
}

/** Unpack `length` zeros and ones from letters; null where the text is not theirs. */
export function unpackBits(text, length) {
  if (!/^[\w-]*$/.test(text ?? "") || text?.length !== length / 6) return null;
  return grid(length / 6, 6, (k, bit) => (LETTERS.indexOf(text[k]) >> (5 - bit)) & 1);
}
