"""Chords for a tune that is given, in the manner of a style: by the network where there is one, else by learned tables.

Both hear the tune as the content that the chords must carry; the style says which chords there are and how often they
change. Sections that are lifted into another key are harmonised at home and lifted then.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from songwright.compose.bare_tune import reaching
from songwright.compose.harmony.approaches import approached
from songwright.compose.harmony.functions import vocabulary_of
from songwright.compose.harmony.harmonise import harmonise_melody
from songwright.compose.harmony.write import joined
from songwright.compose.learned.grammar import PartRules
from songwright.compose.learned.rewrite import Task, rewrite
from songwright.compose.learned.scribe import Written
from songwright.compose.plan import SongPlan
from songwright.compose.plan_of_song import plan_of
from songwright.compose.style import Style
from songwright.compose.tokens.augment import frame_shift
from songwright.compose.tokens.bars import key_number
from songwright.compose.tokens.grid import chord_number
from songwright.compose.tokens.vocabulary import GRID, HARMONY, VALUES
from songwright.neural.step_model import StepModel
from songwright.progress import Progress, silent
from songwright.score.song import ChordSpan, KeyChange, Note, Song
from songwright.score.theory import NO_CHORD, Key, parse_chord

MELODY_WEIGHT = 2.0
"""How much a felt beat of a given tune weighs beside one chord of the model: more than where both are still open.

Of 16 tunes with known chords (POP909, OpenEWLD) the root is right for 46 % of the time at 2, 41 % at 0.8; the tune
sounds a chord tone for 78 % and 75 % of the time (81 % over the chords of the corpora).
"""

CARRIED = 2.0
"""Nats for each event that a whole tune on chord tones is worth beside the network's own likelihood."""

_WORSE, _FEWEST = 0.1, 0.4
"""How much less of the tune written chords may carry than plain ones, and how many there must be, as a share."""


def chords_for(notes: Sequence[Note], plan: SongPlan, style: Style) -> tuple[ChordSpan, ...]:
    """Returns the likeliest chords of a style under a tune, from tick 0 to the end of the plan.

    Args:
        notes: of everything that sings or plays the tune.
        plan: key, metre and sections.
        style: vocabulary and harmonic rhythm.
    """
    heard = [_moved(note, -plan.section_at(note.start_ticks).key_shift) for note in notes]
    spans = harmonise_melody(heard, plan, style, melody_weight=MELODY_WEIGHT)
    return lifted(approached(spans, heard, plan, style), plan)


def learned_chords(
    song: Song, style: Style, model: StepModel, *, seed: int, candidates: int, progress: Progress = silent
) -> tuple[ChordSpan, ...]:
    """Returns chords that the network writes for what a song plays, section by section, each of the style's vocabulary.

    Of the candidates for some bars the one is kept that is likely and carries the tune. A section whose chords carry it
    much worse than those of the learned tables, or hardly change beside them, gets the latter.

    Args:
        song: the tune alone, with key and sections.
        style: the style book, which the network is told too.
        model: the network.
        seed: decides what is drawn.
        candidates: written side by side.
        progress: told about the sections.
    """
    plan = plan_of(song)
    home = replace(
        song,
        style=style.name,
        keys=(KeyChange(0, str(plan.key)),),
        chords=(ChordSpan(0, song.duration_ticks, NO_CHORD),),
        tracks=tuple(
            replace(t, notes=tuple(_moved(n, -plan.section_at(n.start_ticks).key_shift) for n in t.notes))
            for t in song.tracks
        ),
    )
    notes = [note for track in home.tracks if not track.is_drums for note in track.notes]
    for i, section in enumerate(plan.sections):
        progress("harmonise", i / len(plan.sections))
        start, end = plan.start_ticks(section), plan.end_ticks(section)

        def score(made: Song, written: Written, low: int = start, high: int = end) -> float:
            return CARRIED * carried(made.chords, notes, low, high)

        bars = (section.first_bar, section.first_bar + section.num_bars)
        task = Task((HARMONY,), *bars, rules={HARMONY: _rules(plan, style)}, candidates=candidates)
        home = rewrite(home, task, model, seed=seed, score=score)
    plain = approached(harmonise_melody(notes, plan, style, melody_weight=MELODY_WEIGHT), notes, plan, style)
    return lifted(_better(reaching(home.chords, song.duration_ticks), plain, notes, plan), plan)


