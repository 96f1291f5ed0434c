"""Bass, chords and drums: whether the network prefers the bars that people played, and what eight bits cost it.

Four real bars stand against nine takes of the style book (and its neighbours) over the same chords, and against four
bars of nine other songs (a bass is moved into the key and range). The network hears the chords and the tune, where
there are any, and judges as it does in the program (`learned.takes.costs`): nats of an event, its place, value and
length; of chords less what they are without chords and tune. Chance is one in ten. The statistical composer has no
counterpart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from learned_reading import BATCH_EVENTS, Network, wins
from songwright.compose.arrange.arrange import arrange
from songwright.compose.learned.takes import costs
from songwright.compose.plan import SongPlan
from songwright.compose.plan_of_song import key_at, plan_of
from songwright.compose.style import Style, load_style, style_names
from songwright.compose.tokens.batches import Pieces, fixed_examples, stack
from songwright.compose.tokens.encode import encode
from songwright.compose.tokens.piece import TARGET_KINDS
from songwright.compose.tokens.vocabulary import KIND, Kind
from songwright.errors import InputError
from songwright.score.song import ChordSpan, KeyChange, Note, Section, Song, TempoChange, Track
from songwright.score.theory import Chord, parse_key
from songwright.seeding import generator

BARS, OTHERS, TAKES = 4, 9, 4
MIN_NOTES = {"bass": 1, "chords": 2, "drums": 3}
"""That every bar of an excerpt must have."""


@dataclass(frozen=True)
class Excerpt:
    """Four bars of a song in which a part plays.

    Attributes:
        name: of the song.
        song: the bars alone.
        track: the part.
    """

    name: str
    song: Song
    track: Track

    @property
    def tonic(self) -> int:
        """Pitch class of the key."""
        return parse_key(self.song.keys[0].key).tonic


class Recorder:
    """A judge of takes that only writes down what it hears.

    Args:
        role: of the part.
    """

    takes = TAKES
    kinds = ("bass", "drums", "comp")

    def __init__(self, role: str) -> None:
        self.role = role
        self.heard: list[Track] = []

    def choose(
        self, plan: SongPlan, style: Style, chords: tuple[ChordSpan, ...], others: Sequence[Track],
        takes: Sequence[Track], groups: Sequence[Sequence[int]],
    ) -> list[int]:  # fmt: skip
        """Returns the first take for each group of bars."""
        if takes[0].role == self.role:
            self.heard += takes
        return [0] * len(groups)


def excerpts_of(name: str, song: Song, role: str, each: int, seed: int) -> list[Excerpt]:
    """Returns excerpts of a song in which the first player of a role plays in every bar."""
    track = next((t for t in song.tracks if t.role == role), None)
    if track is None or len(song.meters) > 1:
        return []
    bar = song.meters[0].bar_ticks
    counts = np.bincount([n.start_ticks // bar for n in track.notes], minlength=song.duration_ticks // bar + BARS)
    starts = [b for b in range(0, len(counts) - BARS, BARS) if (counts[b : b + BARS] >= MIN_NOTES[role]).all()]
    random = generator(seed, "excerpts", name, role)
    return [_cut(name, song, track, starts[i] * bar) for i in random.permutation(len(starts))[:each].tolist()]


def _cut(name: str, song: Song, track: Track, start: int) -> Excerpt:
    end = start + BARS * song.meters[0].bar_ticks
    chords = tuple(
        ChordSpan(max(c.start_ticks, start) - start, min(c.end_ticks, end) - max(c.start_ticks, start), c.symbol)
        for c in song.chords
        if c.start_ticks < end and c.end_ticks > start
    )
    tune = next((t for t in song.tracks if t.role in ("vocal", "melody")), None)
    heard = (_inside(tune, start, end),) if tune is not None and song.chords else ()
    section = next((s for s in song.sections if s.start_ticks <= start < s.start_ticks + s.duration_ticks), None)
    made = replace(
        song,
        duration_ticks=end - start,
        tempos=(TempoChange(0, [t.bpm for t in song.tempos if t.tick <= start][-1]),),
        keys=(KeyChange(0, str(key_at(song, start))),),
        sections=(Section("A", section.role if section else "verse", 0, end - start, 0.6),),
        chords=chords,
        tracks=tuple(t for t in heard if t.notes),
        syllables=(),
    )
    return Excerpt(name, made, _inside(track, start, end))


def _inside(track: Track, start: int, end: int) -> Track:
    notes = tuple(
        replace(n, start_ticks=n.start_ticks - start, duration_ticks=min(n.duration_ticks, end - n.start_ticks),
                syllable=None)
        for n in track.notes if start <= n.start_ticks < end
    )  # fmt: skip
    return replace(track, notes=notes, controls=(), bends=(), singer=None)


def style_takes(excerpt: Excerpt, seed: int) -> list[tuple[Note, ...]]:
    """Returns nine different takes of the song's style book for the bars of an excerpt, or as many as there are.

    Where it has fewer, books of its family go on, then others; a song without a style book has none.
    """
    if excerpt.song.style not in style_names():
        return []
    found: dict[tuple[tuple[int, int, int], ...], tuple[Note, ...]] = {}
    for style in books_for(excerpt.song):
        for take in _heard(excerpt, style, seed):
            notes = _inside(take, 0, excerpt.song.duration_ticks).notes
            if notes:
                found.setdefault(tuple((n.start_ticks, n.pitch, n.duration_ticks) for n in notes), notes)
        if len(found) > OTHERS:
            break
    return list(found.values())


def books_for(song: Song) -> list[Style]:
    """Returns the style books in the metre of a song, its own first, then its family's."""
    own, meter = load_style(song.style), f"{song.meters[0].numerator}/{song.meters[0].denominator}"
    others = [style for style in _books() if style.name != own.name and meter in style.meters]
    return [own, *sorted(others, key=lambda style: style.family != own.family)]


