"""Some bars of some tracks written anew, everything around them untouched: what every edit of the composer is.

The bars are a hole in the song that the scribe fills, a few at a time, hearing what stands before, after and beside.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from songwright.compose.learned.feel import Feel
from songwright.compose.learned.grammar import SINGLE_VOICES, FixedEvents, PartRules, Rules
from songwright.compose.learned.scribe import Scribe, Written
from songwright.compose.tokens.augment import frame_shift, transpose
from songwright.compose.tokens.controls import CONTROLS, UNSAID
from songwright.compose.tokens.decode import decode
from songwright.compose.tokens.encode import encode
from songwright.compose.tokens.features import word_plan
from songwright.compose.tokens.piece import HARMONY_ROLE, Part, index_piece
from songwright.compose.tokens.vocabulary import HARMONY, INSTRUMENT_NAMES, KIND, ROLES, Kind
from songwright.compose.tokens.windows import Choice, ChosenPart, Example, build
from songwright.errors import InputError
from songwright.neural.sampling import SamplingSettings
from songwright.neural.step_model import StepModel
from songwright.progress import Progress, silent
from songwright.score.song import ChordSpan, Note, PitchBend, Song, Track
from songwright.seeding import generator

CHUNK_BARS = 8
"""Bars written at a time."""

BEFORE, AFTER = 8, 4
"""Bars heard before and after them."""

MOST_GIVEN = 5
"""Tracks heard beside them."""

_HEARD = ("vocal", "melody", "bass", "drums", "chords", "pad", "counter_melody", "percussion")
DEFAULT_SETTINGS = SamplingSettings(temperature=0.95, top_p=0.97)

Score = Callable[[Song, Written], float]
"""``score(song with the candidate in it, candidate)``: the higher the better, on top of likelihood."""


@dataclass(frozen=True)
class Task:
    """What is to be written anew.

    Attributes:
        tracks: ids, or `HARMONY`; written together, in this order in every bar.
        first_bar: first bar of the edit.
        last_bar: one past the last bar.
        rules: of tracks by id; by default the range in which the track plays.
        controls: of tracks by id, levels as in `tokens.controls`.
        keep_rhythm: whether notes stay where they are, with their words and loudness, and only pitches are new.
        candidates: written side by side; the best is kept.
        settings: how tokens are drawn.
    """

    tracks: tuple[str, ...]
    first_bar: int
    last_bar: int
    rules: Mapping[str, Rules] = field(default_factory=dict)
    controls: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    keep_rhythm: bool = False
    candidates: int = 4
    settings: SamplingSettings = DEFAULT_SETTINGS


def bar_lines(song: Song) -> list[int]:
    """Returns the ticks of all bar lines, the end of the song included."""
    return [*song.bar_starts(), song.duration_ticks]


def rewrite(
    song: Song, task: Task, model: StepModel, *, seed: int, score: Score | None = None, progress: Progress = silent
) -> Song:
    """Returns the song with some bars of some tracks written anew.

    Every note that begins outside of these bars, and every track that is not named, is the same object as before.

    Args:
        song: any song; what tokens cannot hold of it (texts, mix, controls) stays as it is.
        task: what is to be written.
        model: the network.
        seed: decides everything that is drawn.
        score: further judgement of candidates.
        progress: told about the bars.

    Raises:
        InputError: there is no such track, or no such bars.
    """
    lines = bar_lines(song)
    known = {HARMONY, *(track.id for track in song.tracks)}
    for name in task.tracks:
        if name not in known:
            raise InputError(f"there is no track '{name}': this song has {', '.join(sorted(known))}")
    if not 0 <= task.first_bar < task.last_bar <= len(lines) - 1:
        wanted = f"bars {task.first_bar + 1} to {task.last_bar}"
        raise InputError(f"{wanted} are not in the song: it has bars 1 to {len(lines) - 1}")
    for first in range(task.first_bar, task.last_bar, CHUNK_BARS):
        progress("write", (first - task.first_bar) / (task.last_bar - task.first_bar))
        song = _Chunk(song, task, (first, min(first + CHUNK_BARS, task.last_bar)), lines).written(model, seed, score)
    progress("write", 1.0)
    return song


class _Chunk:
    """A few bars in their surroundings."""

    def __init__(self, song: Song, task: Task, bars: tuple[int, int], lines: list[int]) -> None:
        self.song, self.task, self.bars, self.lines = song, task, bars, lines
        self.piece = index_piece(encode(song).codes)
        if self.piece.num_bars != len(lines) - 1:
            raise InputError("this song has bars longer than two whole notes: they cannot be edited by the composer")
        self.seats = _seats(song)
        self.feel = Feel(song)

    def written(self, model: StepModel, seed: int, score: Score | None) -> Song:
        """Returns the song with the best candidate in it."""
        choice, names = self._choice(model.max_steps)
        example = build(self.piece, choice)
        rules = {i: self._rules(name, i, example, choice) for i, name in enumerate(names) if choice.parts[i].is_target}
        plans = {i: word_plan(example, i) for i in rules} if self.task.keep_rhythm else {}
        words = {i: plan for i, plan in plans.items() if plan is not None}
        heard = self.bars[0] - choice.start
        scribe = Scribe(model, example, rules=rules, settings=self.task.settings, from_bar=heard, words=words)
        random = [
            generator(seed, "rewrite", self.bars[0], ",".join(self.task.tracks), k) for k in range(self.task.candidates)
        ]
        candidates = scribe.write(random, max_steps=model.max_steps)
        best: tuple[float, Song] | None = None
        for written in candidates:
            made = self._merged(written, choice, names)
            value = sum(written.likelihood(i) for i in rules) / len(rules) + (score(made, written) if score else 0.0)
            if best is None or value > best[0]:
                best = (value, made)
        assert best is not None
        return best[1]

    def _choice(self, max_steps: int) -> tuple[Choice, list[str]]:
        """Returns the window, as wide as the network's room allows, and the track of each of its parts."""
        given = [track.id for role in _HEARD for track in self.song.tracks if track.role == role]
        given = [name for name in given if name not in self.task.tracks and self._plays(name)]
        given = [HARMONY, *given] if HARMONY not in self.task.tracks and self.song.chords else given
        before, after, heard = BEFORE, AFTER, MOST_GIVEN
        while True:
            start, stop = max(0, self.bars[0] - before), min(self.piece.num_bars, self.bars[1] + after)
            names = [*given[:heard], *self.task.tracks]
            parts = tuple(self._chosen(name) for name in names)
            hole = (self.bars[0] - start, self.bars[1] - start)
            shift = frame_shift(int(self.piece.keys[start]))
            choice = Choice(start, stop, parts, hole if stop > self.bars[1] else None, shift)
            if self._events(choice) <= max_steps or (before, after, heard) == (0, 0, 1):
                return choice, names
            if after > 1 or before > 2:
                before, after = before * 2 // 3, after // 2
            elif heard > 1:
                heard -= 1
            else:
                before = after = 0

    def _plays(self, name: str) -> bool:
        low, high = self.lines[max(0, self.bars[0] - BEFORE)], self.lines[self.bars[1]]
        track = next(t for t in self.song.tracks if t.id == name)
        return any(low <= note.start_ticks < high for note in track.notes)

    def _chosen(self, name: str) -> ChosenPart:
        role, slot, instrument = self.seats[name]
        controls = self.task.controls.get(name, (UNSAID,) * len(CONTROLS))
        return ChosenPart(Part(role, slot, instrument), name in self.task.tracks, controls)

    def _events(self, choice: Choice) -> int:
        """Returns how many events the window will have, at a guess: those that stand there, and room for new ones."""
        known = {(part.role, part.slot): i for i, part in enumerate(self.piece.parts)}
        count = 12 + 8 * len(choice.parts) + 3 * (choice.stop - choice.start)
        for chosen in choice.parts:
            place = known.get((chosen.part.role, chosen.part.slot))
            if place is not None:
                count += int(self.piece.lengths[place, choice.start : choice.stop].sum())
            if chosen.is_target:
                drums = ROLES[chosen.part.role] in ("drums", "percussion")
                count += (self.bars[1] - self.bars[0]) * (24 if drums else 14)
        return count

    def _rules(self, name: str, part: int, example: Example, choice: Choice) -> Rules:
        if name in self.task.rules:
            return self.task.rules[name]
        role, _, _ = self.seats[name]
        if role == HARMONY_ROLE:
            return PartRules(grid=(12,))
        track = next(t for t in self.song.tracks if t.id == name)
        if track.is_drums:
            return PartRules(drums=frozenset(note.pitch for note in track.notes), most=40)
        pitches = [note.pitch + choice.shift for note in track.notes] or [48, 84]
        if not self.task.keep_rhythm:
            return PartRules(min(pitches), max(pitches), most=32)
        mine = (example.parts_of == part) & (example.codes[KIND] != Kind.TRACK)
        bars = tuple(example.codes[:, mine & (example.bars == bar)] for bar in range(choice.stop - choice.start))
        number = np.arange(128)
        return FixedEvents(bars, (number >= min(pitches)) & (number <= max(pitches)))

    def _merged(self, written: Written, choice: Choice, names: Sequence[str]) -> Song:
        """Returns the song with what a candidate wrote in place of what was there."""
        made = decode(transpose(written.codes.astype(np.int16), -choice.shift))
        start, end = self.lines[self.bars[0]], self.lines[self.bars[1]]
        origin = self.lines[choice.start]
        tracks = {track.id: track for track in self.song.tracks}
        for name, player in zip([name for name in names if name != HARMONY], made.tracks, strict=True):
            if name in self.task.tracks:
                notes = [replace(note, start_ticks=note.start_ticks + origin, syllable=None) for note in player.notes]
                new = [self.feel.played(note, tracks[name]) for note in notes if start <= note.start_ticks < end]
                if self.task.keep_rhythm:
                    new = _repitched([n for n in tracks[name].notes if start <= n.start_ticks < end], new)
                tracks[name] = with_notes(tracks[name], new, start, end)
        chords = self.song.chords
        if HARMONY in self.task.tracks:
            new_chords = [replace(span, start_ticks=span.start_ticks + origin) for span in made.chords]
            chords = with_chords(chords, new_chords, start, end)
        return replace(self.song, tracks=tuple(tracks[t.id] for t in self.song.tracks), chords=chords)


