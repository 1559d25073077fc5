// What a page does: the search, the colours, the copy buttons, the bar and the contents that
// follow the reader, sections that open. Its words stand in the page (layout.html).
{
  const root = document.documentElement;
  const find = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];

  // --- search ---

  const dialog = find("#search-dialog");
  find("#find").addEventListener("click", () => dialog.showModal());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  addEventListener("keydown", (event) => {
    if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (!dialog.open) dialog.showModal();
    }
  });

  // --- colours ---

  const MODES = ["auto", "light", "dark"];
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const button = find("#mode");

  function paint(mode) {
    root.dataset.mode = mode;
    root.dataset.theme = mode === "auto" ? (dark.matches ? "dark" : "light") : mode;
    button.title = button.ariaLabel = button.dataset[mode];
  }

  button.addEventListener("click", () => {
    const next = MODES[(MODES.indexOf(root.dataset.mode) + 1) % MODES.length];
    try { localStorage.setItem("mode", next); } catch { /* it lasts as long as the page */ }
    paint(next);
  });
  dark.addEventListener("change", () => paint(root.dataset.mode));
  paint(root.dataset.mode);

  // --- code ---

  const { copy, copied } = document.body.dataset;
  for (const box of all("article .highlight")) {
    if (box.closest(".cell_output")) continue;
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "copy", textContent: copy });
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(box.querySelector("pre").textContent);
      button.textContent = find("#said").textContent = copied;
      setTimeout(() => {
        button.textContent = copy;
        find("#said").textContent = "";
      }, 2000);
    });
    box.append(button);
  }

  // What scrolls inside itself must be a stop of the Tab key, and what does not must not be.
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  all("article pre, article .wide, article div.math").forEach((box) => observer.observe(box));

  // --- where the reader is ---

  const bar = find(".progress .here");
  const links = all("#contents li li a");
  const target = (hash) => {
    try { return document.getElementById(decodeURIComponent(hash.slice(1))); } catch { return null; }
  };
  const places = links.map((link) => target(link.hash));
  let current, asked;

  function follow() {
    asked = false;
    const way = root.scrollHeight - innerHeight;
    const read = way > 0 ? Math.min(scrollY / way, 1) : 0;
    bar.style.setProperty("--read", read.toFixed(4));
    const passed = (place) => place && !place.parentElement.closest("details:not([open])")
      && place.getBoundingClientRect().top < parseFloat(getComputedStyle(root).scrollPaddingTop) + 8;
    const now = links[read === 1 ? links.length - 1 : places.findLastIndex(passed)];
    if (now === current) return;
    current?.removeAttribute("aria-current");
    now?.setAttribute("aria-current", "true");
    if (now?.offsetParent) now.scrollIntoView({ block: "nearest" });
    current = now;
  }

  function ask() {
    if (!asked) requestAnimationFrame(follow);
    asked = true;
  }

  addEventListener("scroll", ask, { passive: true });
  new ResizeObserver(ask).observe(document.body);

  // The list of chapters shows where one is.
  requestAnimationFrame(() => {
    const list = find("#chapters"), here = list.querySelector("[aria-current]");
    if (here) list.scrollTop = here.offsetTop - list.clientHeight / 2;
  });

  // A link in a list that covers the text closes it.
  all("nav[popover]").forEach((list) => list.addEventListener("click", (event) => {
    if (event.target.closest("a") && list.matches(":popover-open")) list.hidePopover();
  }));

  // --- folds ---

  // Whoever is sent to something inside a fold finds it open.
  function unfold() {
    const place = target(location.hash);
    let opened = false;
    const fold = place?.querySelector(":scope > details.deeper") ?? place;
    for (let box = fold?.closest("details"); box; box = box.parentElement.closest("details")) {
      opened ||= !box.open;
      box.open = true;
    }
    if (opened) place.scrollIntoView();
  }

  addEventListener("hashchange", unfold);
  unfold();

  // --- paper is white ---

  let shown;
  addEventListener("beforeprint", () => {
    shown = root.dataset.theme;
    root.dataset.theme = "light";
  });
  addEventListener("afterprint", () => { root.dataset.theme = shown; });
}
