"""Songs for property tests of the event language: anything that `song.check` lets through, tidy or not."""

from itertools import pairwise

from hypothesis import strategies as st

from songwright.score.song import (
    SECTION_ROLES,
    ChordSpan,
    KeyChange,
    MeterChange,
    Note,
    Section,
    Song,
    Syllable,
    TempoChange,
    Track,
)

INSTRUMENT_OF = {"drums": "jazz_kit", "percussion": "standard_kit", "vocal": "voice", "bass": "acid_bass"}
SYMBOLS = ["C", "F#m7b5/A", "N.C.", "Bb7sus4", "no chord at all", "Db/F", "C/E", "Gmaj7", "C"]
KEYS = ["C major", "F# minor", "Gb major", "D dorian", "H dur", "A harmonic minor"]


def rising(draw, values, low, high, most):
    """Draws a map from rising ticks, the first at 0, to values."""
    ticks = [0, *sorted(draw(st.sets(st.integers(max(1, low), high), max_size=most)))]
    return [(tick, draw(values)) for tick in ticks]


@st.composite
def wild_songs(draw):
    """A song of a few bars with ticks anywhere, odd metres, gaps, repeats, and words on some notes."""
    end = draw(st.integers(0, 30_000))
    ticks = st.integers(0, max(1, end + draw(st.sampled_from([0, 0, 3_000]))))
    denominators = st.sampled_from([1, 2, 4, 4, 4, 8, 8, 16, 32, 64])
    meters = rising(draw, st.tuples(st.integers(1, 20), denominators), 1, 30_000, 3)
    syllables = tuple(
        Syllable(3 * i + 1, "la", stress=draw(st.integers(0, 2)), line=draw(st.integers(0, 3)))
        for i in range(draw(st.integers(0, 6)))
    )
    ids = st.sampled_from([None, *(s.id for s in syllables)])
    tracks = []
    for index in range(draw(st.integers(0, 4))):
        role = draw(st.sampled_from(["melody", "vocal", "drums", "percussion", "bass", "pad", "pad"]))
        notes = sorted(
            Note(draw(ticks), draw(st.integers(1, 20_000)), draw(st.integers(0, 127)), draw(st.integers(1, 127)),
                 draw(st.integers(-9, 9)), draw(ids) if role in ("vocal", "melody") else None)
            for _ in range(draw(st.integers(0, 8)))
        )  # fmt: skip
        if draw(st.booleans()):
            notes = [n for n in notes for _ in range(2)]
        tracks.append(Track(f"t{index}", role, INSTRUMENT_OF.get(role, "flute"), notes=tuple(notes)))
    cuts = sorted(draw(st.sets(ticks, max_size=6)))
    spans = list(pairwise(cuts))
    keep = [draw(st.booleans()) for _ in spans]
    sections = tuple(
        Section(f"s{a}", draw(st.sampled_from(SECTION_ROLES)), a, b - a, draw(st.floats(0, 1)))
        for (a, b), kept in zip(spans, keep, strict=True)
        if kept
    )
    chords = tuple(ChordSpan(a, b - a, draw(st.sampled_from(SYMBOLS))) for a, b in spans)
    return Song(
        style=draw(st.sampled_from(["", "pop", "unheard of"])),
        duration_ticks=end,
        tempos=tuple(TempoChange(t, bpm) for t, bpm in rising(draw, st.floats(4, 2000), 1, 40_000, 4)),
        meters=tuple(MeterChange(t, n, d) for t, (n, d) in meters),
        keys=tuple(KeyChange(t, key) for t, key in rising(draw, st.sampled_from(KEYS), 1, 40_000, 3)),
        sections=sections,
        chords=chords,
        tracks=tuple(tracks),
        syllables=syllables,
    )
