// Draw a doodle is far down the first page, which is to be light: it comes when its reader is near.

const near = new IntersectionObserver((seen) => {
  if (!seen.some(({ isIntersecting }) => isIntersecting)) return;
  near.disconnect();
  import("./figure.js");
}, { rootMargin: "50%" });

for (const figure of document.querySelectorAll("draw-doodle")) near.observe(figure);