@lru_cache(maxsize=1)
def _books() -> tuple[Style, ...]:
    return tuple(load_style(name) for name in style_names())


def _heard(excerpt: Excerpt, style: Style, seed: int) -> list[Track]:
    """Returns the takes of a style book for the part, the bars played twice so that no ending falls into them."""
    song, length = excerpt.song, excerpt.song.duration_ticks
    key = parse_key(song.keys[0].key)
    home = ChordSpan(0, length, Chord(key.tonic, "m" if key.is_minor else "").symbol())
    chords = song.chords or (home,)
    twice = tuple(replace(c, start_ticks=c.start_ticks + shift) for shift in (0, length) for c in chords)
    section = replace(song.sections[0], duration_ticks=2 * length)
    plan = plan_of(replace(song, duration_ticks=2 * length, sections=(section,), chords=twice), style=style.name)
    recorder = Recorder(excerpt.track.role)
    arrange(plan, style, twice, (), seed=seed, judge=recorder)
    return recorder.heard


def strangers(excerpt: Excerpt, every: Sequence[Excerpt], seed: int) -> list[tuple[Note, ...]]:
    """Returns the bars of other songs of the same metre, a bass in this one's key and range."""
    meter = excerpt.song.meters[0]
    random = generator(seed, "strangers", excerpt.name, excerpt.track.role)
    others = [e for e in every if e.name != excerpt.name and e.song.meters[0] == meter]
    found = []
    for i in random.permutation(len(others)).tolist():
        shift = 0 if excerpt.track.is_drums else moved(excerpt, others[i])
        found.append(tuple(replace(n, pitch=n.pitch + shift) for n in others[i].track.notes))
    return found


def moved(excerpt: Excerpt, other: Excerpt) -> int:
    """Returns the semitones that take a part into another's key and nearest its range."""
    there = float(np.mean([n.pitch for n in excerpt.track.notes]))
    here = float(np.mean([n.pitch for n in other.track.notes]))
    shift = (excerpt.tonic - other.tonic) % 12
    return shift + 12 * round((there - here - shift) / 12)


def forced_choice(
    network: Network, asked: Sequence[tuple[Excerpt, Sequence[tuple[Note, ...]]]]
) -> list[tuple[str, float]]:
    """Returns of each excerpt its song and whether the network finds that it suits the song better than nine others."""
    found = []
    for excerpt, others in asked:
        different = [notes for notes in others if notes != excerpt.track.notes][:OTHERS]
        if len(different) < OTHERS:
            continue
        lines = [excerpt.track.notes, *different]
        songs = [replace(excerpt.song, tracks=(*excerpt.song.tracks, replace(excerpt.track, notes=n))) for n in lines]
        try:
            judged = costs(network, songs, excerpt.track.id, range(BARS))
        except InputError:  # a bar thicker than the network has room for
            continue
        found.append((excerpt.name, wins(judged)))
    return found


def kind_nats(
    networks: Mapping[str, Network], songs: Mapping[str, Mapping[str, Song]], count: int, length: int, seed: int
) -> dict[str, dict[str, tuple[Any, Any]]]:
    """Returns nats and notes (chords) of the same examples by kind of part and network, example by example.

    Args:
        networks: by name.
        songs: held apart, by corpus and name.
        count: examples of each kind.
        length: most events of each.
        seed: decides which.
    """
    codes = [encode(song).codes for corpus in songs.values() for song in corpus.values()]
    numbers = iter(range(len(codes)))
    corpora = {name: [next(numbers) for _ in corpus] for name, corpus in songs.items()}
    pieces = Pieces(codes.__getitem__, corpora, dict.fromkeys(corpora, 1.0), lambda i: codes[i].shape[1])
    found: dict[str, dict[str, tuple[Any, Any]]] = {}
    for kind in TARGET_KINDS:
        examples = fixed_examples(
            pieces, kind, count, length, lambda attempt, kind=kind: generator(seed, "kinds", kind, attempt)
        )
        size = max(1, BATCH_EVENTS // length)
        rows: dict[str, list[float]] = {name: [] for name in networks}
        notes: list[int] = []
        for first in range(0, len(examples), size):
            batch = stack(examples[first : first + size])
            given, told = batch.codes.astype(np.int64), batch.features.astype(np.int64)
            for name, network in networks.items():
                rows[name] += network.nats(given, told, batch.mask).sum(axis=(1, 2)).tolist()
            told_kinds = np.isin(given[:, KIND], (Kind.NOTE, Kind.CHORD)) & batch.mask[:, KIND]
            notes += told_kinds.sum(axis=1).tolist()
        if examples:
            found[kind] = {name: (np.array(row), np.array(notes)) for name, row in rows.items()}
    return found
