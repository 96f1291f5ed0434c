"""The network as the judge of tunes: how likely every next pitch is, asked by the particles of `melody.pitch`.

The rules of the tune writer (range, scale, cadence, words) stay what they are; the network judges beside the
learned table. It hears the chords, the form, the phrase before and each particle's own notes so far.
"""

from dataclasses import dataclass, replace

import numpy as np

from songwright.compose.learned.scribe import FEWEST_ROWS, follows_of
from songwright.compose.melody.features import INTERVALS, Floats, Ints
from songwright.compose.melody.phrase_plan import STEP_TICKS, PhrasePlan, Setting
from songwright.compose.melody.pitch import Past
from songwright.compose.melody.rhythm import Slots
from songwright.compose.tokens.augment import frame_shift
from songwright.compose.tokens.encode import encode
from songwright.compose.tokens.piece import HARMONY_ROLE, index_piece
from songwright.compose.tokens.tracker import Tracker
from songwright.compose.tokens.vocabulary import KIND, NUM_STREAMS, ROLES, VALUE, VALUES, Kind
from songwright.compose.tokens.windows import Choice, ChosenPart, Example, build
from songwright.errors import InputError
from songwright.neural.sampling import log_softmax
from songwright.neural.step_model import StepModel
from songwright.score.song import KeyChange, MeterChange, Note, Section, Song, TempoChange, Track

PARTICLES = 16
BARS_HEARD = 4
"""Bars before the phrase that are heard, at most."""

MAX_STEPS = 256
UNLIKELY = -30.0
_MELODY = ROLES.index("melody")


@dataclass(frozen=True)
class TuneNetwork:
    """Judges pitches; see `melody.model.TuneNetwork`.

    Attributes:
        model: the network.
        particles: how many tunes are drawn side by side.
    """

    model: StepModel
    particles: int = PARTICLES

    def begin(self, plan: PhrasePlan, setting: Setting, slots: Slots, past: Past, shift: int) -> "TuneReader":
        """Returns the reader of one phrase.

        Args:
            plan: of the phrase.
            setting: of the song.
            slots: (start, length) of its notes in sixteenths from its first bar line.
            past: the notes before it, from the tonic.
            shift: semitones of the section's lift.
        """
        tonic = setting.plan.key.tonic + shift
        first = plan.start_ticks // STEP_TICKS
        starts = [first + s for s, _ in past.notes] + [first + s for s, _ in slots]
        ends = starts[1 : len(past.notes) + 1] + [first + s + n for s, n in slots]
        pitches = [p + tonic for _, p in past.notes] + [round(plan.centre)] * len(slots)
        rows = [r for r in zip(starts, ends, pitches, strict=True) if r[0] >= 0]
        notes = tuple(Note(s * STEP_TICKS, max(1, e - s) * STEP_TICKS, min(127, max(0, p)), 84) for s, e, p in rows)
        own = min(len(slots), len(notes))
        return TuneReader(self.model, _example(plan, setting, notes, own), own, len(slots) - own, tonic, self.particles)


