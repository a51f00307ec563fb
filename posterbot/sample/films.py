"""The archive's films: invented, every one of them, with the people who did not make them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Film:
    """One film of the archive; ``slug`` names its page and its pictures, ``width`` is its poster's in pixels."""

    slug: str
    title: str
    year: int
    director: str
    genre: str
    cast: tuple[str, ...]
    tagline: str
    minutes: int = 104
    width: int = 400

    @property
    def credits(self) -> tuple[tuple[str, str], ...]:
        """The billing block as (role, name) pairs."""
        family = self.director.split()[-1]
        return (
            ("Lantern Pictures presents", ""),
            ("a film by", self.director),
            *(("", name) for name in self.cast),
            ("", f"“{self.title}”"),
            ("casting by", f"{self.cast[0].split()[1]} Holm"),
            ("music by", "Ansel Quarrie"),
            ("costumes", "Petra Lindqvist"),
            ("edited by", f"Jo {family}"),
            ("director of photography", "Ruben Acker"),
            ("production design", "Mila Torrens"),
            ("produced by", f"{self.cast[-1].split()[0]} Vane and Olu Brandt"),
            ("written and directed by", self.director),
        )


FILMS = (
    Film("neon-harbour", "Neon Harbour", 2021, "Ines Okafor", "Thriller",
         ("Rowan Hale", "Mei Tanaka", "Luc Ferro"), "The city never sleeps. It hunts.", 118, 600),
    Film("the-long-noon", "The Long Noon", 1998, "Tomas Wirth", "Drama",
         ("Abel Kern", "Sora Diaz"), "He walked in. The sun never set.", 131),
    Film("the-salt-wind", "The Salt Wind", 2007, "Brigid Fane", "Adventure",
         ("Colm Rourke", "Edda Strand", "Piet Maas"), "No harbour. No mercy. No way back.", 126, 600),
    Film("perihelion", "Perihelion", 2019, "Yara Lindholm", "Science fiction",
         ("Noor Castell", "Ivo Brand", "June Adeyemi"), "Closer than anyone has come home from.", 142, 1000),
    Film("the-quiet-witness", "The Quiet Witness", 1956, "Harald Stone", "Film noir",
         ("Victor Maine", "Lola Verne"), "She saw it all. He knew it.", 92),
    Film("above-the-last-camp", "Above the Last Camp", 2014, "Greta Salvi", "Adventure",
         ("Jonas Eck", "Tenzin Rai"), "Some summits keep what climbs them.", 109),
    Film("the-hollow-wood", "The Hollow Wood", 2016, "Una Brady", "Horror",
         ("Elsie Marsh", "Tobias Crane"), "It knows your name.", 97, 600),
    Film("three-circles", "Three Circles", 1971, "Marek Sobol", "Drama",
         ("Hanna Weil", "Piotr Zan"), "A film in one conversation", 88),
    Film("letters-to-marguerite", "Letters to Marguerite", 2003, "Claire Aubin", "Romance",
         ("Anna Bell", "Sami Noor"), "He wrote every day. She answered once.", 115),
    Film("house-of-ash", "House of Ash", 1983, "Dario Vance", "Horror",
         ("Kit Moreau", "Sheila Thorne", "Ray Pell"), "The fire went out. Something stayed.", 94),
    Film("six-keys", "Six Keys", 2011, "Leo Marchetti", "Crime",
         ("Dan Orsi", "Zoe Park", "Max Ilic", "Ada Stern"), "One vault. Six liars.", 112, 600),
    Film("the-fox-and-the-lighthouse", "The Fox & the Lighthouse", 2018, "Aiko Brandt", "Animation",
         ("Milo Reed", "Pia Storm"), "A little light goes a long way", 81, 600),
    Film("le-dernier-carrousel", "Le Dernier Carrousel", 1934, "Paul Ardent", "Musical",
         ("Gaby Morlaine", "Jean Trevoux"), "un film chantant et dansant", 86),
    Film("the-glass-river", "The Glass River", 2020, "Lin Oyelaran", "Documentary",
         ("Lin Oyelaran", "Teo Quist"), "Four thousand miles to the sea", 78),
    Film("gallows-creek", "Gallows Creek", 1967, "Hank Dormer", "Western",
         ("Clay Bridger", "Rosa Vidal", "Lee Hatch"), "Every town has its price.", 121, 600),
    Film("station-nine", "Station Nine", 1979, "Boris Hallam", "Science fiction",
         ("Erik Sand", "Dana Cole"), "The signal came from inside.", 107),
    Film("the-zurich-file", "The Zurich File", 1965, "Guy Selwyn", "Spy film",
         ("Adrian Locke", "Monica Stahl"), "Trust is a weapon.", 111),
    Film("footlights", "Footlights", 2009, "Rosa Dunne", "Musical",
         ("Mara Lyle", "Theo James", "Bea Fontaine"), "One night. One stage. One chance.", 123),
    Film("the-last-bell", "The Last Bell", 2005, "Sean Duarte", "Sports",
         ("Manny Rios", "Frank Doyle"), "You only lose when you stay down.", 128, 600),
    Film("mother-of-pearl", "Mother of Pearl", 2022, "Sofia Renn", "Drama",
         ("Ellen Voss", "Irene Kato"), "What the tide gave back", 103, 600),
    Film("iron-winter", "Iron Winter", 1994, "Kaarlo Heik", "War",
         ("Aaro Lund", "Matti Vain", "Pyotr Ilin"), "A hundred days below zero", 137),
    Film("the-understudy", "The Understudy", 2013, "Nadia Frost", "Thriller",
         ("Kate Arden", "Miles Corbin"), "She learned every line. Then she learned hers.", 101, 600),
    Film("summer-on-pier-nine", "Summer on Pier Nine", 2001, "Bobby Lennox", "Comedy",
         ("Tess Malloy", "Ricky Bloom", "Gus Pike"), "Three weeks. Two ice creams. One very bad idea.", 95),
    Film("the-crimson-masque", "The Crimson Masque", 1961, "Edgar Rolfe", "Horror",
         ("Vincent Karr", "Barbara Hull"), "Do not look behind the curtain!", 84),
    Film("kingdom-of-embers", "Kingdom of Embers", 2017, "Maud Hallgrim", "Fantasy",
         ("Freya Holt", "Osric Dane", "Ian Wolfe"), "The crown burns those who wear it.", 149, 600),
)  # fmt: skip

BY_SLUG = {film.slug: film for film in FILMS}
