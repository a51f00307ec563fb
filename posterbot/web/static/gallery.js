// As many tiles as fit on the screen and a screen before and behind it; facts come in pages, pictures with the tiles.
// The height of the whole list is reserved, so nothing ever moves.
const grid = document.getElementById("grid");
const none = document.getElementById("none");
const trouble = document.getElementById("trouble");
const pattern = document.getElementById("tile").content.firstElementChild;
const { query, show } = grid.dataset;
const PAGE = Number(grid.dataset.page);
const HIGHEST = 15e6; // pixels: browsers draw nothing below some 17 million
const CAPTION = 42;
const HELD = 80; // pages
const AT_ONCE = 4;
const NUMBER = new Intl.NumberFormat("en");

const pages = new Map(); // number → facts
const asked = new Map(); // number → AbortController
const shown = new Map(); // index → li
let list = null;
let total = 0;
let current = 0;
let layout = null;
let drawing = false;
let wanted = [];

const at_first = JSON.parse(grid.dataset.first);
pages.set(0, at_first);
total = at_first.length;
history.scrollRestoration = "manual";

function measure() {
  const width = grid.clientWidth;
  const gap = width < 500 ? 10 : 18;
  const least = Math.min(150, Math.max(104, innerWidth * 0.26));
  const columns = Math.max(2, Math.floor((width + gap) / (least + gap)));
  const tile = (width - gap * (columns - 1)) / columns;
  const row = Math.round(tile * 1.5) + CAPTION + gap;
  const rows = Math.ceil(total / columns);
  const real = Math.max(0, rows * row);
  const height = Math.min(real, HIGHEST);
  grid.style.height = `${height}px`;
  layout = { width, gap, columns, tile, row, real, height, top: grid.getBoundingClientRect().top + scrollY };
}

// How far the list is scrolled, in pixels of the list, and where that is on the page.
function place() {
  const here = scrollY - layout.top;
  if (layout.real <= layout.height) return { from: here, shift: 0 };
  const share = Math.min(1, Math.max(0, here / (layout.height - innerHeight)));
  const from = here < 0 ? here : share * (layout.real - innerHeight);
  return { from, shift: here - from };
}

function scroll_to(from) {
  if (layout.real <= layout.height) scrollTo(0, layout.top + from);
  else scrollTo(0, layout.top + (from / (layout.real - innerHeight)) * (layout.height - innerHeight));
}

function facts_of(index) {
  const page = pages.get(Math.floor(index / PAGE));
  return page && page[index % PAGE];
}

function fill(li, index) {
  const facts = facts_of(index);
  if (facts === undefined) return;
  li.classList.remove("waiting");
  li.filled = true;
  const link = li.firstElementChild;
  const words = li.querySelector(".words");
  if (facts === null) {
    words.textContent = "not there any more";
    return;
  }
  const [, sha256, name, kept, label, score, reason, picture, width, height] = facts;
  link.href = `/image/${sha256}`;
  li.classList.toggle("dropped", !kept);
  li.querySelector(".name").textContent = name;
  const verdict = li.querySelector(".verdict");
  verdict.textContent = label ?? reason ?? "";
  const state = document.createElement("span");
  state.className = "hidden";
  state.textContent = kept ? " kept " : " dropped ";
  verdict.append(state);
  li.querySelector(".score").textContent = score === null ? "" : score.toFixed(2);
  const img = li.querySelector("img");
  if (!picture) {
    words.replaceChildren(...[reason ?? "dropped", `${width}×${height}`, "bytes not kept"].map((line) => {
      const span = document.createElement("span");
      span.textContent = line;
      return span;
    }));
    return;
  }
  img.onload = () => img.classList.add("there");
  img.onerror = () => { if (img.getAttribute("src")) words.textContent = "file not found or not readable"; };
  img.src = `/thumbnails/${sha256}.jpg`;
}

