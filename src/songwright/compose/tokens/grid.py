"""A song on the grid of the event language: `GridSong` as arrays, `quantise`, `to_song`, and their sum `on_grid`.

Numbers are indices of `vocabulary` (a role is its place in `ROLES`), not yet integers of the streams.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from songwright.compose.tokens.bars import GridBars, dense_keys, dense_tempos, grid_bars, key_of, meter_changes
from songwright.compose.tokens.vocabulary import (
    ENERGY_LEVELS,
    INSTRUMENT_NAMES,
    MAX_SLOTS,
    MAX_SYLLABLES,
    QUALITY_NAMES,
    ROLES,
    SECTIONS,
    STYLES,
    TEMPOS_BPM,
    TICKS_PER_STEP,
    Word,
)
from songwright.errors import InputError
from songwright.score.instruments import INSTRUMENTS, from_program
from songwright.score.song import (
    ChordSpan,
    KeyChange,
    Note,
    Section,
    Song,
    Syllable,
    TempoChange,
    Track,
)
from songwright.score.theory import NO_CHORD, Chord, Key, parse_chord

Ints = NDArray[np.int64]
START, PITCH, STEPS, LEVEL, WORD, LINE = range(6)
"""Columns of `GridPlayer.notes`."""

DRUM_STEPS = 6
"""Length that every drum note is given: drums ring as they like."""


@dataclass(frozen=True)
class GridPlayer:
    """One part.

    Attributes:
        role: place in `ROLES`.
        slot: how many players of this role stand before it.
        instrument: place in `INSTRUMENT_NAMES`.
        notes: (notes, 6) start in steps from the beginning of the song, pitch, length in steps, velocity level, `Word`,
            and syllables of the line that begins here (0: none does); in order of start, pitch, length.
    """

    role: int
    slot: int
    instrument: int
    notes: Ints


@dataclass(frozen=True)
class GridSong:
    """A song as tokens can hold it.

    Attributes:
        style: place in `STYLES`.
        bar_steps: (bars,) length of each bar.
        meters, tempos, keys: (bars,) what is in force in each bar, as places in the vocabulary.
        sections: (sections, 3) bar, place in `SECTIONS`, energy level.
        chords: (chords, 3) start in steps, chord number, and bass pitch class + 1 (0: no slash).
        players: in the song's order.
    """

    style: int
    bar_steps: Ints
    meters: Ints
    tempos: Ints
    keys: Ints
    sections: Ints
    chords: Ints
    players: tuple[GridPlayer, ...]

    @property
    def bar_starts(self) -> Ints:
        """(bars + 1,) bar lines in steps, the end included."""
        return np.concatenate([[0], np.cumsum(self.bar_steps)])


def on_grid(song: Song) -> Song:
    """Returns what tokens can hold of a song; doing it again changes nothing.

    Kept: starts and lengths to the 24th of a quarter (counted from the bar line), velocity in 32 levels, roles,
    instruments, bars and metres, keys by the bar, the mean tempo of each bar in steps of 4 %, sections with energy in 8
    levels, chords with their bass, on which notes syllables, stress and lines begin.

    Lost: title, seed, swing, provenance; names, labels and ids (made anew from roles); mix, singers, controls, bends,
    offsets; the length of drum notes; texts, phones and delivery of syllables; tempo within a bar, and below 20 or over
    311 bpm; a chord that repeats the one before; notes of equal start, pitch and length but one; the 65th player of a
    role; bars of over two whole notes (they are divided). Gaps between sections or chords close. See `losses`.
    """
    return to_song(quantise(song))


def quantise(song: Song) -> GridSong:
    """Returns the song on the grid, see `on_grid`."""
    bars = grid_bars(song)
    players = []
    counts: dict[str, int] = {}
    stress = {s.id: Word.STRESSED if s.stress else Word.UNSTRESSED for s in song.syllables}
    lines = {s.id: s.line for s in song.syllables}
    for track in song.tracks:
        slot = counts.get(track.role, 0)
        counts[track.role] = slot + 1
        if slot < MAX_SLOTS:
            notes = _notes(track, bars, stress, lines)
            players.append(GridPlayer(ROLES.index(track.role), slot, _instrument(track.instrument), notes))
    return GridSong(
        style=STYLES.index(song.style) if song.style in STYLES else 0,
        bar_steps=bars.steps,
        meters=bars.meters,
        tempos=dense_tempos(song, bars),
        keys=dense_keys(song, bars),
        sections=_sections(song.sections, bars),
        chords=_chords(song.chords, bars),
        players=tuple(players),
    )


def _instrument(name: str) -> int:
    """Returns the place of an instrument; one that the vocabulary does not have becomes its General MIDI program."""
    if name in INSTRUMENT_NAMES:
        return INSTRUMENT_NAMES.index(name)
    known = INSTRUMENTS.get(name, INSTRUMENTS["acoustic_grand_piano"])
    return INSTRUMENT_NAMES.index(from_program(known.program, drums=known.family == "kit"))


def _sections(sections: Sequence[Section], bars: GridBars) -> Ints:
    found: dict[int, tuple[int, int, int]] = {}
    for section in sections:
        if section.start_ticks >= bars.ticks[-1]:
            break
        bar = bars.nearest(section.start_ticks)
        energy = round(min(1.0, max(0.0, section.energy)) * (ENERGY_LEVELS - 1))
        found[bar] = (bar, SECTIONS.index(section.role), energy)
    return np.array([found[bar] for bar in sorted(found)], dtype=np.int64).reshape(-1, 3)


def chord_number(chord: Chord | None) -> int:
    """Returns the number of a chord without its bass, 0 for none."""
    return 0 if chord is None else 1 + chord.root * len(QUALITY_NAMES) + QUALITY_NAMES.index(chord.quality)


def chord_of(number: int, bass: int) -> Chord | None:
    """Returns the chord of a number and a bass (pitch class + 1, 0 for the root); the inverse of `chord_number`."""
    if not number:
        return None
    root, quality = divmod(number - 1, len(QUALITY_NAMES))
    under = None if bass in (0, root + 1) else bass - 1
    return Chord(root, QUALITY_NAMES[quality], under)


def known_chord(symbol: str) -> Chord | None:
    """Returns the chord of a symbol; None for no chord and for what is not understood."""
    try:
        chord = parse_chord(symbol)
    except InputError:
        return None
    return chord if chord is None or chord.quality in QUALITY_NAMES else None


def _chords(spans: Sequence[ChordSpan], bars: GridBars) -> Ints:
    found: dict[int, tuple[int, int, int]] = {}
    total = int(bars.steps.sum())
    starts = bars.step_of(np.array([span.start_ticks for span in spans], dtype=np.int64)).tolist()
    for span, start in zip(spans, starts, strict=True):
        if start < total:
            chord = known_chord(span.symbol)
            bass = 0 if chord is None or chord.bass is None else chord.bass + 1
            found[start] = (start, chord_number(chord), bass)
    rows: list[tuple[int, int, int]] = []
    for start in sorted(found):
        if not rows or rows[-1][1:] != found[start][1:]:
            rows.append(found[start])
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def _notes(track: Track, bars: GridBars, stress: dict[int, Word], lines: dict[int, int]) -> Ints:
    """Returns (notes, 6) of a track, without repeats."""
    if not track.notes:
        return np.zeros((0, 6), dtype=np.int64)
    raw = np.array([(n.start_ticks, n.end_ticks, n.pitch, n.velocity) for n in track.notes], dtype=np.int64)
    starts = np.minimum(bars.step_of(raw[:, 0]), int(bars.steps.sum()) - 1)
    steps = np.maximum(1, bars.step_of(raw[:, 1]) - starts)
    if track.is_drums:
        steps[:] = DRUM_STEPS
    levels = raw[:, 3] >> 2
    # Of notes that become the same, the one that was first and loudest stands.
    order = np.lexsort((-levels, raw[:, 0], steps, raw[:, 2], starts))
    rows = np.zeros((len(raw), 6), dtype=np.int64)
    rows[:, START], rows[:, PITCH], rows[:, STEPS], rows[:, LEVEL] = starts, raw[:, 2], steps, levels
    rows = rows[order]
    keep = np.ones(len(rows), dtype=bool)
    keep[1:] = (rows[1:, :LEVEL] != rows[:-1, :LEVEL]).any(axis=1)
    rows = rows[keep]
    sung = [track.notes[i].syllable for i in order[keep]]
    if any(syllable is not None for syllable in sung):
        _put_words(rows, sung, stress, lines)
    return rows


def _put_words(rows: Ints, sung: Sequence[int | None], stress: dict[int, Word], lines: dict[int, int]) -> None:
    """Writes the columns of words and lines."""
    before: int | None = None
    line: int | None = None
    line_row = 0
    for row, syllable in enumerate(sung):
        if syllable is not None and syllable == before:
            rows[row, WORD] = Word.HELD
        elif syllable is not None:
            rows[row, WORD] = stress.get(syllable, Word.UNSTRESSED)
            if line is None or lines.get(syllable, 0) != line:
                line, line_row = lines.get(syllable, 0), row
            rows[line_row, LINE] = min(MAX_SYLLABLES, rows[line_row, LINE] + 1)
        before = syllable


def to_song(grid: GridSong) -> Song:
    """Returns the song of a grid: ids and labels are made from roles, chords spelled by the key."""
    lines = grid.bar_starts * TICKS_PER_STEP
    bar_ticks = lines.tolist()
    keys = [key_of(number) for number in grid.keys.tolist()]
    syllables, sung = _syllables(grid.players)
    return Song(
        style=STYLES[grid.style],
        duration_ticks=bar_ticks[-1],
        tempos=tuple(TempoChange(bar_ticks[i], TEMPOS_BPM[int(grid.tempos[i])]) for i in _changes(grid.tempos)),
        meters=meter_changes(grid.bar_steps, grid.meters),
        keys=tuple(KeyChange(bar_ticks[i], str(keys[i])) for i in _changes(grid.keys)),
        sections=_section_spans(grid.sections, bar_ticks),
        chords=_chord_spans(grid.chords, lines, keys),
        tracks=tuple(_track(player, ids) for player, ids in zip(grid.players, sung, strict=True)),
        syllables=syllables,
    )


def _changes(dense: Ints) -> list[int]:
    """Returns the places where a value begins to be in force."""
    return [0, *(np.flatnonzero(np.diff(dense)) + 1).tolist()]


def _section_spans(sections: Ints, bar_ticks: Sequence[int]) -> tuple[Section, ...]:
    found = []
    seen: dict[int, int] = {}
    ends = [*sections[1:, 0].tolist(), len(bar_ticks) - 1]
    for (bar, role, energy), end in zip(sections.tolist(), ends, strict=False):
        seen[role] = seen.get(role, 0) + 1
        label = SECTIONS[role].capitalize() + (f" {seen[role]}" if seen[role] > 1 else "")
        start = bar_ticks[bar]
        level = round(energy / (ENERGY_LEVELS - 1), 3)
        found.append(Section(label, SECTIONS[role], start, bar_ticks[end] - start, level))
    return tuple(found)


def _chord_spans(chords: Ints, lines: Ints, keys: Sequence[Key]) -> tuple[ChordSpan, ...]:
    starts = [*(chords[:, 0] * TICKS_PER_STEP).tolist(), int(lines[-1])]
    bars = (np.searchsorted(lines, starts[:-1], side="right") - 1).tolist()
    spans = []
    for i, (_, number, bass) in enumerate(chords.tolist()):
        chord = chord_of(number, bass)
        symbol = NO_CHORD if chord is None else chord.symbol(flats=keys[bars[i]].flats)
        spans.append(ChordSpan(starts[i], starts[i + 1] - starts[i], symbol))
    return tuple(spans)


def _syllables(players: Sequence[GridPlayer]) -> tuple[tuple[Syllable, ...], list[list[int | None] | None]]:
    """Returns the syllables in the order of singing, and for each player the id on each of its notes."""
    found: list[tuple[int, int, int, int]] = []
    places: list[list[int | None] | None] = []
    num_lines = 0
    for index, player in enumerate(players):
        if not player.notes[:, WORD].any():
            places.append(None)
            continue
        own: list[int | None] = []
        line = -1
        for start, _, _, _, word, begins in player.notes.tolist():
            if word and (begins or line < 0):
                line, num_lines = num_lines, num_lines + 1
            if word == Word.HELD and own and own[-1] is not None:
                own.append(own[-1])
            elif word:
                own.append(len(found))
                found.append((start, index, len(found), line if word != Word.STRESSED else -1 - line))
            else:
                own.append(None)
        places.append(own)
    ranks = {row[2]: rank for rank, row in enumerate(sorted(found))}
    ordered = sorted(found)
    line_ranks: dict[int, int] = {}
    syllables = []
    for rank, (_, _, _, mark) in enumerate(ordered):
        line = mark if mark >= 0 else -1 - mark
        number = line_ranks.setdefault(line, len(line_ranks))
        syllables.append(Syllable(rank, "", stress=int(mark < 0), line=number))
    named = [None if own is None else [None if i is None else ranks[i] for i in own] for own in places]
    return tuple(syllables), named


def _track(player: GridPlayer, sung: list[int | None] | None) -> Track:
    role = ROLES[player.role]
    rows = (player.notes[:, :4] * (TICKS_PER_STEP, 1, TICKS_PER_STEP, 4) + (0, 0, 0, 2)).tolist()
    words = sung or [None] * len(rows)
    return Track(
        id=role if not player.slot else f"{role}_{player.slot + 1}",
        role=role,  # type: ignore[arg-type]
        instrument=INSTRUMENT_NAMES[player.instrument],
        notes=tuple(
            Note(start, length, pitch, velocity, 0, word)
            for (start, pitch, length, velocity), word in zip(rows, words, strict=True)
        ),
    )