def _example(plan: PhrasePlan, setting: Setting, notes: tuple[Note, ...], own: int) -> tuple[Example, int]:
    """Returns the window around a phrase, and the semitones by which it was transposed."""
    form, bar = setting.plan, setting.plan.bar_ticks
    song = Song(
        style=form.style,
        duration_ticks=form.num_bars * bar,
        tempos=(TempoChange(0, form.tempo_bpm),),
        meters=(MeterChange(0, form.numerator, form.denominator),),
        keys=(KeyChange(0, str(setting.key_at(plan.start_ticks))),),
        sections=tuple(
            Section(s.label, s.role, form.start_ticks(s), s.num_bars * bar, s.energy) for s in form.sections
        ),
        chords=setting.chords,
        tracks=(Track("tune", "melody", "acoustic_piano", notes=notes),),
    )
    piece = index_piece(encode(song).codes)
    first = min(plan.start_ticks, notes[-own].start_ticks) // bar
    start = max(0, first - BARS_HEARD, notes[0].start_ticks // bar)
    stop = min(piece.num_bars, max(notes[-1].start_ticks // bar + 1, plan.start_ticks // bar + plan.num_bars))
    shift = frame_shift(int(piece.keys[start]))
    tune = next(part for part in piece.parts if part.role == _MELODY)
    heard = [ChosenPart(part, is_target=False) for part in piece.parts if part.role == HARMONY_ROLE]
    return build(piece, Choice(start, stop, (*heard, ChosenPart(tune)), None, shift)), shift


class TuneReader:
    """Reads one phrase note by note for several particles.

    Particles that have sung the same so far share a row of the network; it parts when they sing different notes. There
    are always at least two rows: products of one row may be rounded otherwise than those of several.

    Args:
        model: the network.
        example: the window, and how far it was transposed.
        own: notes of the phrase that stand in it.
        skipped: notes of the phrase before the song begins, which nobody judges.
        tonic: pitch from which the particles count.
        particles: how many.
    """

    def __init__(
        self, model: StepModel, example: tuple[Example, int], own: int, skipped: int, tonic: int, particles: int
    ) -> None:
        self.model, (self.example, self.shift), self.tonic = model, example, tonic
        self.skipped, self.count = skipped, particles
        codes = self.example.codes
        notes = np.flatnonzero((codes[KIND] == Kind.NOTE) & (self.example.parts_of == len(self.example.parts) - 1))
        if len(notes) < own or codes.shape[1] > MAX_STEPS:
            raise InputError(f"a phrase of {own} notes in {codes.shape[1]} events: expected at most {MAX_STEPS}")
        self.places = notes[len(notes) - own :]
        self.follows = follows_of(codes[KIND])
        self.at = 0
        self._begin()

    def _begin(self) -> None:
        first = int(self.places[0])
        tracker = Tracker(_without(self.example, first))
        self.model.start(1, self.example.num_steps)
        for t in range(first):
            self.model.set_features(t, tracker.features[None].astype(np.int64))
            tracker.feed(self.example.codes[:, t], int(self.example.parts_of[t]), self.follows[t])
        self.model.prefill(self.example.codes[None, :, :first].astype(np.int64))
        self.model.set_features(first, tracker.features[None].astype(np.int64))
        self.model.logits()  # what all tunes share is read once, by one row
        self.step = first
        self.tunes = np.repeat(self.example.codes[None].astype(np.int64), self.count, axis=0)
        self.row_of: Ints = np.zeros(self.count, dtype=np.int64)
        self.heads: Ints = np.zeros(FEWEST_ROWS, dtype=np.int64)
        self.trackers = [tracker, *(tracker.fork() for _ in self.heads[1:])]
        self.model.reorder(self.heads)

    def scores(self, before: Ints) -> Floats:
        """Returns the log-probabilities (N, 25) of the intervals from the notes before (N,), counted from the tonic."""
        if self.skipped:
            return np.zeros((len(before), len(INTERVALS)))
        place = int(self.places[self.at])
        while self.step < place:
            self._pass(self.step)
            self.step += 1
        self._tell(place)
        for stream in range(VALUE):
            self.model.feed(self.tunes[self.heads, stream, place])
        span = VALUES["pitch"]
        logits = self.model.logits()[self.row_of, span.start : span.stop]
        pitches = before[:, None] + INTERVALS + self.tonic + self.shift
        inside = (pitches >= 0) & (pitches < span.size)
        learned = np.take_along_axis(log_softmax(logits), np.clip(pitches, 0, span.size - 1), axis=1)
        found: Floats = np.where(inside, np.maximum(learned, UNLIKELY), UNLIKELY)
        return found

    def feed(self, pitches: Ints) -> None:
        """Goes on with the notes (N,) that were drawn, counted from the tonic."""
        if self.skipped:
            self.skipped -= 1
            return
        place = int(self.places[self.at])
        span = VALUES["pitch"]
        self.tunes[:, VALUE, place] = span.start + np.clip(pitches + self.tonic + self.shift, 0, span.size - 1)
        self.step, self.at = place + 1, self.at + 1
        if self.at == len(self.places):  # nobody asks what comes after the last note
            return
        self._part(place)
        for stream in range(VALUE, NUM_STREAMS):
            self.model.feed(self.tunes[self.heads, stream, place])
        self._follow(place)

    def _part(self, place: int) -> None:
        """Gives particles that have just parted rows of their own."""
        keys = np.stack([self.row_of, self.tunes[:, VALUE, place]], axis=1)
        _, heads, row_of = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        again = np.append(False, np.diff(self.row_of[heads]) == 0)
        order = np.argsort(again, kind="stable")  # one tune of each row stays where it is, the others come behind
        self.row_of = np.argsort(order)[row_of.reshape(-1)]
        self.heads = np.concatenate([heads[order], np.repeat(heads[:1], max(0, FEWEST_ROWS - len(heads)))])
        rows = keys[self.heads, 0]
        if np.array_equal(rows, np.arange(len(self.trackers))):
            return
        self.model.reorder(rows)
        self.trackers = [self.trackers[row].fork() for row in rows]

    def _pass(self, step: int) -> None:
        """Feeds an event that is given."""
        self._tell(step)
        for stream in range(NUM_STREAMS):
            self.model.feed(self.tunes[self.heads, stream, step])
        self._follow(step)

    def _tell(self, step: int) -> None:
        self.model.set_features(step, np.stack([tracker.features for tracker in self.trackers]).astype(np.int64))

    def _follow(self, step: int) -> None:
        part, follows = int(self.example.parts_of[step]), self.follows[step]
        for tracker, head in zip(self.trackers, self.heads, strict=True):
            tracker.feed(self.tunes[head, :, step], part, follows)


def _without(example: Example, first: int) -> Example:
    """Returns the example without the notes from one on, which are to be written."""
    kinds, steps = example.codes[KIND], np.arange(example.num_steps)
    keep = ~((steps >= first) & (example.parts_of == len(example.parts) - 1) & (kinds != Kind.TRACK))
    return replace(
        example, codes=example.codes[:, keep], mask=example.mask[:, keep], bars=example.bars[keep],
        parts_of=example.parts_of[keep], fill=int(np.count_nonzero(keep)),
    )  # fmt: skip