function make(index) {
  const li = pattern.cloneNode(true);
  li.classList.add("waiting");
  li.ariaSetSize = total;
  li.ariaPosInSet = index + 1;
  li.style.width = `${layout.tile}px`;
  li.style.height = `${layout.row - layout.gap}px`;
  li.firstElementChild.href = "#main";
  li.index = index;
  fill(li, index);
  return li;
}

function remove(index, li) {
  li.querySelector("img").removeAttribute("src"); // its request is not worth waiting for
  li.remove();
  shown.delete(index);
}

function draw() {
  drawing = false;
  const { from, shift } = place();
  const { columns, row, gap, tile } = layout;
  const start = Math.max(0, Math.floor((from - innerHeight) / row) * columns);
  const end = Math.min(total, Math.ceil((from + 2 * innerHeight) / row) * columns);
  for (const [index, li] of shown) {
    if ((index < start || index >= end) && !(li.contains(document.activeElement) && index < total)) remove(index, li);
  }
  const fresh = document.createDocumentFragment();
  for (let index = start; index < end; index += 1) {
    let li = shown.get(index);
    if (!li) {
      li = make(index);
      shown.set(index, li);
      fresh.append(li);
    } else if (!li.filled) fill(li, index);
  }
  for (const [index, li] of shown) {
    const x = (index % columns) * (tile + gap);
    const y = Math.floor(index / columns) * row + shift;
    const where = `translate(${x}px, ${y}px)`;
    if (li.where !== where) {
      li.style.transform = where;
      li.where = where;
    }
    const focus = index === current ? 0 : -1;
    if (li.firstElementChild.tabIndex !== focus) li.firstElementChild.tabIndex = focus;
  }
  grid.append(fresh);
  if (!shown.has(current)) {
    const seen = Math.min(end - 1, Math.max(0, Math.ceil(from / row) * columns));
    shown.get(seen)?.firstElementChild.setAttribute("tabindex", "0");
  }
  need(from);
}

function draw_soon() {
  if (!drawing) {
    drawing = true;
    requestAnimationFrame(draw);
  }
}

// Which pages of facts are wanted: what is on the screen, then what is behind and before it.
function need(from) {
  const page_at = (pixels) => Math.floor((Math.floor(Math.max(0, pixels) / layout.row) * layout.columns) / PAGE);
  const last = Math.max(0, Math.ceil(total / PAGE) - 1);
  const middle = page_at(from + innerHeight / 2);
  const low = Math.max(0, page_at(from - 3 * innerHeight));
  const high = Math.min(last, page_at(from + 4 * innerHeight));
  wanted = [];
  for (let page = low; page <= high; page += 1) if (!pages.has(page)) wanted.push(page);
  wanted.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
  for (const [page, control] of asked) if (page < low || page > high) { control.abort(); asked.delete(page); }
  ask();
}

function ask() {
  if (list === null) return;
  for (const page of wanted) {
    if (asked.size >= AT_ONCE) return;
    if (!asked.has(page) && !pages.has(page)) read(page);
  }
}

async function read(page) {
  const control = new AbortController();
  asked.set(page, control);
  try {
    const answer = await fetch(`/gallery/tiles?list=${list}&show=${show}&start=${page * PAGE}&number=${PAGE}`, {
      signal: control.signal, headers: { accept: "application/json" },
    });
    if (answer.status === 410) { pages.clear(); list = null; setTimeout(open_list, 0); return; }
    if (!answer.ok) throw new Error((await answer.json()).error);
    pages.set(page, (await answer.json()).tiles);
    trouble.textContent = "";
    if (pages.size > HELD) forget(page);
    draw_soon();
  } catch (error) {
    if (error.name === "AbortError") return;
    trouble.textContent = error instanceof TypeError ? "No connection to posterbot serve; trying again." : error.message;
    setTimeout(draw_soon, 2000);
  } finally {
    if (asked.get(page) === control) asked.delete(page);
    ask();
  }
}

