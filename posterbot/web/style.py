"""The look of the pages, in one place: light or dark as the reader's system is, from 390 pixels up."""

STYLE = """
:root { color-scheme: light dark; --page: #f6f5f2; --card: #fff; --ink: #1c1b19; --quiet: #6b675f; --line: #dedad2;
  --mat: #e9e6df; --accent: #b3412e; --soft: #f3dcd6; }
@media (prefers-color-scheme: dark) { :root { --page: #151515; --card: #1f1f1e; --ink: #eeece7; --quiet: #9d988e;
  --line: #34332f; --mat: #0d0d0d; --accent: #ee8a74; --soft: #40251f; } }
* { box-sizing: border-box; margin: 0; }
body { background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, -apple-system, "Segoe UI", sans-serif;
  max-width: 1680px; margin: 0 auto; padding: 28px clamp(12px, 2.5vw, 36px); }
h1 { font-size: 26px; font-weight: 650; letter-spacing: -.015em; line-height: 1.2; }
h2 { font-size: 13px; font-weight: 600; margin-bottom: 8px; }
a { color: inherit; text-decoration: none; }
a:hover { text-decoration: underline; }
a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.quiet { color: var(--quiet); font-size: 13px; }
.funnel { display: flex; flex-wrap: wrap; gap: 10px 34px; padding: 18px 0; }
.funnel dt { color: var(--quiet); font-size: 12px; }
.funnel dd { font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums; line-height: 1.25; }
.funnel small { font-size: 13px; font-weight: 400; color: var(--quiet); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); gap: 22px 48px;
  border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); padding: 18px 0; margin-bottom: 26px; }
.facts:empty { display: none; }
.facts p + p { margin-top: 6px; }
.label { background: var(--soft); color: var(--accent); border-radius: 4px; padding: 1px 7px; font-weight: 600;
  overflow-wrap: anywhere; }
.bars { list-style: none; padding: 0; font-size: 13px; }
.bars li { display: grid; grid-template-columns: 11.5em 1fr 5em; align-items: center; gap: 10px; }
.bars i { height: 8px; } .bars u { display: block; height: 100%; min-width: 2px; background: var(--accent);
  border-radius: 2px; opacity: .8; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(clamp(108px, 28vw, 168px), 1fr));
  gap: 20px clamp(10px, 1.4vw, 18px); }
figure { min-width: 0; }
.picture { display: block; width: 100%; aspect-ratio: 2 / 3; object-fit: contain; background: var(--mat);
  border-radius: 5px; box-shadow: 0 0 0 1px var(--line); }
.missing { display: grid; place-content: center; padding: 12px; text-align: center; color: var(--quiet);
  font-size: 12px; }
figcaption { padding-top: 8px; font-size: 12px; line-height: 1.4; color: var(--quiet); }
figcaption strong { color: var(--ink); font-size: 13px; font-weight: 600; line-height: 1.3; margin-bottom: 2px;
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden;
  overflow-wrap: anywhere; }
.host { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.host a { text-decoration: underline; text-decoration-color: var(--line); text-underline-offset: 2px; }
.host a:hover { text-decoration-color: currentcolor; }
.row { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 8px;
  font-variant-numeric: tabular-nums; }
.row > * { overflow-wrap: anywhere; }
.score { color: var(--accent); font-weight: 600; }
footer { padding: 28px 0 8px; }
"""