def with_notes(track: Track, notes: Sequence[Note], start: int, end: int) -> Track:
    """Returns a track in which the notes that begin from `start` up to `end` are others; the rest are the same objects.

    A single voice never plays two new notes at once. Bends within the edit belonged to the old notes and are gone; the
    one in force at its end is set there.
    """
    new = sorted(notes)
    if ROLES.index(track.role) in SINGLE_VOICES:
        following = next((note.start_ticks for note in track.notes if note.start_ticks >= end), None)
        ends = [*(note.start_ticks for note in new[1:]), following]
        new = [_until(note, stop) for note, stop in zip(new, ends, strict=False)]
    before = [note for note in track.notes if note.start_ticks < start]
    after = [note for note in track.notes if note.start_ticks >= end]
    inside = [bend for bend in track.bends if start <= bend.tick < end]
    bends = [bend for bend in track.bends if not start <= bend.tick < end]
    if inside:
        held = next((b.value for b in reversed(track.bends) if b.tick < start), 0)
        bends += [PitchBend(start, 0)] if held else []
        bends += [PitchBend(end, inside[-1].value)] if inside[-1].value and all(b.tick != end for b in bends) else []
    return replace(track, notes=(*before, *new, *after), bends=tuple(sorted(bends)))


def _repitched(old: Sequence[Note], new: Sequence[Note]) -> list[Note]:
    """Returns the old notes with the pitches of the new ones, which stand at the same places on the grid."""
    if len(old) != len(new):  # notes that the grid joined stay as they were
        return list(old)
    return [replace(note, pitch=other.pitch) for note, other in zip(old, sorted(new), strict=True)]


