// Dark or light as the system is, until somebody says otherwise; and the keys that work on every page.
// Loaded before the page is drawn, so that it never flashes.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try { chosen = localStorage.getItem("theme"); } catch { /* no storage: the system's */ }
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;

  const toggle = () => {
    const now = root.dataset.theme || (dark.matches ? "dark" : "light");
    const next = now === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    try { localStorage.setItem("theme", next); } catch { /* for this page only */ }
  };

  const typing = (target) =>
    target.closest("input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select, [contenteditable]");
  const pages = { c: "/", f: "/frontier", g: "/gallery", r: "/review", q: "/quality", d: "/duplicates", e: "/export" };
  let going = 0;

  document.addEventListener("DOMContentLoaded", () => {
    const keys = document.getElementById("keys");
    const here = document.querySelector(".top nav [aria-current]");
    if (here) here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft - 40;
    const help = () => (keys.open ? keys.close() : keys.showModal());
    document.getElementById("theme").addEventListener("click", toggle);
    document.getElementById("help").addEventListener("click", help);
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      if (Date.now() - going < 1200 && event.key in pages) {
        going = 0;
        event.preventDefault();
        event.stopImmediatePropagation();
        location.assign(pages[event.key]);
      } else if (event.key === "g") {
        going = Date.now();
      } else if (event.key === "t") {
        toggle();
      } else if (event.key === "?") {
        event.preventDefault();
        help();
      }
    }, true);
  });
})();