def _better(
    written: Sequence[ChordSpan], plain: Sequence[ChordSpan], notes: Sequence[Note], plan: SongPlan
) -> tuple[ChordSpan, ...]:
    """Returns written chords, and plain ones in sections that those carry much better or where few are written."""
    found: list[ChordSpan] = []
    for section in plan.sections:
        start, end = plan.start_ticks(section), plan.end_ticks(section)
        options = [_between(chords, start, end) for chords in (written, plain)]
        enough = _FEWEST * len(options[1]) <= len(options[0])
        carries = [carried(option, notes, start, end) for option in options]
        found += options[0] if enough and carries[0] >= carries[1] - _WORSE else options[1]
    return joined(found)


def _between(spans: Sequence[ChordSpan], start: int, end: int) -> list[ChordSpan]:
    """Returns chords cut at two ticks."""
    found = []
    for span in spans:
        low, high = max(start, span.start_ticks), min(end, span.end_ticks)
        if low < high:
            found.append(ChordSpan(low, high - low, span.symbol))
    return found


def carried(chords: Sequence[ChordSpan], notes: Sequence[Note], start: int, end: int) -> float:
    """Returns for how much of the time between two ticks a tune sounds tones of the chords under it, 0 to 1."""
    good = total = 0
    for span in chords:
        low, high = max(start, span.start_ticks), min(end, span.end_ticks)
        chord = parse_chord(span.symbol) if low < high else None
        tones = chord.pitch_classes if chord is not None else ()
        for note in notes if low < high else ():
            held = max(0, min(note.end_ticks, high) - max(note.start_ticks, low))
            total += held
            good += held * (note.pitch % 12 in tones)
    return good / max(1, total)


def _rules(plan: SongPlan, style: Style) -> PartRules:
    """Returns which chords may be written and where they may begin, in the frame of keys that the network reads."""
    up = plan.key.tonic + frame_shift(key_number(plan.key))
    mask = np.zeros(VALUES["chord"].size, dtype=bool)
    for chord in vocabulary_of(style, plan.key).chords:
        mask[chord_number(chord.transposed(up))] = True
    quarters = plan.bar_ticks * GRID // 3840
    shortest = min(float(beats) for beats in style.harmony.chord_beats)
    named = f"{plan.numerator}/{plan.denominator}" in style.meters
    grid = round(shortest * GRID) if named and quarters % max(1, round(shortest * GRID)) == 0 else GRID
    return PartRules(chords=mask, grid=(grid,), slash=False)


def lifted(spans: Sequence[ChordSpan], plan: SongPlan) -> tuple[ChordSpan, ...]:
    """Returns chords written in the song's key with those of lifted sections in their own."""
    found: list[ChordSpan] = []
    for section in plan.sections:
        key = Key((plan.key.tonic + section.key_shift) % 12, plan.key.mode)
        for span in _between(spans, plan.start_ticks(section), plan.end_ticks(section)):
            found.append(replace(span, symbol=_lifted(span.symbol, section.key_shift, key)))
    return joined(found)


def _moved(note: Note, semitones: int) -> Note:
    return replace(note, pitch=min(127, max(0, note.pitch + semitones))) if semitones else note


def _lifted(symbol: str, semitones: int, key: Key) -> str:
    chord = parse_chord(symbol) if semitones else None
    return symbol if chord is None else chord.transposed(semitones).symbol(flats=key.flats)
