// The field that a reader draws a digit in, by mouse, finger or keyboard; the network comes along.

import { BOARD, greyColour, MARK, paint } from "../shared/colour.js";
import { ARROWS, button, sampleButtons } from "../shared/controls.js";
import { element, uniqueId } from "../shared/element.js";
import { Figure } from "../shared/figure.js";
import { clamp } from "../shared/numbers.js";
import { _ } from "../shared/words.js";
import { readNetwork, SIDE } from "./model.js";

const PEN = 22; // pixels
const GRID = 28; // places of the keyboard's pen along a side
const NEAR = 2; // pixels that a stroke has to move before it is worth a point

/**
 * A figure with such a field: its state has {digit, ink}; renderDrawing() shows a drawing that is
 * not finished yet, and an event "read" says that it is.
 */
export class PadFigure extends Figure {
  cursor = [14, 14]; // the keyboard's pen: column, row
  penDown = false;

  async load() {
    const response = await fetch(new URL("./network.safetensors", import.meta.url));
    if (!response.ok) throw new Error(`network.safetensors: ${response.status}`);
    this.network = readNetwork(await response.arrayBuffer());
  }

  /** Make the field with its buttons, and what is said about it with the samples: two elements. */
  buildPad() {
    const hint = uniqueId("hint");
    this.pad = element("canvas", {
      class: "pad", width: SIDE, height: SIDE, tabindex: 0, role: "application",
      "aria-label": _("Drawing field"), "aria-describedby": hint,
    });
    this.ink = element("canvas", { width: SIDE, height: SIDE })
      .getContext("2d", { willReadFrequently: true });
    this.listen();
    const note = (text, attributes) => element("p", { class: "note", ...attributes }, text);
    return [
      element("div", { class: "draw" }, this.pad, element("div", { class: "figure-row" },
        button(_("Clear"), () => this.finish({ digit: null, ink: [] })),
        button(_("Undo stroke"), () => this.undo()))),
      element("div", { class: "more" },
        note(_("Draw with a finger, a pen or the mouse. With the keyboard: arrow keys move the " +
          "pen, space puts it down or lifts it."), { id: hint }),
        note(_("Or take a test digit of MNIST:")),
        sampleButtons((digit) => this.finish({ digit, ink: [] }))),
    ];
  }

  // ---- What the reader does --------------------------------------------------------------------

  listen() {
    const { pad } = this;
    const point = ({ clientX, clientY }) => {
      const { left, top, width, height } = pad.getBoundingClientRect();
      return [((clientX - left) / width) * SIDE, ((clientY - top) / height) * SIDE];
    };
    const down = (event) => {
      if (event.button !== 0 || this.pointer !== undefined) return;
      event.preventDefault();
      pad.focus({ preventScroll: true });
      pad.setPointerCapture(event.pointerId);
      this.pointer = event.pointerId;
      this.keys = this.penDown = false;
      this.begin(point(event));
    };
    const move = (event) => {
      if (event.pointerId !== this.pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length ? events : [event]) this.extend(point(each));
    };
    const up = (event) => {
      if (event.pointerId !== this.pointer) return;
      this.pointer = undefined;
      this.finish();
    };
    const keys = (shown) => {
      this.keys = shown;
      this.penDown &&= shown;
      this.renderPad();
    };
    const handlers = {
      pointerdown: down, pointermove: move, pointerup: up, pointercancel: up,
      keydown: (event) => this.press(event), blur: () => keys(false),
      focus: () => keys(pad.matches(":focus-visible")),
    };
    for (const [name, handle] of Object.entries(handlers)) pad.addEventListener(name, handle);
  }

  /** Arrow keys move the pen over a grid; space puts it down and lifts it. */
  press(event) {
    const move = ARROWS[event.key];
    if (event.ctrlKey || event.altKey || event.metaKey || (!move && event.key !== " ")) return;
    event.preventDefault();
    this.keys = true;
    if (move) {
      this.cursor = this.cursor.map((at, n) => clamp(at + move[1 - n], 0, GRID - 1));
      if (!this.penDown) this.renderPad();
      else this.extend(this.penAt());
      if (this.penDown && !this.asking) this.finish();
    } else {
      this.penDown = !this.penDown;
      if (this.penDown) this.begin(this.penAt());
      else this.finish();
    }
  }

