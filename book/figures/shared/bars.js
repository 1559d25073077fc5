// The probabilities of a network, as bars.

import { element } from "./element.js";
import { range } from "./numbers.js";
import { _ } from "./words.js";

/** Write a share in percent; with a decimal, what is neither all nor nothing is not called so. */
export function percent(share, decimals = 1) {
  if (decimals && share >= 0.9995) return "> 99.9\u00a0%";
  if (decimals && share > 0 && share < 0.0005) return "< 0.1\u00a0%";
  return `${(100 * share).toFixed(decimals)}\u00a0%`;
}

/** The same within a sentence. */
export function percentSaid(share) {
  return share >= 0.9995 ? _("more than 99.9\u00a0%") : percent(share);
}

/**
 * Make `count` bars: {root, show}; `show(n, {name, share, decimals, best})`: a share in percent,
 * for null a question mark.
 */
export function makeBars(count, label) {
  const items = range(count, () => {
    const [name, bar] = [element("span"), element("span")];
    const said = element("span", { class: "share" });
    const item = element("li", {}, name, element("span", { class: "bar" }, bar), said);
    return { item, name, bar, said };
  });
  const show = (n, { name, share, decimals, best }) => {
    const none = share === null;
    items[n].name.textContent = name;
    items[n].said.textContent = none ? "?" : percent(share, decimals);
    items[n].bar.style.width = none ? 0 : `${100 * share}%`;
    items[n].item.classList.toggle("best", best);
  };
  const root = element("ol", { class: "shares", "aria-label": label },
    items.map(({ item }) => item));
  return { root, show };
}

/**
 * Make the bars of ten digits: {root, show}. `show(shares, best)` shows probabilities, in percent
 * with `decimals`, the digit `best` in bold; for null question marks.
 */
export function digitBars(label = _("Probabilities"), decimals = 1) {
  const { root, show } = makeBars(10, label);
  return { root, show: (shares, best = null) => range(10, (n) => show(n,
    { name: String(n), share: shares ? shares[n] : null, decimals, best: n === best })) };
}
