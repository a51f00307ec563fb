"""The frame of every page, and the style sheet."""

from __future__ import annotations

NAVIGATION = (
    ("/", "Home"),
    ("/films/index.html", "Films"),
    ("/blog/index.html", "Journal"),
    ("/gallery.html", "Gallery"),
    ("/shop/index.html", "Shop"),
    ("/statistics.html", "Figures"),
    ("/about.html", "About"),
)

STYLE = """\
:root { --ink: #2b2622; --paper: #faf7f1; --red: #be3c1e; --line: #e2dace; }
* { box-sizing: border-box; }
body { margin: 0; font: 17px/1.55 Georgia, serif; color: var(--ink); background: var(--paper) url(/icons/weave.png); }
header, main, footer { max-width: 1060px; margin: 0 auto; padding: 0 24px; }
header { display: flex; align-items: center; gap: 28px; border-bottom: 2px solid var(--red); }
header { padding-top: 18px; padding-bottom: 14px; }
header img { height: 54px; }
nav a { margin-right: 16px; font: 15px/1 system-ui, sans-serif; }
a { color: var(--red); text-decoration: none; }
a:hover { text-decoration: underline; }
h1 { font-size: 40px; line-height: 1.15; margin: 34px 0 10px; }
.lead { font-size: 20px; color: #6a6058; max-width: 42em; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: 24px; }
.grid { padding: 0; list-style: none; }
.grid img { width: 100%; height: auto; border-radius: 3px; box-shadow: 0 2px 9px #0003; }
.film { display: grid; grid-template-columns: 400px 1fr; gap: 36px; align-items: start; }
.poster { width: 400px; max-width: 100%; height: auto; box-shadow: 0 4px 18px #0004; border-radius: 3px; }
.tall { aspect-ratio: 2 / 3; background-size: cover; }
.stills img { width: 48%; height: auto; margin: 1% 0; }
dt { font: 13px system-ui, sans-serif; text-transform: uppercase; letter-spacing: .08em; color: #8a7f74; }
dd { margin: 0 0 10px; }
figure { margin: 0 0 24px; } figcaption, footer { font-size: 14px; color: #8a7f74; }
figure img { max-width: 100%; }
.ad { margin: 30px 0; } .ad img { max-width: 100%; }
.logos img { height: 60px; margin: 14px 26px 14px 0; }
footer { margin-top: 50px; padding-top: 18px; padding-bottom: 40px; border-top: 1px solid var(--line); }
"""


def page(title: str, body: str, head: str = "") -> str:
    """A whole HTML page of the site."""
    links = "".join(f'<a href="{url}">{name}</a>' for url, name in NAVIGATION)
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – The Lantern</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="/icons/lantern.png">
{head}
</head>
<body>
<header><a href="/"><img src="/icons/the-lantern.svg" alt="The Lantern"></a><nav>{links}</nav></header>
<main>
{body}
</main>
<footer>The Lantern, a small cinema archive. Every film, face and poster here is invented.
<img src="/icons/pixel.gif" alt="" width="1" height="1"></footer>
</body>
</html>
"""