function forget(near) {
  const far = [...pages.keys()].sort((a, b) => Math.abs(b - near) - Math.abs(a - near));
  for (const page of far.slice(0, pages.size - HELD)) pages.delete(page);
}

async function open_list() {
  try {
    const answer = await fetch(`/gallery/list?${query}`, { headers: { accept: "application/json" } });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error);
    list = told.list;
    total = told.total;
    if (pages.has(0) && (pages.get(0)[0]?.[0] ?? null) !== told.first) {
      pages.clear();
      for (const [index, li] of shown) remove(index, li);
    }
    for (const [name, count] of Object.entries(told.counts)) {
      const place_of = document.querySelector(`[data-count="${name}"]`);
      if (place_of) place_of.textContent = NUMBER.format(count);
    }
    document.getElementById("total").textContent = total === 1 ? "1 image" : `${NUMBER.format(total)} images`;
    trouble.textContent = "";
    none.hidden = total > 0;
    for (const li of shown.values()) li.ariaSetSize = total;
    measure();
    const back = history.state?.gallery;
    if (back && !open_list.done) {
      current = Math.min(back.current, Math.max(0, total - 1));
      scrollTo(0, back.y);
    }
    open_list.done = true;
    draw();
  } catch (error) {
    trouble.textContent = error instanceof TypeError ? "No connection to posterbot serve; trying again." : error.message;
    setTimeout(open_list, 2000);
  }
}

function go(index) {
  current = Math.min(total - 1, Math.max(0, index));
  const { from } = place();
  const top = Math.floor(current / layout.columns) * layout.row;
  const bar = document.querySelector(".top")?.offsetHeight ?? 0;
  if (top < from + bar + 8) scroll_to(Math.max(-layout.top, top - bar - 12));
  else if (top + layout.row > from + innerHeight) scroll_to(top + layout.row - innerHeight);
  draw();
  shown.get(current)?.firstElementChild.focus({ preventScroll: true });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || document.querySelector("dialog[open]")) return;
  const at = document.activeElement;
  if (event.key === "/" && !at.matches("input, select, textarea")) {
    event.preventDefault();
    document.getElementById("film").focus();
    return;
  }
  if (!grid.contains(at) && at !== document.body && at.id !== "main") return;
  const inside = grid.contains(at);
  if (inside) current = at.closest("li").index;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -layout.columns, ArrowDown: layout.columns }[event.key];
  if (step) {
    event.preventDefault();
    if (inside) {
      if (current + step >= 0 && (current + step < total || step === 1)) go(current + step);
      else if (step > 1 && Math.floor(current / layout.columns) < Math.floor((total - 1) / layout.columns)) go(total - 1);
    } else {
      const { from } = place();
      const seen = Math.max(0, Math.ceil(from / layout.row) * layout.columns);
      go(shown.has(current) && Math.abs(current - seen) < 40 ? current : seen);
    }
  } else if (event.key === "Home" || event.key === "End") {
    event.preventDefault();
    go(event.key === "Home" ? 0 : total - 1);
  }
});
grid.addEventListener("focusin", (event) => {
  const li = event.target.closest("li");
  if (li) current = li.index;
});
grid.addEventListener("click", (event) => {
  if (event.target.closest("a")?.getAttribute("href") === "#main") event.preventDefault();
});
addEventListener("scroll", draw_soon, { passive: true });
new ResizeObserver(() => {
  if (grid.clientWidth === layout.width) return;
  const before = Math.floor(Math.max(0, place().from) / layout.row) * layout.columns;
  const scrolled = scrollY > layout.top;
  for (const [index, li] of shown) remove(index, li);
  measure();
  if (scrolled) scroll_to(Math.floor(before / layout.columns) * layout.row);
  draw();
}).observe(grid);
addEventListener("resize", draw_soon);
document.querySelector(".finder details")?.addEventListener("toggle", () => { measure(); draw_soon(); });
addEventListener("pagehide", () => history.replaceState({ gallery: { y: scrollY, current } }, ""));

measure();
draw();
open_list();
