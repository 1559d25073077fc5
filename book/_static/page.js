// What the theme's scripts leave undone on every page.

// What scrolls inside itself must be a stop of the Tab key, and what does not must not be. pages.py makes a stop of
// everything that may be too wide; where it is laid out and is not, take it back. (The theme does this for all elements at
// once, which lays out the whole page and holds up a phone; pages.py takes that out.)
const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else if (target.clientWidth) target.removeAttribute("tabindex");
  }
});
document.querySelectorAll(".bd-article pre, div.math, .pst-scrollable-table-container").forEach((element) => observer.observe(element));

// Paper is white: print what was dark on the screen in light colours.
const root = document.documentElement.dataset;
let shown;
window.addEventListener("beforeprint", () => ([shown, root.theme] = [root.theme, "light"]));
window.addEventListener("afterprint", () => (root.theme = shown));
