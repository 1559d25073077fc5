// Predict first: a question, its answers as buttons, and what was right.

import { button } from "./controls.js";
import { element, uniqueId } from "./element.js";
import { _ } from "./words.js";

/**
 * Ask `question` in the element `gate`: `answers` as buttons, of which number `right` is true, or
 * none where it is null. Any answer, or skipping, calls `onDone()`; then it says whether that was
 * right, and `explain`.
 */
export function ask(gate, { question, answers, right, explain }, onDone) {
  const asked = element("p", { id: uniqueId("question") },
    element("strong", {}, _("Predict:")), " ", question);
  const choose = (chosen) => {
    const verdict = chosen === right ? _("Right.") : _("Not quite: {answer}.", {
      answer: answers[right],
    });
    const said = element("p", { class: "figure-verdict", tabindex: -1 },
      chosen === null || right === null ? [] : [element("strong", {}, verdict), " "], explain);
    gate.replaceChildren(element("div", { class: "figure-gate" }, asked, said));
    onDone();
    said.focus({ preventScroll: true }); // the button that had the focus is gone
  };
  const buttons = answers.map((answer, i) => button(answer, () => choose(i)));
  const skip = button(_("Skip"), () => choose(null), { "data-skip": true });
  const box = { class: "figure-gate", role: "group", "aria-labelledby": asked.id };
  gate.replaceChildren(element("div", box, asked,
    element("div", { class: "figure-row" }, buttons, skip)));
}
