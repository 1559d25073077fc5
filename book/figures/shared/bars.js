// The ten probabilities of a network, as bars.

import { element } from "./element.js";
import { range } from "./numbers.js";
import { _ } from "./words.js";

/**
 * Make the bars of ten digits: {root, show}. `show(shares, best)` shows probabilities, in percent
 * with `decimals`, the digit `best` in bold; for null question marks.
 */
export function digitBars(label = _("Probabilities"), decimals = 1) {
  const items = range(10, (n) => {
    const [bar, share] = [element("span"), element("span", { class: "share" })];
    const item = element("li", {}, element("span", {}, String(n)),
      element("span", { class: "bar" }, bar), share);
    return { item, bar, share };
  });
  const show = (shares, best = null) => items.forEach(({ item, bar, share }, n) => {
    share.textContent = shares ? `${(100 * shares[n]).toFixed(decimals)} %` : "?";
    bar.style.width = shares ? `${100 * shares[n]}%` : 0;
    item.classList.toggle("best", n === best);
  });
  const root = element("ol", { class: "shares", "aria-label": label },
    items.map(({ item }) => item));
  return { root, show };
}
