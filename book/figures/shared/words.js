// The sentences of the figures in the language of the page.
//
// A page in another language holds a dictionary, {English: translation}, which book/_ext/figures.py
// writes into it. It finds the English by looking for calls of _() with a text in quotes.

let dictionary;

/** Return `text` in the language of the page, each {name} in it replaced by values[name]. */
export function _(text, values = {}) {
  dictionary ??= JSON.parse(document.querySelector("script[data-words]")?.textContent ?? "{}");
  return (dictionary[text] ?? text).replaceAll(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

/** Put sentences one after the other; those that are empty, false or null have nothing to say. */
export function sentences(...said) {
  return said.filter(Boolean).join(" ");
}
