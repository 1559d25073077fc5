// The state of a figure in the address of its page: ?kernel=0,-1,0&stride=2.

let pending = null;

/** Return what the address says about `names`: {name: text}, without the names it lacks. */
export function readAddress(names) {
  const query = new URLSearchParams(location.search);
  const given = names.filter((name) => query.has(name));
  return Object.fromEntries(given.map((name) => [name, query.get(name)]));
}

/**
 * Put {name: value} into the address within 400 ms; a null takes the name out. Other names and
 * the #anchor stay.
 */
export function writeAddress(values) {
  if (!pending) setTimeout(flush, 400); // Safari refuses more than 100 changes in 30 seconds
  pending = { ...pending, ...values };
}

function flush() {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(pending)) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  pending = null;
  const text = query.toString().replaceAll("%2C", ",");
  const address = location.pathname + (text ? `?${text}` : "") + location.hash;
  history.replaceState(history.state, "", address);
}
