"""Every way a page offers an image, by table: markup as common software writes it → candidates."""

from __future__ import annotations

import pytest
from page_markup import expect, read

from posterbot.page import Candidate, FoundBy

PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="

CASES: dict[str, tuple[str, list[Candidate]]] = {
    # img
    "img": (
        '<img src="a.jpg" alt=" A  film " title="T">',
        [expect("/list/a.jpg", FoundBy.IMG, alt="A film", title="T")],
    ),
    "img, root relative": ("<img src=/m/a.jpg>", [expect("/m/a.jpg", FoundBy.IMG)]),
    "img, other scheme relative host": (
        "<img src=//cdn.example/a.jpg>",
        [expect("https://cdn.example/a.jpg", FoundBy.IMG)],
    ),
    "img, spaces around and within": (
        '<img src="\n /m/the poster.jpg ">',
        [expect("/m/the%20poster.jpg", FoundBy.IMG)],
    ),
    "img, letters beyond ASCII": (
        "<img src='/m/плакат.jpg'>",
        [expect("/m/%D0%BF%D0%BB%D0%B0%D0%BA%D0%B0%D1%82.jpg", FoundBy.IMG)],
    ),
    "img, backslashes of old sites": (r"<img src='\m\a.jpg'>", [expect("/m/a.jpg", FoundBy.IMG)]),
    "img, fragment": ("<img src=/a.jpg#x>", [expect("/a.jpg", FoundBy.IMG)]),
    "img, no extension": ("<img src=/image?id=7>", [expect("/image?id=7", FoundBy.IMG)]),
    "img, width and height": (
        "<img src=/a.jpg width=200 height='300px'>",
        [expect("/a.jpg", FoundBy.IMG, declared_width=200, declared_height=300)],
    ),
    "img, percentages and nonsense": ("<img src=/a.jpg width='100%' height=auto>", [expect("/a.jpg", FoundBy.IMG)]),
    "img, size in style": (
        "<img src=/a.jpg style='max-width: 90px; Width: 200px;height:300.5px'>",
        [expect("/a.jpg", FoundBy.IMG, declared_width=200, declared_height=300)],
    ),
    "img without src": ("<img alt=x><img src=''><img src='#'>", []),
    "img, other schemes": ("<img src=blob:https://a.example/1><img src=file:///a.jpg><img src=javascript:x>", []),
    "img, template not filled in": ("<img src='{{ film.poster }}'><template><img src='${p}.jpg'></template>", []),
    "img, password in the address": ("<img src=https://me:secret@a.example/a.jpg>", []),
    "img inline": (f"<img src='{PIXEL}'>", []),
    "img, upper case": ("<IMG SRC=/a.jpg ALT=A>", [expect("/a.jpg", FoundBy.IMG, alt="A")]),
    "amp-img": (
        "<amp-img src=/a.jpg width=2 height=3></amp-img>",
        [expect("/a.jpg", FoundBy.IMG, declared_width=2, declared_height=3)],
    ),
    # srcset
    "srcset, WordPress": (
        """<img width="200" height="300" src="/u/p-200x300.jpg" class="attachment-medium wp-image-7" alt="P"
        srcset="/u/p-200x300.jpg 200w, /u/p-683x1024.jpg 683w, /u/p.jpg 1000w" sizes="(max-width: 200px) 100vw">""",
        [
            expect(
                "/u/p.jpg",
                FoundBy.SRCSET,
                "/u/p-683x1024.jpg",
                "/u/p-200x300.jpg",
                alt="P",
                declared_width=1000,
                declared_height=1500,
            )
        ],
    ),
    "srcset, not absurdly large": (
        "<img srcset='/a/9.jpg 9000w, /a/2.jpg 2000w, /a/3.jpg 3000w, /a/1.jpg 300w'>",
        [expect("/a/2.jpg", FoundBy.SRCSET, "/a/3.jpg", "/a/9.jpg", "/a/1.jpg", declared_width=2000)],
    ),
    "srcset, absurdly large or useless": (
        "<img srcset='/a/9.jpg 9000w, /a/3.jpg 3000w, /a/1.jpg 100w'>",
        [expect("/a/3.jpg", FoundBy.SRCSET, "/a/9.jpg", "/a/1.jpg", declared_width=3000)],
    ),
    "srcset, densities": (
        "<img src=/a/1.jpg srcset='/a/1.jpg, /a/2.jpg 1.5x, /a/3.jpg 2x'>",
        [expect("/a/3.jpg", FoundBy.SRCSET, "/a/2.jpg", "/a/1.jpg")],
    ),
    "srcset, Wikipedia": (
        """<figure typeof="mw:File/Thumb"><a href="/wiki/File:Film.jpg" class="mw-file-description"><img
        src="//up.example/w/en/thumb/a/ab/Film.jpg/220px-Film.jpg" decoding="async" width="220" height="330"
        srcset="//up.example/w/en/thumb/a/ab/Film.jpg/330px-Film.jpg 1.5x, //up.example/w/en/a/ab/Film.jpg 2x"></a>
        <figcaption>Theatrical release <i>poster</i></figcaption></figure>""",
        [
            expect(
                "https://up.example/w/en/a/ab/Film.jpg",
                FoundBy.SRCSET,
                "https://up.example/w/en/thumb/a/ab/Film.jpg/330px-Film.jpg",
                "https://up.example/w/en/thumb/a/ab/Film.jpg/220px-Film.jpg",
                caption="Theatrical release poster",
                declared_width=220,
                declared_height=330,
            )
        ],
    ),
    "srcset, Next.js": (
        """<img alt="P" loading="lazy" width="640" height="960" decoding="async" data-nimg="1" style="color:transparent"
        srcset="/_next/image?url=%2Fp.jpg&amp;w=640&amp;q=75 1x, /_next/image?url=%2Fp.jpg&amp;w=1920&amp;q=75 2x"
        src="/_next/image?url=%2Fp.jpg&amp;w=1920&amp;q=75">""",
        [
            expect(
                "/_next/image?url=%2Fp.jpg&w=1920&q=75",
                FoundBy.SRCSET,
                "/_next/image?url=%2Fp.jpg&w=640&q=75",
                alt="P",
                declared_width=640,
                declared_height=960,
            )
        ],
    ),
    # picture
    "picture": (
        """<picture><source type="image/avif" srcset="/p.avif"><source type="image/webp" srcset="/p.webp">
        <img src="/p.jpg" alt="P"></picture>""",
        [expect("/p.avif", FoundBy.PICTURE, "/p.webp", "/p.jpg", alt="P")],
    ),
    "picture, types nobody reads": (
        """<picture><source type="image/svg+xml" srcset="/p.svg"><source type="image/heic" srcset="/p.heic">
        <source type="image/jxl" srcset="/p.jxl"><img src="/p.jpg"></picture>""",
        [expect("/p.jpg", FoundBy.IMG)],
    ),
    "picture, media": (
        """<picture><source media="(min-width: 900px)" srcset="/wide.jpg 1600w"><source srcset="/tall.jpg 800w">
        <img src="/tall-400.jpg"></picture><img src="/b.jpg">""",
        [
            expect("/wide.jpg", FoundBy.PICTURE, "/tall.jpg", "/tall-400.jpg", declared_width=1600),
            expect("/b.jpg", FoundBy.IMG),
        ],
    ),
    "picture whose img is yet to come": (
        "<picture><source data-srcset='/p.webp 800w'></picture>",
        [expect("/p.webp", FoundBy.PICTURE)],
    ),
    "picture, two of them": (
        "<picture><source srcset=/a.webp><img src=/a.jpg></picture>"
        "<picture><source srcset=/b.webp><img src=/b.jpg></picture>",
        [expect("/a.webp", FoundBy.PICTURE, "/a.jpg"), expect("/b.webp", FoundBy.PICTURE, "/b.jpg")],
    ),
    "source of a video is no image": ("<video><source src=/v.mp4 srcset=/v.jpg></video>", []),
    # lazy
    **{
        f"lazy, {name}": (f"<img src='{PIXEL}' {name}='/p.jpg' alt=P>", [expect("/p.jpg", FoundBy.LAZY, alt="P")])
        for name in (
            *("data-src", "data-original", "data-lazy", "data-lazy-src", "data-echo", "data-url", "data-image"),
            *("data-hi-res-src", "data-full", "data-srcset", "data-lazy-srcset", "data-orig-file"),
        )
    },
    **{
        f"lazy, placeholder {name}": (f"<img src='/i/{name}' data-src=/p.jpg>", [expect("/p.jpg", FoundBy.LAZY)])
        for name in ("spacer.gif", "blank.png", "placeholder-2x3.png", "loading.gif", "lazy_grey.png", "1x1.gif")
    },
    "lazy, WP Rocket": (
        f"""<img width="200" height="300" src="{PIXEL}" data-lazy-srcset="/p-200.jpg 200w, /p-800.jpg 800w"
        data-lazy-src="/p-200.jpg"><noscript><img width="200" height="300" src="/p-200.jpg"
        srcset="/p-200.jpg 200w, /p-800.jpg 800w" alt="P"></noscript>""",
        [expect("/p-800.jpg", FoundBy.LAZY, "/p-200.jpg", alt="P", declared_width=800, declared_height=1200)],
    ),
    "lazy, small version until then": (
        "<img src=/tiny/p.jpg data-src=/big/p.jpg width=200>",
        [expect("/big/p.jpg", FoundBy.LAZY, "/tiny/p.jpg", declared_width=200)],
    ),
    "lazy, one placeholder for many": (
        "<img src=/grau.png data-src=/a.jpg><img src=/grau.png data-src=/b.jpg>",
        [expect("/a.jpg", FoundBy.LAZY), expect("/b.jpg", FoundBy.LAZY)],
    ),
    "lazy, Shopify with room for a width": (
        """<img class="lazyload" data-src="//cdn.example/p_{width}x.jpg?v=1" data-widths="[180, 540, 1080, 4000]">""",
        [expect("https://cdn.example/p_1080x.jpg?v=1", FoundBy.LAZY)],
    ),
    "lazy, Jetpack": (
        """<img data-orig-file="/u/p.jpg" data-orig-size="1000,1500" data-medium-file="/u/p-200x300.jpg"
        data-large-file="/u/p-683x1024.jpg" src="/u/p-200x300.jpg" width="200" height="300">""",
        [expect("/u/p.jpg", FoundBy.LAZY, "/u/p-683x1024.jpg", "/u/p-200x300.jpg")],
    ),
    "data-url that is a page": ("<img src=/p.jpg data-url=/share/7>", [expect("/p.jpg", FoundBy.IMG)]),
    "lazy background": (
        "<div data-bg=/a.jpg></div><div data-background-image='url(/b.jpg)'></div>",
        [expect("/a.jpg", FoundBy.LAZY), expect("/b.jpg", FoundBy.LAZY)],
    ),
    "lazy on a div, an image or not": (
        "<div data-src=/a.webp></div><div data-src=/widget></div>",
        [expect("/a.webp", FoundBy.LAZY)],
    ),
    "lazy, lazysizes bgset": (
        "<div data-bgset='/a-400.jpg 400w, /a-900.jpg 900w'></div>",
        [expect("/a-900.jpg", FoundBy.LAZY, "/a-400.jpg")],
    ),
    # noscript
    "noscript alone": ("<noscript><img src=/p.jpg alt=P></noscript>", [expect("/p.jpg", FoundBy.NOSCRIPT, alt="P")]),
    "noscript as text": (
        "<noscript>&lt;img src='/p.jpg' alt='P'&gt;</noscript>",
        [expect("/p.jpg", FoundBy.NOSCRIPT, alt="P")],
    ),
    "noscript, old Next.js": (
        f"""<span><img src='{PIXEL}' data-nimg=intrinsic>
        <noscript><img srcset='/a.jpg 1x, /b.jpg 2x' src=/b.jpg></noscript></span>""",
        [expect("/b.jpg", FoundBy.NOSCRIPT, "/a.jpg")],
    ),
    "noscript before the lazy image": (
        "<p><noscript><img src=/full/p.jpg alt=P></noscript><img data-src=/lazy/p.jpg></p>",
        [expect("/lazy/p.jpg", FoundBy.LAZY, "/full/p.jpg", alt="P")],
    ),
    "noscript behind a lazy picture": (
        """<picture><source data-srcset="/p.webp 800w"><img data-src="/p.jpg"></picture>
        <noscript><img src="/other.jpg"></noscript>""",
        [expect("/p.webp", FoundBy.PICTURE, "/p.jpg", "/other.jpg", declared_width=800)],
    ),
    "noscript of a counter is no fallback": (
        "<img data-src=/p.jpg><noscript><img src=https://count.example/p width=1 height=1></noscript>",
        [
            expect("/p.jpg", FoundBy.LAZY),
            expect("https://count.example/p", FoundBy.NOSCRIPT, declared_width=1, declared_height=1),
        ],
    ),
    # CSS
    "style attribute": (
        "<div title=T aria-label=A style=\"background-image: url('/p.jpg')\"></div>",
        [expect("/p.jpg", FoundBy.CSS, alt="A", title="T")],
    ),
    "style element": (
        "<style>@font-face{src:url(/f.woff)} .a:hover{color:red;background:#fff url( /p.jpg ) no-repeat}</style>",
        [expect("/p.jpg", FoundBy.CSS)],
    ),
    "image-set": (
        "<div style='background-image:image-set(\"/1.jpg\" 1x, url(/2.jpg) 2x)'></div>",
        [expect("/2.jpg", FoundBy.CSS, "/1.jpg")],
    ),
    "several backgrounds": (
        "<b style='background:url(/a.png),url(/b.png)'></b>",
        [expect("/a.png", FoundBy.CSS), expect("/b.png", FoundBy.CSS)],
    ),
    "background attribute": ("<table background=/a.gif><tr><td>x</table>", [expect("/a.gif", FoundBy.CSS)]),
    # other elements
    "link image_src": ("<link rel='image_src' href=/p.jpg>", [expect("/p.jpg", FoundBy.LINK)]),
    "link preload": (
        "<link rel=preload as=image href=/1.jpg imagesrcset='/1.jpg 400w, /2.jpg 800w'>"
        "<link rel=preload as=font href=/f>",
        [expect("/2.jpg", FoundBy.LINK, "/1.jpg", declared_width=800)],
    ),
    "icons are left out": (
        "<link rel='shortcut icon' href=/a.png><link rel=apple-touch-icon href=/b.png><link rel=mask-icon href=/c.svg>",
        [],
    ),
    "video poster": (
        "<video poster=/p.jpg width=640 height=360></video>",
        [expect("/p.jpg", FoundBy.VIDEO_POSTER, declared_width=640, declared_height=360)],
    ),
    "input": (
        "<input type=image src=/p.jpg alt=Go><input type=text src=/q.jpg>",
        [expect("/p.jpg", FoundBy.INPUT, alt="Go")],
    ),
    "svg image": (
        "<svg><image xlink:href=/a.jpg width=20 height=30 /><image href=/b.jpg /></svg>",
        [expect("/a.jpg", FoundBy.SVG, declared_width=20, declared_height=30), expect("/b.jpg", FoundBy.SVG)],
    ),
    "object and embed": (
        "<object data=/a type=image/jpeg></object><embed src=/b.png>"
        "<object data=/c.swf></object><object data=/d type=image/svg+xml></object>",
        [expect("/a", FoundBy.OBJECT), expect("/b.png", FoundBy.OBJECT)],
    ),
    "link to an image file": (
        "<a href='/Full.JPG?x=1' title=T>see</a><a href=/b.webp>the  poster</a>",
        [expect("/Full.JPG?x=1", FoundBy.ANCHOR, title="T"), expect("/b.webp", FoundBy.ANCHOR, title="the poster")],
    ),
    "link to a page about an image": ("<a href=/wiki/Datei:Plakat.jpg>x</a><a href=/wiki/File%3AB.png>x</a>", []),
    # captions
    "caption of the figure, before and after": (
        "<figure><figcaption>One</figcaption><img src=/a.jpg></figure>"
        "<figure><img src=/b.jpg><figcaption>Two</figcaption></figure>",
        [expect("/a.jpg", FoundBy.IMG, caption="One"), expect("/b.jpg", FoundBy.IMG, caption="Two")],
    ),
    "caption of the outer figure": (
        "<figure><figure><img src=/a.jpg></figure><figcaption>All</figcaption></figure>",
        [expect("/a.jpg", FoundBy.IMG, caption="All")],
    ),
    "caption from the heading before": (
        "<h1>Films</h1><img src=/a.jpg><h2>Of <b>19</b>99</h2><p><img src=/b.jpg>",
        [expect("/a.jpg", FoundBy.IMG, caption="Films"), expect("/b.jpg", FoundBy.IMG, caption="Of 1999")],
    ),
    "caption from the heading around": (
        "<h2><img src=/a.jpg> Title</h2>",
        [expect("/a.jpg", FoundBy.IMG, caption="Title")],
    ),
    "the heading of one card is not that of the next": (
        "<h1>All</h1><article><h2>One</h2><img src=/a.jpg></article><article><img src=/b.jpg><h2>Two</h2></article>",
        [expect("/a.jpg", FoundBy.IMG, caption="One"), expect("/b.jpg", FoundBy.IMG, caption="All")],
    ),
    "caption is cut": (
        f"<h1>{'ab ' * 500}</h1><img src=/a.jpg>",
        [expect("/a.jpg", FoundBy.IMG, caption=("ab " * 67)[:200].strip())],
    ),
}


@pytest.mark.parametrize(("html", "candidates"), CASES.values(), ids=CASES.keys())
def test_markup_offers(html: str, candidates: list[Candidate]) -> None:
    assert list(read(html).candidates) == candidates


def test_inline_images_are_counted() -> None:
    html = f"""<img src="{PIXEL}"><img srcset="{PIXEL} 1x, /a.jpg 2x"><b style="background:url({PIXEL})"></b>
    <img src=" DATA:image/png;base64,AA" data-src="/b.jpg"><a href="data:text/html,x">x</a>"""
    content = read(html)
    assert content.data_uris == 4
    assert [candidate.url[-6:] for candidate in content.candidates] == ["/a.jpg", "/b.jpg"]