def _until(note: Note, stop: int | None) -> Note:
    """Returns a note that ends when the next one begins."""
    if stop is None or note.end_ticks <= stop:
        return note
    return replace(note, duration_ticks=max(1, stop - note.start_ticks))


def with_chords(chords: Sequence[ChordSpan], new: Sequence[ChordSpan], start: int, end: int) -> tuple[ChordSpan, ...]:
    """Returns chords in which those between two ticks are others; what lies across the borders is cut there."""

    def cut(spans: Sequence[ChordSpan], low: int, high: int) -> list[ChordSpan]:
        found = []
        for span in spans:
            first, last = max(span.start_ticks, low), min(span.end_ticks, high)
            if (first, last) == (span.start_ticks, span.end_ticks):
                found.append(span)
            elif last > first:
                found.append(ChordSpan(first, last - first, span.symbol))
        return found

    total = max((span.end_ticks for span in chords), default=end)
    return (*cut(chords, 0, start), *cut(new, start, end), *cut(chords, end, total))


def _seats(song: Song) -> dict[str, tuple[int, int, int]]:
    """Returns role, slot and instrument of every track, as `tokens.encode` numbers them, and of the harmony."""
    seats, counts = {HARMONY: (HARMONY_ROLE, 0, -1)}, dict[str, int]()
    for track in song.tracks:
        slot = counts.get(track.role, 0)
        counts[track.role] = slot + 1
        known = track.instrument in INSTRUMENT_NAMES
        seats[track.id] = (ROLES.index(track.role), slot, INSTRUMENT_NAMES.index(track.instrument) if known else 0)
    return seats
