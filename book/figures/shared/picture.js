// Pictures of numbers: a canvas with a cell for each, frames around some of them, and a scale.

import { divergingColour, MARK, MARK_EDGE } from "./colour.js";
import { cellUnder } from "./controls.js";
import { element, uniqueId } from "./element.js";
import { formatNumber, range } from "./numbers.js";
import { _ } from "./words.js";

let where = ""; // where the pointer was last seen

/** Make a frame of one of COLOURS, with a sign beside it. */
function frame(colour, sign) {
  const stroke = (each, width) => element("rect", { fill: "none", stroke: each,
    "stroke-width": width, "vector-effect": "non-scaling-stroke" });
  return element("g", {}, stroke(MARK_EDGE, 5), stroke(colour, 2),
    sign && element("text", { fill: colour }, sign));
}

/**
 * Make a picture: {root, canvas, caption, pad, show}. With `pick` it is to be pointed at:
 * `pick([row, column], event)` is called where the pointer is, `lift()` when it goes, and
 * `onKey(event)` for keys; with `tap` a finger picks by a tap only, so that it can scroll here.
 * `frames` are [colour, sign]; `show(H, W, [[[row, column], size], ...])` says how many cells there
 * are, and which each frame is around (null for none).
 */
export function picture({ label, pick, lift, onKey, tap, frames = [[MARK]] }) {
  const canvas = element("canvas", // and until it is painted, it says so
    { role: "img", width: 1, height: 1, "aria-label": _("Not drawn yet") });
  const groups = frames.map((each) => frame(...each));
  const svg = element("svg", { "aria-hidden": "true", preserveAspectRatio: "none" }, groups);
  const caption = element("figcaption", { id: uniqueId("caption") });
  let finger = false;
  const take = (event) => {
    if (event.type === "pointerdown") finger = tap && event.pointerType !== "mouse";
    if (finger && event.type !== "click") return;
    // When the page has moved under a pointer at rest, the browser says that the pointer moved:
    // whoever uses the keyboard keeps the place.
    const here = `${event.clientX} ${event.clientY}`;
    if (event.type === "pointermove" && here === where) return;
    where = here;
    pick(cellUnder(canvas, event, canvas.height, canvas.width), event);
  };
  const pad = element("div", { class: "figure-pad", ...(pick && {
    tabindex: 0, role: "application", "aria-label": label, "aria-describedby": caption.id,
    onpointerdown: take, onpointermove: take, onkeydown: onKey,
    ...(tap && { onclick: (event) => finger && take(event) }),
    ...(lift && { onpointerup: lift, onpointercancel: lift }),
  }) }, canvas, svg);
  const show = (H, W, places) => {
    svg.setAttribute("viewBox", `0 0 ${W} ${H}`);
    groups.forEach((group, n) => {
      group.toggleAttribute("hidden", !places[n]);
      if (places[n]) move(group, W, ...places[n]);
    });
  };
  return { root: element("figure", {}, pad, caption), canvas, caption, pad, show };
}

/** Put a frame around `size` cells at [row, column] of a picture that is W cells wide. */
function move(group, W, [row, column], size) {
  const text = group.querySelector("text");
  for (const rect of group.querySelectorAll("rect")) {
    const place = { x: column, y: row, width: size, height: size };
    for (const [name, value] of Object.entries(place)) rect.setAttribute(name, value);
  }
  if (!text) return;
  const right = column + size < W - 12; // is there room for it on the right?
  text.setAttribute("x", right ? column + size + 2 : column - 2);
  text.setAttribute("y", row + size / 2);
  text.setAttribute("text-anchor", right ? "start" : "end");
}

/** Make a scale of colours: {root, show}; `show(limit)`: signed, and for null grey, 0 to 1. */
export function legend() {
  const root = element("div", { class: "legend", "aria-hidden": "true" });
  const show = (limit) => {
    const most = limit === null || formatNumber(limit, 2);
    const ends = limit === null ? ["0", "1"] : [`−${most}`, "0", most];
    const stops = limit === null ? ["black", "white"]
      : range(11, (i) => `rgb(${divergingColour(i - 5, 5)})`);
    root.replaceChildren(
      element("div", { style: `background: linear-gradient(to right, ${stops})` }),
      ...ends.map((end) => element("span", {}, end)));
  };
  return { root, show };
}
