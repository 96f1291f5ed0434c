"""How well words, notes and chords of a sung track fit each other, from the score alone."""

from dataclasses import dataclass
from itertools import pairwise

from songwright.score.song import TICKS_PER_QUARTER, Song
from songwright.score.theory import parse_chord

_EIGHTH = TICKS_PER_QUARTER // 2
_LINE_REST_TICKS = TICKS_PER_QUARTER // 4


@dataclass(frozen=True, slots=True)
class MusicalFit:
    """Shares from 0 to 1; None where there was nothing to count.

    Attributes:
        stressed_on_beats: stressed syllables that begin on a beat.
        stressed_on_or_over_beats: those, and the ones that begin at most an eighth before and are held over it.
        consonant_on_beats: notes on beats that are tones of the chord under them.
        lines_end_in_rests: lines after which the voice rests for a sixteenth or more before the next.
        rests_inside_words: words with a rest between their syllables.
    """

    stressed_on_beats: float | None
    stressed_on_or_over_beats: float | None
    consonant_on_beats: float | None
    lines_end_in_rests: float | None
    rests_inside_words: float | None


def musical_fit(song: Song, track_id: str) -> MusicalFit:
    """Returns how a sung track fits.

    Raises:
        InputError: no such track.
    """
    texts = {s.id: s for s in song.syllables}
    spans: list[tuple[int, int, int, int]] = []  # syllable, start, end, first pitch
    for note in song.track(track_id).notes:
        if note.syllable not in texts or note.syllable is None:
            continue
        if spans and spans[-1][0] == note.syllable:
            spans[-1] = (spans[-1][0], spans[-1][1], note.end_ticks, spans[-1][3])
        else:
            spans.append((note.syllable, note.start_ticks, note.end_ticks, note.pitch))
    placed = [_on_beat(song, start, end) for key, start, end, _ in spans if texts[key].stress == 1]
    consonant = [
        found
        for _, start, end, pitch in spans
        if _on_beat(song, start, end)[0] and (found := _is_chord_tone(song, start, pitch)) is not None
    ]
    ends, inside = [], []
    for a, b in pairwise(spans):
        rests = b[1] - a[2] >= _LINE_REST_TICKS
        if texts[a[0]].line != texts[b[0]].line:
            ends.append(rests)
        elif texts[a[0]].word and texts[a[0]].word == texts[b[0]].word != texts[a[0]].text:
            inside.append(rests)
    return MusicalFit(
        _share([on for on, _ in placed]),
        _share([held for _, held in placed]),
        _share(consonant),
        _share(ends),
        _share(inside),
    )


def _on_beat(song: Song, start: int, end: int) -> tuple[bool, bool]:
    """Returns whether a span begins on a beat of its bar, and whether it does or is held over one soon after."""
    meter = max((m for m in song.meters if m.tick <= max(start, 0)), key=lambda m: m.tick)
    compound = meter.denominator == 8 and meter.numerator % 3 == 0
    beat = TICKS_PER_QUARTER * 4 // meter.denominator * (3 if compound else 1)
    place = (start - meter.tick) % meter.bar_ticks
    ahead = -place % beat
    return ahead == 0, ahead == 0 or (ahead <= _EIGHTH and end - start > ahead)


def _is_chord_tone(song: Song, tick: int, pitch: int) -> bool | None:
    span = next((c for c in song.chords if c.start_ticks <= tick < c.end_ticks), None)
    chord = parse_chord(span.symbol) if span is not None else None
    return None if chord is None else pitch % 12 in chord.pitch_classes


def _share(rows: list[bool]) -> float | None:
    return sum(rows) / len(rows) if rows else None
