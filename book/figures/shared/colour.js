// All the colours that are numbers; those of the page are in the theme.

import { clamp } from "./numbers.js";

/** The cycle of the chapters' plots, for the colour-blind. */
export const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];
/** What marks a place in a picture, and the line that keeps it apart from a bright picture. */
export const MARK = COLOURS[4];
export const MARK_EDGE = "#000000";
/** Pixels that are padded zeros, as in the chapters; seen and never seen. */
export const ZERO = "#FFF3D6";
export const SEEN = "#FFFFFF";
export const UNSEEN = "#999999";
export const INK = "#000000";
/** A drawing field: its ground, its ink, and what it says while it is empty. */
export const BOARD = { ground: "#000000", ink: "#FFFFFF", words: "#B8B8B8" };

/** Return [r, g, b], 0 to 255, of "#rrggbb". */
export function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

// PuOr of ColorBrewer (Brewer and Harrower), as in matplotlib: orange below 0, purple above.
const PUOR = [
  "#7f3b08", "#b35806", "#e08214", "#fdb863", "#fee0b6", "#f7f7f7",
  "#d8daeb", "#b2abd2", "#8073ac", "#542788", "#2d004b",
].map(rgb);

/**
 * Return [r, g, b] of a signed value: orange at -limit, white-grey at 0, purple at +limit; beyond
 * is cut.
 */
export function divergingColour(value, limit) {
  const share = limit > 0 ? clamp(value / limit, -1, 1) : 0;
  const place = (share + 1) * 5;
  const below = Math.min(Math.floor(place), 9);
  const between = (channel, i) => channel + (place - below) * (PUOR[below + 1][i] - channel);
  return PUOR[below].map((channel, i) => Math.round(between(channel, i)));
}

/** Return [r, g, b] of a value from 0 (black) to 1 (white); beyond is cut. */
export function greyColour(value) {
  const byte = Math.round(clamp(value, 0, 1) * 255);
  return [byte, byte, byte];
}

/** Return WCAG's relative luminance of [r, g, b], from 0 to 1. */
export function luminance(colour) {
  const [r, g, b] = colour.map((byte) => byte / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Return WCAG's contrast of two colours [r, g, b], from 1 to 21. */
export function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** Return "black" or "white", whichever is easier to read on [r, g, b]. */
export function inkOn(colour) {
  return contrast(colour, [0, 0, 0]) > contrast(colour, [255, 255, 255]) ? "black" : "white";
}

/** Paint `values` (H, W) onto a canvas, one canvas pixel a value; `colour(value)`: [r, g, b]. */
export function paint(canvas, values, H, W, colour) {
  Object.assign(canvas, { width: W, height: H });
  const image = new ImageData(W, H);
  for (let i = 0; i < H * W; i += 1) image.data.set([...colour(values[i]), 255], 4 * i);
  canvas.getContext("2d").putImageData(image, 0, 0);
}
