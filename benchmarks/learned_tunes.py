"""Tunes: the network against the table of pitches, on the notes of held-apart songs, both told rhythm and chords.

The songs are read as `recipes/melody` reads them, so that the table is at home; the network gets the same notes and
chords as a song in C. Both are asked for the interval from the note before, in the table's 25 classes (those beyond an
octave count as one); the network's probabilities of all pitches of a class are added up. The table is told more: how
long each note is and where its phrase ends. The first note of a tune counts for neither.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from learned_reading import (
    HARMONY,
    MELODY,
    Floats,
    Ints,
    Network,
    Reading,
    parts_of,
    read,
    recipe_modules,
    spread,
    windows,
    wins,
)
from songwright.collection.chord_names import sounding_symbol, spans
from songwright.compose.melody import features as f
from songwright.compose.melody.model import load_model
from songwright.compose.melody.pitch import NETWORK_SHARE, TABLE_SHARE
from songwright.compose.tokens.augment import frame_shift
from songwright.compose.tokens.encode import encode
from songwright.compose.tokens.piece import Piece, index_piece
from songwright.compose.tokens.vocabulary import VALUES
from songwright.compose.tokens.windows import Example
from songwright.score.song import TICKS_PER_QUARTER, KeyChange, MeterChange, Note, Song, TempoChange, Track
from songwright.seeding import generator
from songwright.splits import held_out

Tune = Any
"""`corpora.Tune` of recipes/melody."""

STEP = TICKS_PER_QUARTER // 4
_METRES = {"4/4": (4, 4, 16), "3/4": (3, 4, 12), "6/8": (6, 8, 12)}
_USUAL_PITCH = (58.5, 72.5)
"""Between these tunes lie on average, once they are in C major or A minor."""

PHRASE_BARS, MIN_NOTES, OTHERS = 4, 8, 9
_PITCH = VALUES["pitch"]


@dataclass(frozen=True)
class Scores:
    """Nats of one song.

    Attributes:
        notes: how many count.
        table, network, both: nats of them all; both judge together as in `melody.pitch`.
    """

    notes: int
    table: float
    network: float
    both: float


@dataclass(frozen=True)
class Opinions:
    """What table and network expect of the intervals of a tune.

    Attributes:
        table, network: (n - 1, 25) log-probabilities.
        target: (n - 1,) the classes that came.
    """

    table: Floats
    network: Floats
    target: Ints

    def nats(self, network_share: float, table_share: float) -> Floats:
        """Returns (n - 1,) nats where the probabilities, to the power of these shares, are multiplied."""
        scores = network_share * self.network + table_share * self.table
        found: Floats = -np.take_along_axis(_normal(scores), self.target[:, None], axis=1)[:, 0]
        return found


def tunes_of(data: Path, group: str, limit: int) -> list[Tune]:
    """Returns the held-apart tunes of a group of recipes/melody, at most so many."""
    reader = getattr(_recipe()["corpora"], f"read_{group}")
    return spread([tune for tune in reader(data) if held_out(tune.id)], limit)


@lru_cache(maxsize=1)
def _recipe() -> Mapping[str, Any]:
    return recipe_modules("melody", "corpora", "observations")


def song_of(tune: Tune) -> Song:
    """Returns a tune as a song in C with chords, in the octave in which tunes usually lie."""
    numerator, denominator, steps = _METRES[tune.metre]
    bar = steps * STEP
    key = "C minor" if tune.mode else "C major"
    mean = float(np.mean([p for _, _, p in tune.notes])) + (frame_shift(_key_number(key)))
    octave = 12 if mean < _USUAL_PITCH[0] else -12 if mean > _USUAL_PITCH[1] else 0
    end = max(max(s + n for s, n, _ in tune.notes), tune.chords[-1][0] + 1 if tune.chords else 0) * STEP
    duration = -(-end // bar) * bar
    rows = [(max(0, start) * STEP, _symbol(root, tones)) for start, root, tones in tune.chords]
    notes = tuple(Note(s * STEP, n * STEP, min(127, max(0, p + octave)), 84) for s, n, p in tune.notes)
    bpm = tune.tempo_bpm or 120.0
    style = {"pop909": "pop" if bpm >= 92 else "mandarin_ballad"}.get(_group(tune), "jazz")
    return Song(
        style="waltz" if tune.metre == "3/4" and _group(tune) != "pop909" else style,
        duration_ticks=duration,
        tempos=(TempoChange(0, bpm),),
        meters=(MeterChange(0, numerator, denominator),),
        keys=(KeyChange(0, key),),
        chords=spans(rows, duration) if rows else (),
        tracks=(Track("tune", "melody", "flute", notes=notes),),
    )


def _group(tune: Tune) -> str:
    return str(_recipe()["corpora"].GROUPS[tune.group])


def _key_number(key: str) -> int:
    song = Song(
        style="pop", duration_ticks=4 * TICKS_PER_QUARTER, tempos=(TempoChange(0, 120.0),),
        meters=(MeterChange(0, 4, 4),), keys=(KeyChange(0, key),), chords=spans([(0, "C")], 4 * TICKS_PER_QUARTER),
    )  # fmt: skip
    return int(index_piece(encode(song).codes).keys[0])


def _symbol(root: int, tones: Sequence[int]) -> str:
    """Returns the symbol of pitch classes above a root."""
    return sounding_symbol((48 + root, *sorted(60 + (t - root) % 12 + root for t in tones)))


def table_opinion(tune: Tune) -> tuple[Floats, Ints]:
    """Returns (n - 1, 25) log-probabilities of the intervals of a tune by the table, and (n - 1,) those that came."""
    observed = _recipe()["observations"]
    rows = observed.note_rows([tune])
    scores = load_model().interval_scores(observed.pitch_batch(rows, np.arange(len(rows["target"]))))
    return _normal(scores), rows["target"]


def interval_table(table: Floats, pitches: Ints) -> Floats:
    """Returns (n - 1, 25) log-probabilities of the interval classes between notes; the outer two hold all beyond.

    Args:
        table: (n, 128) log-probabilities of the pitches of each note.
        pitches: (n,) of the notes.
    """
    probable = np.exp(table[1:].astype(np.float64))
    semitones = np.arange(probable.shape[1]) - pitches[:-1, None]
    classes = np.clip(semitones, -f.REACH, f.REACH) + f.REACH
    found = np.zeros((len(probable), f.NUM_INTERVALS))
    np.add.at(found, (np.arange(len(probable))[:, None], classes), probable)
    return np.log(np.maximum(found, 1e-30))


def _normal(scores: Floats) -> Floats:
    scores = scores - scores.max(axis=1, keepdims=True)
    found: Floats = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return found


def keep_pitches(example: Example, steps: Ints, table: Any) -> Any:
    """Returns the log-probabilities of the pitches alone."""
    return table[:, _PITCH.start : _PITCH.stop].astype(np.float32)


def opinions(network: Network, tunes: Sequence[Tune]) -> list[Opinions | None]:
    """Returns what both expect of the notes of each tune; None for one that the network cannot hold."""
    asked, owners = [], []
    for number, tune in enumerate(tunes):
        piece: Piece = index_piece(encode(song_of(tune)).codes)
        found = windows(piece, parts_of(piece, MELODY, (HARMONY,)), network.max_steps)
        asked += found
        owners += [number] * len(found)
    readings: list[list[Reading]] = [[] for _ in tunes]
    for number, reading in zip(owners, read(network, asked, keep_pitches), strict=True):
        readings[number].append(reading)
    return [_joined(tune, parts) for tune, parts in zip(tunes, readings, strict=True)]


def _joined(tune: Tune, readings: Sequence[Reading]) -> Opinions | None:
    if not readings:
        return None
    table = np.concatenate([reading.kept for reading in readings])
    pitches = np.concatenate([reading.values for reading in readings]) - _PITCH.start
    if len(pitches) != len(tune.notes):
        return None
    given, target = table_opinion(tune)
    return Opinions(given, interval_table(table, pitches), target)


def scores(network: Network, tunes: Sequence[Tune]) -> list[Scores]:
    """Returns the nats of each tune under each, and under both."""
    found = []
    for told in opinions(network, tunes):
        if told is not None:
            sums = [float(told.nats(*shares).sum()) for shares in ((0, 1), (1, 0), (NETWORK_SHARE, TABLE_SHARE))]
            found.append(Scores(len(told.target), *sums))
    return found


@dataclass(frozen=True)
class Phrase:
    """Some bars of a tune.

    Attributes:
        tune: whose.
        first: bar with which it begins.
        notes: its notes.
    """

    tune: Tune
    first: int
    notes: tuple[tuple[int, int, int], ...]


def phrases_of(tune: Tune) -> list[Phrase]:
    """Returns the four bars from each beginning of a phrase that have enough notes, the first bar of the song aside."""
    steps = _METRES[tune.metre][2]
    found = []
    for bar in tune.phrases:
        inside = tuple(n for n in tune.notes if bar * steps <= n[0] < (bar + PHRASE_BARS) * steps)
        if len(inside) >= MIN_NOTES and bar >= PHRASE_BARS:
            found.append(Phrase(tune, bar, inside))
    return found


def excerpt(phrase: Phrase, pitches: Sequence[int], before: int) -> Tune:
    """Returns a phrase with other pitches as a tune of its own, after some of the bars before it as they are."""
    tune, steps = phrase.tune, _METRES[phrase.tune.metre][2]
    start, stop = (phrase.first - before) * steps, (phrase.first + PHRASE_BARS) * steps
    past = [i for i, n in enumerate(tune.notes) if start <= n[0] < phrase.first * steps]
    mine = [i for i, n in enumerate(tune.notes) if phrase.first * steps <= n[0] < stop]
    notes = [tune.notes[i] for i in past]
    notes += [(*tune.notes[i][:2], pitch) for i, pitch in zip(mine, pitches, strict=True)]
    chords = [c for c in tune.chords if start <= c[0] < stop]
    held = [c for c in tune.chords if c[0] <= start]
    if held and (not chords or chords[0][0] > start):
        chords = [(start, *held[-1][1:]), *chords]
    return replace(
        tune,
        notes=tuple((s - start, n, p) for s, n, p in notes),
        exact=tuple(tune.exact[i] for i in (*past, *mine)),
        chords=tuple((c[0] - start, *c[1:]) for c in chords),
        phrases=tuple(b - phrase.first + before for b in tune.phrases if start <= b * steps < stop),
    )


def in_range(pitches: Sequence[int], of: Sequence[int]) -> list[int]:
    """Returns pitches moved by octaves to where others lie."""
    shift = 12 * round((float(np.mean(of)) - float(np.mean(pitches))) / 12)
    return [pitch + shift for pitch in pitches]


def choices(tunes: Sequence[Tune], each: int, seed: int) -> list[tuple[Phrase, list[list[int]]]]:
    """Returns phrases with the pitches of nine others of as many notes, of other songs of the same mode.

    Args:
        tunes: of one corpus.
        each: most phrases of a song.
        seed: decides which.
    """
    every = [phrase for tune in tunes for phrase in phrases_of(tune)]
    found = []
    for tune in tunes:
        own = phrases_of(tune)
        random = generator(seed, "phrases", tune.id)
        for i in random.permutation(len(own))[:each].tolist():
            phrase = own[i]
            strangers = [p for p in every if p.tune.id != tune.id and p.tune.mode == tune.mode]
            exact = [p for p in strangers if len(p.notes) == len(phrase.notes)]
            longer = [p for p in strangers if len(p.notes) > len(phrase.notes)]
            order = [exact[j] for j in random.permutation(len(exact))]
            order += [longer[j] for j in random.permutation(len(longer))]
            true = [p for _, _, p in phrase.notes]
            moved = (tuple(in_range([p for _, _, p in other.notes[: len(true)]], true)) for other in order)
            others = [list(line) for line in dict.fromkeys(moved) if list(line) != true][:OTHERS]
            if len(others) == OTHERS:
                found.append((phrase, [true, *others]))
    return found


def forced_choice(
    network: Network, asked: Sequence[tuple[Phrase, list[list[int]]]], before: int
) -> list[tuple[str, float, float]]:
    """Returns of each phrase its song, and whether table and network find it likelier than the nine others.

    Args:
        network: the composer's.
        asked: from `choices`.
        before: bars before it that both know.
    """
    tunes = [excerpt(phrase, line, before) for phrase, lines in asked for line in lines]
    every = opinions(network, tunes)
    found, at = [], 0
    for phrase, lines in asked:
        told = every[at : at + len(lines)]
        at += len(lines)
        sure = [one for one in told if one is not None]
        if len(sure) == len(lines):
            count = min(len(phrase.notes), len(sure[0].target))
            table, learned = ([float(one.nats(*shares)[-count:].sum()) for one in sure] for shares in ((0, 1), (1, 0)))
            found.append((phrase.tune.id, wins(table), wins(learned)))
    return found
