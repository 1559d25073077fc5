// The field that a reader draws a digit in, or takes one of MNIST's; the network comes along.

import { greyColour, paint } from "../shared/colour.js";
import { sampleButtons } from "../shared/controls.js";
import { element } from "../shared/element.js";
import { SIDE } from "../shared/ink.js";
import { drawStrokes, PadFigure } from "../shared/pad.js";
import { _ } from "../shared/words.js";
import { readNetwork } from "./model.js";

/** A figure with such a field: its state has {digit, ink}. */
export class DigitFigure extends PadFigure {
  width = 22;
  none = { digit: null };
  drawn = element("canvas", { width: SIDE, height: SIDE })
    .getContext("2d", { willReadFrequently: true });

  async load() {
    const response = await fetch(new URL("./network.safetensors", import.meta.url));
    if (!response.ok) throw new Error(`network.safetensors: ${response.status}`);
    this.network = readNetwork(await response.arrayBuffer());
  }

  invitation() {
    return _("Draw a digit here");
  }

  get isBlank() {
    return super.isBlank && this.state.digit === null;
  }

  /** Make the field with its buttons, and what is said about it with the samples: two elements. */
  buildPad() {
    const [draw, note] = this.buildField();
    return [draw, element("div", { class: "more" }, note,
      element("p", { class: "note" }, _("Or take a test digit of MNIST:")),
      sampleButtons((digit) => this.finish({ digit, ink: [] })))];
  }

  /** Return a sample as numbers in 0..1. */
  sample(n) {
    return Float32Array.from(this.network.samples[n], (byte) => byte / 255);
  }

  /** Return what is drawn as [numbers in 0..1, their width], or null. */
  drawing() {
    const { digit, ink } = this.state;
    if (digit !== null) return [this.sample(digit), this.network.side];
    if (!ink.length) return null;
    drawStrokes(this.drawn, ink, this.width);
    const { data } = this.drawn.getImageData(0, 0, SIDE, SIDE);
    return [Float32Array.from({ length: SIDE * SIDE }, (unused, n) => data[4 * n] / 255), SIDE];
  }

  renderInk(context) {
    const { digit } = this.state;
    if (digit === null) return super.renderInk(context);
    const small = document.createElement("canvas");
    paint(small, this.sample(digit), this.network.side, this.network.side, greyColour);
    context.imageSmoothingEnabled = false;
    return context.drawImage(small, 0, 0, SIDE, SIDE);
  }
}
