// Elements of the page, made in one call.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "rect", "line", "path", "circle", "polyline", "text"]);
let counter = 0;

/**
 * Make an element: attributes as an object (functions such as onclick are listeners; false and
 * null are left out, true is the empty attribute), then its children, which may be lists.
 */
export function element(tag, attributes = {}, ...children) {
  const made = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else set(made, name, value);
  }
  made.append(...children.flat().filter((child) => child || child === 0));
  return made;
}

/** Set an attribute; false, null and undefined take it away. */
export function set(made, name, value) {
  if (value === false || value === null || value === undefined) made.removeAttribute(name);
  else made.setAttribute(name, value === true ? "" : value);
}

/** Write a text into an element unless it stands there, so that it is not read aloud again. */
export function write(made, text) {
  if (made.textContent !== text) made.textContent = text;
}

/** Return an id that no other element of the page has. */
export function uniqueId(prefix) {
  counter += 1;
  return `${prefix}-${counter}`;
}
