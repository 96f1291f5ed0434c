"""Chords of music in plain parts: what sounds on each beat, named; and how well given chords fit the notes."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from songwright.collection.chord_names import spans
from songwright.score.song import TICKS_PER_QUARTER, ChordSpan, MeterChange, Song, Track
from songwright.score.theory import QUALITIES, Chord, parse_chord, signature_of

_PLAIN = ("", "m", "7", "dim", "m7", "maj7", "m7b5", "dim7", "aug")
_LATE = 0.4
"""Weight of a tone that comes in after the beat."""
_HEARD = 0.25
_COST = {"": 0.0, "m": 0.0, "7": 0.1, "dim": 0.25, "m7": 0.3, "maj7": 0.4, "m7b5": 0.3, "dim7": 0.35, "aug": 0.6}


def chords_of_parts(song: Song) -> tuple[ChordSpan, ...]:
    """Returns a chord for each beat on which three tones or more of the parts make one, else the one before goes on.

    Each tone counts by how long it sounds in the beat; the chord whose tones sound longest and which leaves least out
    wins, simpler ones first. The lowest note at the beginning of the beat is the bass.
    """
    notes = sorted((n for t in song.tracks if not t.is_drums for n in t.notes), key=lambda n: n.start_ticks)
    flats = signature_of(song.keys[0].key) < 0
    rows = []
    first = 0
    longest = max((n.duration_ticks for n in notes), default=0)
    for start, end in _beats(song):
        while first < len(notes) and notes[first].start_ticks + longest <= start:
            first += 1
        weights = [0.0] * 12
        low: tuple[int, int] | None = None
        for note in notes[first:]:
            if note.start_ticks >= end:
                break
            share = min(end, note.end_ticks) - max(start, note.start_ticks)
            if share > 0:
                begins = note.start_ticks <= start
                weights[note.pitch % 12] += share / (end - start) * (1.0 if begins else _LATE)
                if begins:
                    low = min(low or (128, 0), (note.pitch, note.pitch % 12))
        chord = _named(weights, None if low is None else low[1])
        if chord is not None:
            rows.append((start, chord.symbol(flats=flats)))
    return spans(rows, song.duration_ticks)


def chord_fit(tracks: Sequence[Track], chords: Sequence[ChordSpan]) -> float:
    """Returns the share of sounding time (up to a quarter a note) whose notes begin on a tone of the chord in force."""
    starts = [c.start_ticks for c in chords]
    classes = [frozenset(chord.pitch_classes) if (chord := parse_chord(c.symbol)) else None for c in chords]
    inside = total = 0
    for note in (n for t in tracks if not t.is_drums for n in t.notes):
        place = bisect_right(starts, note.start_ticks) - 1
        tones = classes[place] if place >= 0 else None
        if tones:
            weight = min(note.duration_ticks, TICKS_PER_QUARTER)
            total += weight
            inside += weight * (note.pitch % 12 in tones)
    return inside / total if total else 0.0


def _beats(song: Song) -> list[tuple[int, int]]:
    meters = song.meters
    starts = [*song.bar_starts(), song.duration_ticks]
    found: list[tuple[int, int]] = []
    for a, b in pairwise(starts):
        meter = meters[bisect_right([m.tick for m in meters], a) - 1]
        step = _beat(meter)
        found.extend((t, min(b, t + step)) for t in range(a, b, step))
    return found


def _beat(meter: MeterChange) -> int:
    """Returns the length of a beat: a dotted quarter in compound metres, else a quarter, or a half over 2."""
    unit = TICKS_PER_QUARTER * 4 // meter.denominator
    if meter.denominator >= 8 and meter.numerator % 3 == 0:
        return 3 * unit
    return max(unit, TICKS_PER_QUARTER) if meter.denominator > 2 else unit


def _named(weights: list[float], low: int | None) -> Chord | None:
    total = sum(weights)
    if sum(w > _HEARD for w in weights) < 3 or low is None:
        return None
    best: tuple[float, Chord] | None = None
    for root in range(12):
        for quality in _PLAIN:
            tones = [(root + t) % 12 for t in QUALITIES[quality]]
            if weights[root] < _HEARD or weights[tones[1]] < _HEARD:
                continue
            inside = sum(weights[t] for t in tones)
            missing = sum(weights[t] < _HEARD for t in tones)
            value = inside / total - 0.12 * missing - 0.12 * _COST[quality] + 0.05 * (root == low)
            if best is None or value > best[0] + 1e-9:
                bass = None if low == root or low not in tones else low
                best = (value, Chord(root, quality, bass))
    return best[1] if best is not None and best[0] > 0.6 else None
