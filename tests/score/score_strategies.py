"""Songs for property tests: small, valid, with everything a file must carry."""

from hypothesis import strategies as st

from songwright.score.song import (
    ChordSpan,
    Control,
    KeyChange,
    MeterChange,
    Note,
    PitchBend,
    Section,
    Song,
    Syllable,
    TempoChange,
    Track,
)
from songwright.score.theory import QUALITIES, Chord

METERS = [(4, 4), (3, 4), (6, 8), (12, 8), (5, 8), (2, 2)]
KEYS = ["C major", "F# minor", "Gb major", "Cb major", "D dorian", "Eb minor", "A harmonic minor"]


@st.composite
def chords(draw):
    root = draw(st.integers(0, 11))
    bass = draw(st.none() | st.integers(0, 11))
    return Chord(root, draw(st.sampled_from(sorted(QUALITIES))), None if bass == root else bass)


@st.composite
def songs(draw, *, step=60, offsets=False, words=False):
    """A song of 2 to 5 bars; note places are multiples of `step`."""
    numerator, denominator = draw(st.sampled_from(METERS))
    meters = [MeterChange(0, numerator, denominator)]
    end = meters[0].bar_ticks * draw(st.integers(1, 3))
    if draw(st.booleans()):
        other = draw(st.sampled_from([m for m in METERS if m != (numerator, denominator)]))
        meters.append(MeterChange(end, *other))
    middle, end = end, end + meters[-1].bar_ticks * draw(st.integers(1, 2))
    tempos = [TempoChange(0, draw(st.sampled_from([60.0, 92.5, 117.3, 180.0]))), TempoChange(middle, 75.0)]
    keys = [KeyChange(0, draw(st.sampled_from(KEYS)))]
    places = st.integers(0, end // step - 1)
    shifts = st.integers(-30, 30) if offsets else st.just(0)
    syllables = (Syllable(4, "hel", "hello"), Syllable(5, "lo", "hello"), Syllable(7, "мир", "мир")) if words else ()
    tracks = []
    for index, (role, name) in enumerate([("melody", "flute"), ("chords", "electric_piano"), ("drums", "jazz_kit")]):
        notes = {}
        for place in draw(st.lists(places, max_size=12)):
            length = draw(st.integers(1, 20))
            pitch = draw(st.integers(36, 50)) if role == "drums" else draw(st.integers(50, 80))
            start, duration = place * step, min(length * step, end - place * step)
            shift = max(-start, draw(shifts))
            notes[start, pitch] = Note(start, duration, pitch, draw(st.integers(1, 127)), shift)
        ordered = sorted(notes.values())
        if words and role == "melody":
            for i, (note, s) in enumerate(zip(ordered[:3], syllables, strict=False)):
                ordered[i] = Note(note.start_ticks, note.duration_ticks, note.pitch, note.velocity, 0, s.id)
        controls = [Control(t * step, draw(st.sampled_from([1, 7, 11, 64])), t % 128)
                    for t in sorted(draw(st.lists(places, max_size=4)))]  # fmt: skip
        bends = [PitchBend(t * step, draw(st.integers(-8192, 8191))) for t in sorted(draw(st.sets(places, max_size=3)))]
        if ordered:
            tracks.append(
                Track(f"t{index}", role, name, f"Трек {index}", tuple(ordered), tuple(controls), tuple(bends))
            )
    if not tracks:
        tracks = [Track("t0", "bass", "acoustic_bass", "Bass", (Note(0, step, 40, 90),))]
    sections = (
        Section("Verse 1", "verse", 0, middle, 0.4),
        Section("副歌 & <1>", "chorus", middle, end - middle, 0.9),
    )
    symbols = [draw(chords()).symbol(flats=draw(st.booleans())) for _ in range(2)]
    spans = (
        ChordSpan(0, middle, symbols[0]),
        ChordSpan(middle, end - middle, draw(st.sampled_from([symbols[1], "N.C."]))),
    )
    return Song(
        title="Песня 歌 & co",
        style="pop",
        seed=3,
        duration_ticks=end,
        tempos=tuple(tempos),
        meters=tuple(meters),
        keys=tuple(keys),
        sections=sections,
        chords=spans,
        tracks=tuple(tracks),
        syllables=syllables,
    )
