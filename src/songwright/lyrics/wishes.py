"""What a request wants of the words: theme weights, bright or dark, words of the subject that may be named."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from songwright.lyrics.bank import Bank, load_bank
from songwright.lyrics.metre import WordShape, fits, free_stresses, shapes, words_of
from songwright.lyrics.request import LyricRequest
from songwright.seeding import generator

_SUBJECT, _IMAGE, _PROMPT, _MOOD, _STYLE = 4.0, 2.0, 1.5, 1.0, 0.6
_SPREAD = 0.2
_RANKS = (1.0, 0.8, 0.65, 0.5)
"""What the first, second, third and fourth theme of a frame count."""
_NAMED_RANKS = (1.0, 0.55, 0.3, 0.2)
"""The same for what the subject names: a song about summer is not one about love in which it is summer."""
_UNDER_NO_SUBJECT = 0.7
_CORE = {
    "love",
    "longing",
    "heartbreak",
    "friendship",
    "family",
    "home",
    "war_peace",
    "faith",
    "humour",
    "dance",
    "strength",
}
_CORE_GAIN = 1.4
"""What a song is about weighs more than where and when it plays."""
_FREE_THEMES = ("love", "city", "home", "road", "nature", "strength", "sea", "longing", "stars", "friendship")
"""One of these is drawn when nothing is said."""
_SADDENING = ("heartbreak", "loneliness", "longing", "war_peace")
_BRIGHTENING = ("party", "dance", "humour", "friendship", "summer", "spring", "morning")


@dataclass(frozen=True, slots=True)
class Wishes:
    """A request as the writer weighs it.

    Attributes:
        themes: weight of each theme, the heaviest 1.
        tone: ``bright``, ``dark`` or ``neutral``.
        subject_words: words of the subject that may be quoted, with their shapes.
        is_named: whether a theme is known for the subject.
        named: themes that the subject itself names, with how telling each is: the rarer in the bank, the nearer to 1.
        subject_slot: which places of the bank the subject's words may stand in; a Russian word stays as declined.
        title: wanted title and its shape, word by word; empty without one.
    """

    themes: Mapping[str, float]
    tone: str
    subject_words: tuple[tuple[str, WordShape], ...] = ()
    is_named: bool = True
    named: Mapping[str, float] = field(default_factory=dict)
    subject_slot: str = "subject"
    title: str = ""
    title_shapes: tuple[WordShape, ...] = ()

    def weight(self, themes: tuple[str, ...]) -> float:
        """Returns how well a list of themes answers the request: 0 not at all."""
        total = sum(self.themes.get(theme, 0.0) * rank for theme, rank in zip(themes, _RANKS, strict=False))
        return float(total / max(1.0, len(themes)) ** 0.5)

    def subject_for(self, slot: str, template: str) -> Iterator[str]:
        """Yields the words of the subject that may stand in a place and have its metre."""
        if slot == self.subject_slot:
            for word, shape in self.subject_words:
                joined = slot == "subject_loc" and word[0] in "аоуиэ"  # "о осени" is "об осени"
                if not joined and fits(free_stresses([shape]), template):
                    yield word

    def names(self, themes: tuple[str, ...]) -> float:
        """Returns how much a list of themes is about what the subject names, 1 at most; what comes first tells most."""
        told = (self.named.get(theme, 0.0) * rank for theme, rank in zip(themes, _NAMED_RANKS, strict=False))
        return max(told, default=0.0)


def weigh(request: LyricRequest, bank: Bank) -> Wishes:
    """Returns what a request wants, by the words in it and the tables of the bank."""
    weights: dict[str, float] = {}

    def add(themes: tuple[str, ...], weight: float) -> None:
        for theme in themes:
            weights[theme] = weights.get(theme, 0.0) + weight * (_CORE_GAIN if theme in _CORE else 1.0)

    add(themes_in(f"{request.subject} {request.title}", bank), _SUBJECT)
    add(themes_in(request.prompt, bank), _PROMPT)
    for image in request.images:
        add(themes_in(image, load_bank("en")), _IMAGE)
    for mood in request.moods:
        add(bank.mood_themes.get(mood, ()), _MOOD)
    add(bank.style_themes.get(request.style, ("love", "night")), _STYLE)
    if not themes_in(f"{request.subject} {request.title} {request.prompt}", bank) and not request.images:
        draw = generator(request.seed, "lyrics", "theme").random()
        add((_FREE_THEMES[int(draw * len(_FREE_THEMES))],), _PROMPT)
    said = dict(weights)
    for theme, weight in said.items():
        add(bank.related.get(theme, ()), weight * _SPREAD)
    top = max(weights.values())
    subject = _subject_words(request, bank)
    title_words = words_of(request.title)
    known = shapes([*subject, *title_words], request.language) if subject or title_words else []
    return Wishes(
        {theme: weight / top for theme, weight in sorted(weights.items())},
        _tone(request, bank, said),
        tuple(zip(subject, known[: len(subject)], strict=True)),
        bool(themes_in(request.subject, bank)),
        _telling(request, bank),
        _slot_of(request),
        request.title.strip(),
        tuple(known[len(subject) :]),
    )


def _telling(request: LyricRequest, bank: Bank) -> dict[str, float]:
    """Returns the themes of the subject, each with how telling it is beside the others: nights are many, rain is rain.

    Where the prompt has no subject of its own ("a love song", "a Christmas song"), its themes count, a little less.
    """
    said = themes_in(request.subject, bank)
    share = 1.0 if said else _UNDER_NO_SUBJECT
    themes = said or (() if request.subject.strip() else themes_in(request.prompt, bank))
    counts = {theme: max(1, sum(theme in frame.themes for frame in bank.frames)) for theme in themes}
    fewest = min(counts.values(), default=1)
    return {theme: share * fewest / count for theme, count in counts.items()}


def themes_in(text: str, bank: Bank) -> tuple[str, ...]:
    """Returns the themes that the words of a text point to, each once for each word that does."""
    lowered = text.lower()
    if bank.language == "zh":
        return tuple(theme for theme, keys in bank.keywords.items() for key in keys if key.strip("*") in lowered)
    words = set(words_of(re.sub(r"[_-]", " ", lowered)))
    return tuple(
        theme
        for theme, keys in bank.keywords.items()
        for key in keys
        if (any(word.startswith(key[:-1]) for word in words) if key.endswith("*") else key in words)
    )


def _tone(request: LyricRequest, bank: Bank, said: Mapping[str, float]) -> str:
    tones = [bank.moods.get(mood, "neutral") for mood in request.moods]
    score = 2.0 * (tones.count("bright") - tones.count("dark"))
    score += 0.5 * sum(said.get(theme, 0.0) for theme in _BRIGHTENING)
    score -= 0.7 * sum(said.get(theme, 0.0) for theme in _SADDENING)
    return "bright" if score > 0.8 else "dark" if score < -0.8 else "neutral"


def _slot_of(request: LyricRequest) -> str:
    """Returns the place that the subject fits: in Russian told by the preposition before it, none if there is none."""
    if request.language != "ru":
        return "subject"
    said = re.search(rf"\b(про|об?)\s+{re.escape(request.subject.strip().lower())}(?!\w)", request.prompt.lower())
    return {"про": "subject_acc"}.get(said[1], "subject_loc") if said and request.subject.strip() else ""


def _subject_words(request: LyricRequest, bank: Bank) -> tuple[str, ...]:
    """Returns the words of the subject that can be named: not the small ones, not those that end like verbs."""
    if request.language == "zh":
        plain = re.sub(r"[^\u3400-\u9fff]", "", request.subject)
        return (plain,) if 1 <= len(plain) <= 4 else ()
    words = dict.fromkeys(words_of(request.subject))
    if request.language == "ru" and len(words) != 1:
        return ()  # one word of several would lose its agreement
    endings = ("ing", "ed", "ly") if request.language == "en" else ()
    return tuple(
        w for w in words if len(w) > 2 and w.isalpha() and w not in bank.stop_words and not w.endswith(endings or "\0")
    )