  /** Where the keyboard's pen is on the pad: [x, y]. */
  penAt() {
    return this.cursor.map((at) => ((at + 0.5) * SIDE) / GRID);
  }

  begin(point) {
    this.state.digit = null;
    this.state.ink.push([point]);
    this.soon();
  }

  extend(point) {
    const stroke = this.state.ink.at(-1);
    const last = stroke.at(-1);
    if (Math.hypot(point[0] - last[0], point[1] - last[1]) < NEAR) return;
    stroke.push(point);
    this.soon();
  }

  /** Show a stroke that goes on, once before the next frame; it is not spoken of yet. */
  soon() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = undefined;
      this.compute();
      this.renderDrawing();
    });
  }

  /** A stroke is complete, or something is taken in its place: say what the network says. */
  finish(some = {}) {
    if (this.waiting) cancelAnimationFrame(this.waiting);
    this.waiting = undefined;
    if ("ink" in some) this.penDown = false;
    if (!this.asking) this.gate.replaceChildren(); // what it said about the prediction
    this.change(some);
    this.dispatchEvent(new Event("read"));
  }

  undo() {
    const { ink } = this.state;
    this.finish({ digit: null, ink: ink.slice(0, -1) });
  }

  // ---- What is drawn ---------------------------------------------------------------------------

  /** Return a sample as numbers in 0..1. */
  sample(n) {
    return Float32Array.from(this.network.samples[n], (byte) => byte / 255);
  }

  /** Return what is drawn as [numbers in 0..1, their width], or null. */
  drawing() {
    const { digit, ink } = this.state;
    if (digit !== null) return [this.sample(digit), this.network.side];
    if (!ink.length) return null;
    drawStrokes(this.ink, ink);
    const { data } = this.ink.getImageData(0, 0, SIDE, SIDE);
    return [Float32Array.from({ length: SIDE * SIDE }, (unused, n) => data[4 * n] / 255), SIDE];
  }

  renderPad() {
    const { digit, ink } = this.state;
    const context = this.pad.getContext("2d");
    context.imageSmoothingEnabled = false;
    if (digit === null) drawStrokes(context, ink);
    else {
      const small = document.createElement("canvas");
      paint(small, this.sample(digit), this.network.side, this.network.side, greyColour);
      context.drawImage(small, 0, 0, SIDE, SIDE);
    }
    if (this.keys) this.renderPen(context);
    else if (digit === null && !ink.length) invite(context);
  }

  /** Draw the keyboard's pen: a ring, filled while it is down. */
  renderPen(context) {
    Object.assign(context, { strokeStyle: MARK, fillStyle: MARK, lineWidth: 3 });
    context.beginPath();
    context.arc(...this.penAt(), PEN / 2, 0, 2 * Math.PI);
    if (this.penDown) context.fill();
    else context.stroke();
  }
}

/** Draw strokes in white on a black context. */
function drawStrokes(context, strokes) {
  context.fillStyle = BOARD.ground;
  context.fillRect(0, 0, SIDE, SIDE);
  Object.assign(context,
    { strokeStyle: BOARD.ink, lineWidth: PEN, lineCap: "round", lineJoin: "round" });
  for (const stroke of strokes) {
    context.fillStyle = BOARD.ink;
    context.beginPath(); // a tap is a dot: a line without length leaves no ink
    context.arc(...stroke[0], PEN / 2, 0, 2 * Math.PI);
    context.fill();
    context.beginPath();
    context.moveTo(...stroke[0]);
    for (const point of stroke.slice(1)) context.lineTo(...point);
    context.stroke();
  }
}

/** Write into the empty field what it is for. */
function invite(context) {
  Object.assign(context, { fillStyle: BOARD.words, font: "20px sans-serif", textAlign: "center" });
  context.fillText(_("Draw a digit here"), SIDE / 2, SIDE / 2);
}
