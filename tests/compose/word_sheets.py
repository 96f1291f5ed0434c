"""Sheets of sounded lyrics written by hand, so that tests of setting words need no speech engine."""

from songwright.lyrics.sheet import LyricLine, LyricSection, LyricSheet, SheetSyllable, Word

VERSE = (
    "the-0 night-1. is-0 cold-1. and-0 I-0 am-0 far-1. from-0 home-1.",
    "the-0 street+lights-12. hum-1. a-0 song-1. I-0 used-1. to-0 know-1",
    "I-0 keep-1. your-0 let+ter-10 fold+ed-10. in-0. my-0 coat-1.",
    "and-0. ev+ery-10 word-1. is-0. warm+er-10 than-0. the-0 snow-1",
)
OTHER = (
    "the-0 morn+ing-10. comes-1. with-0. sil+ver-10 on-0. the-0 sea-1",
    "a-0 hun+dred-10. win+dows-10. o+pen-10. in-0. the-0 town-1.",
    "I-0 hear-1 a-0 voice-1. that-0. might-1. be-0 call+ing-10. me-0",
    "and-0. all-1. the-0 heav+y-10 years-1. are-0 com+ing-10. down-1.",
)
CHORUS = (
    "hold-1. me-0 now,-1 don't-1. let-1. me-0 go-1",
    "hold-1. me-0 now,-1 the-0 wind-1. is-0. low-1",
    "all-1. the-0 roads-1. lead-1. back-1. to-0 you-0",
    "hold-1. me-0 now,-1 and-0. make-1. it-0. true-1",
)


def word(text: str, stresses: str, *, closed: bool = False, tones: str = "", language: str = "en") -> Word:
    """Returns a word: syllables joined by +, a digit of stress each, closed or open at its end."""
    parts = text.split("+")
    made = []
    for i, part in enumerate(parts):
        shut = closed and i == len(parts) - 1
        phonemes = ("m", "a", "n") if shut else ("m", "a")
        made.append(SheetSyllable(part, phonemes, 1, int(stresses[i]), int(tones[i]) if tones else 0))
    return Word("".join(parts), language, tuple(made))


def line(text: str, *, delivery: str = "sung", backing: str = "") -> LyricLine:
    """Returns a line from words such as ``let+ter-10.``: syllables, stresses, a dot where the last one is closed."""
    return LyricLine(_words(text), _words(backing), delivery)  # type: ignore[arg-type]


def _words(text: str) -> tuple[Word, ...]:
    found = []
    for item in text.split():
        letters, _, stresses = item.rpartition("-")
        found.append(word(letters, stresses.rstrip("."), closed=stresses.endswith(".")))
    return tuple(found)


def mandarin(text: str, tones: str) -> LyricLine:
    """Returns a line of one-character words with tones."""
    made = [word(c, "1", tones=t, language="zh") for c, t in zip(text, tones, strict=True)]
    return LyricLine(tuple(made))


def sheet(*sections: tuple[str, tuple[str, ...]], language: str = "en") -> LyricSheet:
    """Returns a sheet of (role, lines) sections."""
    made = [LyricSection(role, tuple(line(t) for t in lines)) for role, lines in sections]  # type: ignore[arg-type]
    return LyricSheet(tuple(made), language)


SONG = sheet(("verse", VERSE), ("chorus", CHORUS), ("verse", OTHER), ("chorus", CHORUS))
