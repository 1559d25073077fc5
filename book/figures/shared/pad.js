// A field that a reader draws in, by mouse, finger or keyboard.

import { BOARD, MARK } from "./colour.js";
import { ARROWS, button } from "./controls.js";
import { element, uniqueId, write } from "./element.js";
import { Figure } from "./figure.js";
import { SIDE } from "./ink.js";
import { clamp } from "./numbers.js";
import { _ } from "./words.js";

const GRID = 28; // places of the keyboard's pen along a side
const NEAR = 2; // pixels that a stroke has to move before it is worth a point

/**
 * A figure with such a field: its state has {ink}, a list of strokes; renderDrawing() shows a
 * drawing that is not finished yet, and an event "read" says that it is.
 */
export class PadFigure extends Figure {
  cursor = [14, 14]; // the keyboard's pen: column, row
  penDown = false;
  width = 8; // of the pen, in pixels
  none = {}; // the rest of the state, where the reader draws

  /** What the empty field says. */
  invitation() {
    return "";
  }

  /** Whether a stroke goes on: nothing is asked or said before it ends. */
  get isDrawing() {
    return this.pointer !== undefined || this.penDown;
  }

  /** Whether the question's box says the answer to what is drawn. */
  get isSaid() {
    return !this.asking && this.gate.hasChildNodes();
  }

  get isBlank() {
    return !this.state.ink.length;
  }

  /** Make the field with its buttons, and how it is used: two elements. */
  buildField() {
    const hint = uniqueId("hint");
    this.pad = element("canvas", {
      class: "pad", width: SIDE, height: SIDE, tabindex: 0, role: "application",
      "aria-label": _("Drawing field"), "aria-describedby": hint,
    });
    this.pen = element("p", { class: "spoken", "aria-live": "polite" });
    this.listen();
    return [
      element("div", { class: "draw" }, this.pad, this.pen, element("div", { class: "figure-row" },
        button(_("Clear"), () => this.finish({ ...this.none, ink: [] })),
        button(_("Undo stroke"), () => this.undo()))),
      element("p", { id: hint, class: "note" }, _("Draw with a finger, a pen or the mouse. With " +
        "the keyboard: arrow keys move the pen, space puts it down or lifts it.")),
    ];
  }

  // ---- What the reader does --------------------------------------------------------------------

  listen() {
    const { pad } = this;
    const point = ({ clientX, clientY }) => {
      const { left, top, width, height } = pad.getBoundingClientRect();
      return [(clientX - left) / width, (clientY - top) / height]
        .map((at) => clamp(at, 0, 1) * SIDE); // beside the field there is no ink
    };
    const down = (event) => {
      if (event.button !== 0 || this.pointer !== undefined) return;
      event.preventDefault();
      pad.focus({ preventScroll: true });
      pad.setPointerCapture(event.pointerId);
      this.pointer = event.pointerId;
      this.keys = this.penDown = false;
      this.sayPen();
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
      const lifted = this.penDown && !shown;
      this.penDown &&= shown;
      this.sayPen();
      if (lifted) this.finish();
      else this.renderPad();
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
    } else {
      this.penDown = !this.penDown;
      if (this.penDown) this.begin(this.penAt());
      else this.finish();
    }
    this.sayPen();
  }

  /** Say where the keyboard's pen is, to readers who do not see it. */
  sayPen() {
    const [column, row] = this.cursor.map((at) => at + 1);
    const place = { row, column, side: GRID };
    write(this.pen, !this.keys ? "" : this.penDown
      ? _("Pen down: row {row}, column {column} of {side}.", place)
      : _("Pen up: row {row}, column {column} of {side}.", place));
  }

  /** Where the keyboard's pen is on the pad: [x, y]. */
  penAt() {
    return this.cursor.map((at) => ((at + 0.5) * SIDE) / GRID);
  }

  begin(point) {
    Object.assign(this.state, this.none).ink.push([point]);
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
      this.showDrawing();
    });
  }

  showDrawing() {
    this.compute();
    this.renderDrawing();
  }

  /** A stroke is complete, or something is taken in its place: say what follows from it. */
  finish(some = {}) {
    if (this.waiting) cancelAnimationFrame(this.waiting);
    this.waiting = undefined;
    if ("ink" in some) this.penDown = false;
    if (!this.asking) this.gate.replaceChildren(); // what it said about the prediction
    this.change(some);
    this.dispatchEvent(new Event("read"));
  }

  /** A drawing is in the address once its reader has guessed: loading the page asks again. */
  save() {
    this.unsaved = this.asking;
    if (!this.asking) super.save();
  }

  answered() {
    super.answered();
    if (this.unsaved) this.save();
  }

  undo() {
    this.finish({ ...this.none, ink: this.state.ink.slice(0, -1) });
  }

  // ---- What is drawn ---------------------------------------------------------------------------

  renderPad() {
    const context = this.pad.getContext("2d");
    this.renderInk(context);
    if (this.keys) this.renderPen(context);
    else if (this.isBlank) this.invite(context);
  }

  renderInk(context) {
    drawStrokes(context, this.state.ink, this.width);
  }

  /** Draw the keyboard's pen: a ring, filled while it is down. */
  renderPen(context) {
    Object.assign(context, { strokeStyle: MARK, fillStyle: MARK, lineWidth: 3 });
    context.beginPath();
    context.arc(...this.penAt(), Math.max(this.width / 2, 7), 0, 2 * Math.PI);
    if (this.penDown) context.fill();
    else context.stroke();
  }

  /** Write into the empty field what it is for. */
  invite(context) {
    Object.assign(context,
      { fillStyle: BOARD.words, font: "20px sans-serif", textAlign: "center" });
    context.fillText(this.invitation(), SIDE / 2, SIDE / 2);
  }
}

/** Draw strokes in white on a black context, with a round pen. */
export function drawStrokes(context, strokes, width) {
  context.fillStyle = BOARD.ground;
  context.fillRect(0, 0, SIDE, SIDE);
  Object.assign(context,
    { strokeStyle: BOARD.ink, lineWidth: width, lineCap: "round", lineJoin: "round" });
  for (const stroke of strokes) {
    context.fillStyle = BOARD.ink;
    context.beginPath(); // a tap is a dot: a line without length leaves no ink
    context.arc(...stroke[0], width / 2, 0, 2 * Math.PI);
    context.fill();
    context.beginPath();
    context.moveTo(...stroke[0]);
    for (const point of stroke.slice(1)) context.lineTo(...point);
    context.stroke();
  }
}
