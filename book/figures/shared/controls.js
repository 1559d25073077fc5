// What the reader's hands are on: buttons, fields, sliders, choices, and pictures to point at.

import { element, set, uniqueId } from "./element.js";
import { clamp, range } from "./numbers.js";
import { _ } from "./words.js";

/** How far an arrow key moves: [rows, columns]. */
export const ARROWS = {
  ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
};

/** Make a button. */
export function button(text, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, text);
}

/** Return [row, column] of the cell under the pointer, where H rows and W columns fill a canvas. */
export function cellUnder(canvas, event, H, W) {
  const box = canvas.getBoundingClientRect();
  const cell = (at, start, length, count) =>
    clamp(Math.floor(((at - start) / length) * count), 0, count - 1);
  return [cell(event.clientY, box.top, box.height, H), cell(event.clientX, box.left, box.width, W)];
}

/** Mark a field as wrong, or as right again. */
export function markInvalid(input, wrong) {
  set(input, "aria-invalid", wrong ? "true" : null);
}

/** Make a field for a number; `onInput(text)` gets what was typed, which may be no number. */
export function numberInput({ onInput, ...attributes }) {
  const input = element("input", {
    type: "number", step: "any", inputmode: "decimal", ...attributes,
    oninput: () => onInput(input.value),
  });
  return input;
}

/** Make a number field with its label beside it: {root, input}. */
export function numberField(label, options) {
  const input = numberInput(options);
  const root = element("label", { class: "figure-field" }, element("span", {}, label), input);
  return { root, input };
}

/**
 * Make a slider and a number field for one integer: {root, input, show}; `onInput(text)`. The
 * slider ends at `max`, the field at `limit`; the slider goes that far too if it has to.
 */
export function sliderField(label, { value, min, max, limit, onInput }) {
  const follow = (text) => {
    const number = text === "" ? NaN : Number(text);
    slider.max = Math.max(max, Math.min(limit, Math.ceil(number) || 0));
    slider.value = Number.isNaN(number) ? min : number;
  };
  const { root, input } = numberField(label, {
    value, min, max: limit, step: 1, onInput: (text) => { follow(text); onInput(text); },
  });
  const slider = element("input", {
    type: "range", min, max, step: 1, "aria-label": _("{name}, slider", { name: label }),
    oninput: () => { input.value = slider.value; onInput(slider.value); },
  });
  const show = (number) => {
    if (Number(input.value) !== number) input.value = number; // "-0" is being typed
    slider.value = number;
  };
  follow(value);
  return { root: element("div", { class: "figure-slider" }, root, slider), input, show };
}

/** Make radio buttons of {value: label}: {root, show}; `onChange(value)`; `show(value)` checks. */
export function choice(legend, options, onChange) {
  const name = uniqueId("choice");
  const inputs = Object.keys(options).map((value) =>
    element("input", { type: "radio", name, value, onchange: () => onChange(value) }));
  const labels = inputs.map((input) =>
    element("label", {}, input, element("span", {}, options[input.value])));
  const show = (value) => {
    for (const input of inputs) input.checked = input.value === String(value);
  };
  const root = element("fieldset", { class: "figure-choice" },
    element("legend", {}, legend), labels);
  return { root, show };
}

/** Make ten buttons, one for each test digit; `onChoose(n)`. */
export function sampleButtons(onChoose) {
  return element("div", { class: "samples", role: "group",
    "aria-label": _("Samples from MNIST's test set") }, range(10, (n) => button(String(n),
    () => onChoose(n), { "aria-label": _("{n}: a test digit", { n }) })));
}
