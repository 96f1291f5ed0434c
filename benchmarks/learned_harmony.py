"""Harmony: the network against the tables of functions, on the chords of held-apart songs.

Both read the same songs: section by section, chords as functions (root above the tonic and one of four qualities), the
same function joined as in `recipes/harmony`. The table says a function and then its length. The network says at every
bar line and between them whether another chord comes, where, and which of 589; its probabilities of all chords of a
function are added up (whatever the bass). Its nats divide into *which* (of a chord that is another function than the
one before: which other) and *when* (all else: going on or not, and the place), so that both sum to the likelihood of
the whole. A function keeps the colour with which it begins, so that nothing else is said to either. No chord counts
for neither.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learned_reading import HARMONY, Floats, Ints, Network, Reading, parts_of, read, recipe_modules, windows, wins
from songwright.collection.chord_names import spans
from songwright.compose.harmony.functions import NUM_FUNCTIONS, NUM_QUALITIES, function_of, quality_of
from songwright.compose.harmony.model import ROLES, load_model
from songwright.compose.tokens.encode import encode
from songwright.compose.tokens.piece import Piece, index_piece
from songwright.compose.tokens.vocabulary import MODE_NAMES, POSITION, QUALITY_NAMES, TICKS_PER_STEP, VALUES
from songwright.compose.tokens.windows import KEY, Example
from songwright.score.song import KeyChange, MeterChange, Section, Song, TempoChange
from songwright.score.theory import NO_CHORD, Chord, name_of, parse_chord, parse_key
from songwright.seeding import generator

GROUP_OF = {"pop909": "pop909", "openewld": "openewld", "mcgill-billboard": "billboard"}
"""What recipes/harmony calls each corpus."""

EXCERPT_BARS, MIN_CHORDS, OTHERS = 8, 4, 9
_NOTHING = -1
_CHORD = VALUES["chord"]
_ROLE_OF = {"pre_chorus": "prechorus", "interlude": "intro", "instrumental": "solo", "hook": "chorus", "drop": "chorus"}


@dataclass(frozen=True)
class Run:
    """A section in one key and metre.

    Attributes:
        start: tick at which it begins.
        beat_ticks: of a felt beat.
        tonic: pitch class.
        section: `corpora.CorpusSection` of recipes/harmony.
        colours: the chord symbol, over tonic C, with which each of its events begins.
        role: of the section in the song.
    """

    start: int
    beat_ticks: int
    tonic: int
    section: Any
    colours: tuple[str, ...]
    role: str

    @property
    def starts(self) -> list[int]:
        """Ticks at which its events begin."""
        return [self.start + round(e.start_beat * self.beat_ticks) for e in self.section.events]

    @property
    def end(self) -> int:
        """Tick at which it ends."""
        return self.start + self.section.num_bars * self.section.beats_per_bar * self.beat_ticks


@dataclass
class Scores:
    """Nats of one song.

    Attributes:
        chords: how many the table tells apart.
        table: (which, when).
        network: (which, when).
    """

    chords: int = 0
    table: Floats = field(default_factory=lambda: np.zeros(2))
    network: Floats = field(default_factory=lambda: np.zeros(2))


@lru_cache(maxsize=1)
def _recipe() -> Mapping[str, Any]:
    return recipe_modules("harmony", "corpora", "build")


def runs_of(song: Song) -> list[Run]:
    """Returns the sections of a song, divided where key or metre change; those shorter than four bars are left out."""
    edges = {0, song.duration_ticks, *(k.tick for k in song.keys), *(m.tick for m in song.meters)}
    edges |= {tick for s in song.sections for tick in (s.start_ticks, s.start_ticks + s.duration_ticks)}
    found = []
    for start, end in pairwise(sorted(e for e in edges if e <= song.duration_ticks)):
        run = _run(song, start, end)
        if run is not None and run.section.num_bars >= 4:
            found.append(run)
    return found


def _run(song: Song, start: int, end: int) -> Run | None:
    corpora = _recipe()["corpora"]
    key = parse_key([k.key for k in song.keys if k.tick <= start][-1])
    meter = [m for m in song.meters if m.tick <= start][-1]
    beats = corpora.felt_beats(meter.numerator, meter.denominator)
    beat_ticks = meter.bar_ticks // beats
    events, symbols = [], []
    for span in song.chords:
        a, b = max(start, span.start_ticks), min(end, span.end_ticks)
        if a < b:
            chord = _known(span.symbol)
            function = _NOTHING if chord is None else function_of(chord, key.tonic)
            events.append(corpora.Event((a - start) / beat_ticks, (b - a) / beat_ticks, function))
            symbols.append("" if chord is None else Chord((chord.root - key.tonic) % 12, chord.quality).symbol())
    if all(event.function == _NOTHING for event in events):
        return None
    first = {event.start_beat: symbol for event, symbol in zip(events, symbols, strict=True)}
    joined = corpora.merged(events, 4 * beats)
    section = next((s for s in song.sections if s.start_ticks <= start < s.start_ticks + s.duration_ticks), None)
    role = section.role if section else "other"
    told = _ROLE_OF.get(role, role)
    bars = (end - start) // meter.bar_ticks
    minor = int(key.is_minor)
    made = corpora.CorpusSection(told if told in ROLES else "other", minor, beats, bars, joined)
    return Run(start, beat_ticks, key.tonic, made, tuple(first[e.start_beat] for e in joined), role)


def joined(song: Song) -> Song:
    """Returns the song with the chords that the tables tell apart: each function in the colour with which it begins."""
    rows = {span.start_ticks: span.symbol for span in song.chords}
    for run in runs_of(song):
        rows = {tick: symbol for tick, symbol in rows.items() if not run.start <= tick < run.end}
        for tick, colour in zip(run.starts, run.colours, strict=True):
            chord = _known(colour) if colour else None
            rows[tick] = NO_CHORD if chord is None else Chord((chord.root + run.tonic) % 12, chord.quality).symbol()
    return replace(song, chords=spans(sorted(rows.items()), song.duration_ticks))


@lru_cache(maxsize=4096)
def _known(symbol: str) -> Chord | None:
    """Returns the chord of a symbol as the event language knows it."""
    chord = parse_chord(symbol)
    return chord if chord is not None and chord.quality in QUALITY_NAMES else None


def table_nats(run: Run, group: str) -> Floats:
    """Returns (which, when) nats of a section's chords by the tables, summed.

    A chord that only goes on, since the tables know none longer than four bars, is a matter of when.
    """
    model, found, known = load_model(), np.zeros(2), {}
    before = _NOTHING
    for seen in _recipe()["build"].observations(run.section, group):
        context, function = seen.context, seen.function
        goes_on = context.history[0] == function == before
        found[int(goes_on)] -= np.log(model.next_function(context, known)[function])
        found[1] -= np.log(model.next_duration(context, function)[seen.duration])
        before = function
    return found


@lru_cache(maxsize=12)
def functions_of_chords(tonic: int) -> Ints:
    """Returns (589,) the function of every chord of the event language over a tonic; the last function + 1 for none."""
    numbers = np.full(_CHORD.size, NUM_FUNCTIONS)
    for root in range(12):
        for quality, name in enumerate(QUALITY_NAMES):
            function = (root - tonic) % 12 * NUM_QUALITIES + quality_of(Chord(root, name))
            numbers[1 + root * len(QUALITY_NAMES) + quality] = function
    return numbers


def by_function(table: NDArray[Any], tonic: int) -> Floats:
    """Returns (n, functions + 1) probabilities from log-probabilities (n, 589) of chords; the last is of none."""
    found = np.zeros((len(table), NUM_FUNCTIONS + 1))
    np.add.at(found.T, functions_of_chords(tonic), np.exp(table.astype(np.float64)).T)
    return found


def keep_functions(example: Example, steps: Ints, table: NDArray[Any]) -> Floats:
    """Returns the probabilities of the functions in the key of each bar."""
    keys = example.bar_table[np.maximum(example.bars[steps], 0), KEY]
    tonics = keys // len(MODE_NAMES)
    found = np.zeros((len(steps), NUM_FUNCTIONS + 1))
    for tonic in np.unique(tonics).tolist():
        mine = tonics == tonic
        found[mine] = by_function(table[mine, _CHORD.start : _CHORD.stop], tonic)
    return found


@dataclass(frozen=True)
class Told:
    """What the network says of the harmony of a song, event by event in order.

    Attributes:
        ticks: (n,) when; where a bar ends without another chord, its last place.
        nats: (n,) of going on or not and of the place.
        has_chord: (n,) whether a chord is said.
        probable: (m, functions + 1) for those.
    """

    ticks: Ints
    nats: Floats
    has_chord: NDArray[Any]
    probable: Floats


def told(network: Network, songs: Sequence[Song], heard: int) -> list[Told]:
    """Returns what the network says of the harmony of songs, of which it hears nothing else."""
    asked, owners, lines = [], [], []
    for number, song in enumerate(songs):
        piece: Piece = index_piece(encode(song).codes)
        found = windows(piece, parts_of(piece, HARMONY, ()), network.max_steps, heard)
        asked += found
        owners += [number] * len(found)
        lines.append(np.append(0, np.cumsum(piece.bar_steps)) * TICKS_PER_STEP)
    readings: dict[int, list[Reading]] = defaultdict(list)
    for number, reading in zip(owners, read(network, asked, keep_functions), strict=True):
        readings[number].append(reading)
    return [_in_time(readings[number], lines[number]) for number in range(len(songs))]


def _in_time(readings: Sequence[Reading], lines: Ints) -> Told:
    ticks, nats, chords, probable = [], [], [], []
    for reading in readings:
        has = np.zeros(len(reading.steps), dtype=bool)
        has[reading.at] = True
        places = reading.window.example.codes[POSITION, reading.steps].astype(np.int64) - 1
        ticks.append(np.where(has, lines[reading.bars] + places * TICKS_PER_STEP, lines[reading.bars + 1] - 1))
        nats.append(reading.nats.sum(axis=1))
        chords.append(has)
        probable.append(reading.kept)
    if not ticks:
        return Told(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, bool), np.zeros((0, NUM_FUNCTIONS + 1)))
    return Told(np.concatenate(ticks), np.concatenate(nats), np.concatenate(chords), np.concatenate(probable))


def network_nats(heard: Told, run: Run) -> Floats:
    """Returns (which, when) nats of a section's chords by the network, summed."""
    starts, events = np.array(run.starts), run.section.events
    rows = np.cumsum(heard.has_chord) - 1
    found = np.zeros(2)
    said = set()
    for i in np.flatnonzero((heard.ticks >= run.start) & (heard.ticks < run.end)).tolist():
        place = int(np.searchsorted(starts, heard.ticks[i], side="right")) - 1
        if place < 0 or events[place].function == _NOTHING:
            continue
        found[1] += heard.nats[i]
        if heard.has_chord[i]:
            before = events[place - 1].function if place else _NOTHING
            found += split_nats(heard.probable[rows[i]], events[place].function, before, is_new=place not in said)
            said.add(place)
    return found


def split_nats(probable: Floats, function: int, before: int, *, is_new: bool) -> Floats:
    """Returns (which, when) nats of a function.

    Args:
        probable: (functions + 1,) of what is said.
        function: what is said.
        before: the function before the one that sounds, -1 for none.
        is_new: whether it begins here, else it is said again.
    """
    cost = -np.log(max(float(probable[function]), 1e-30))
    if not is_new or function == before:
        return np.array([0.0, cost])
    if before < 0:
        return np.array([cost, 0.0])
    leaving = -np.log(max(1.0 - float(probable[before]), 1e-30))
    return np.array([cost - leaving, leaving])


def scores(network: Network, songs: Sequence[Song], group: str, heard: int) -> list[Scores]:
    """Returns the nats of each song's chords under both."""
    found = []
    for song, said in zip(songs, told(network, [joined(song) for song in songs], heard), strict=True):
        row = Scores()
        for run in runs_of(song):
            row.chords += sum(e.function != _NOTHING for e in run.section.events)
            row.table += table_nats(run, group)
            row.network += network_nats(said, run)
        if row.chords:
            found.append(row)
    return found


@dataclass(frozen=True)
class Progression:
    """The chords of the first bars of a section.

    Attributes:
        song: whose.
        run: where from.
        chords: (function, symbol over C) of each.
    """

    song: str
    run: Run
    chords: tuple[tuple[int, str], ...]


def progressions_of(name: str, song: Song) -> list[Progression]:
    """Returns the first eight bars of each section that is long enough and full of chords, different ones once."""
    found: dict[tuple[int, ...], Progression] = {}
    for run in runs_of(song):
        end = EXCERPT_BARS * run.section.beats_per_bar
        inside = [i for i, e in enumerate(run.section.events) if e.start_beat < end]
        functions = tuple(run.section.events[i].function for i in inside)
        full = run.section.num_bars >= EXCERPT_BARS and _NOTHING not in functions
        if full and len(functions) >= MIN_CHORDS and run.section.events[0].start_beat == 0:
            chords = tuple((f, run.colours[i]) for f, i in zip(functions, inside, strict=True))
            found.setdefault(functions, Progression(name, run, chords))
    return list(found.values())


def choices(songs: Mapping[str, Song], each: int, seed: int) -> list[tuple[Progression, list[list[tuple[int, str]]]]]:
    """Returns progressions with nine of other songs of the same mode and metre, in the same rhythm.

    Args:
        songs: of one corpus, by name.
        each: most progressions of a song.
        seed: decides which.
    """
    own = {name: progressions_of(name, song) for name, song in songs.items()}
    found = []
    for name, mine in own.items():
        random = generator(seed, "progressions", name)
        for i in random.permutation(len(mine))[:each].tolist():
            true, section = mine[i], mine[i].run.section
            strangers = [
                p.chords[: len(true.chords)]
                for other, rows in own.items()
                for p in rows
                if other != name and len(p.chords) >= len(true.chords)
                and (p.run.section.mode, p.run.section.beats_per_bar) == (section.mode, section.beats_per_bar)
            ]  # fmt: skip
            mixed = [strangers[j] for j in random.permutation(len(strangers)).tolist()]
            different = {tuple(f for f, _ in chords): chords for chords in reversed(mixed)}
            different.pop(tuple(f for f, _ in true.chords), None)
            if len(different) >= OTHERS:
                picked = [list(different[key]) for key in list(different)[-OTHERS:]]
                found.append((true, [list(true.chords), *picked]))
    return found


def excerpt(true: Progression, chords: Sequence[tuple[int, str]], song: Song) -> tuple[Song, Run]:
    """Returns eight bars of a song with other chords in their rhythm, and their section."""
    corpora, run = _recipe()["corpora"], true.run
    meter = [m for m in song.meters if m.tick <= run.start][-1]
    beats = EXCERPT_BARS * run.section.beats_per_bar
    end = beats * run.beat_ticks
    timed = [e for e in run.section.events if e.start_beat < beats]
    events = tuple(
        corpora.Event(e.start_beat, min(e.num_beats, beats - e.start_beat), function)
        for e, (function, _) in zip(timed, chords, strict=True)
    )
    rows = [(round(e.start_beat * run.beat_ticks), symbol) for e, (_, symbol) in zip(events, chords, strict=True)]
    section = corpora.CorpusSection(run.section.role, run.section.mode, run.section.beats_per_bar, EXCERPT_BARS, events)
    key = f"{name_of(0)} {'minor' if run.section.mode else 'major'}"
    made = Song(
        style=song.style,
        duration_ticks=end,
        tempos=(TempoChange(0, song.tempos[0].bpm),),
        meters=(MeterChange(0, meter.numerator, meter.denominator),),
        keys=(KeyChange(0, key),),
        sections=(Section("A", run.role, 0, end, 0.5),) if run.role != "other" else (),
        chords=spans(rows, end),
    )
    return made, Run(0, run.beat_ticks, 0, section, tuple(symbol for _, symbol in chords), run.role)


def forced_choice(
    network: Network, songs: Mapping[str, Song], asked: Sequence[tuple[Progression, list[list[tuple[int, str]]]]],
    group: str,
) -> list[tuple[str, float, float]]:  # fmt: skip
    """Returns of each progression its song, and whether table and network find it likelier than the nine others."""
    made = [excerpt(true, chords, songs[true.song]) for true, several in asked for chords in several]
    said = told(network, [song for song, _ in made], 0)
    learned = [float(network_nats(heard, run).sum()) for heard, (_, run) in zip(said, made, strict=True)]
    table = [float(table_nats(run, group).sum()) for _, run in made]
    found, at = [], 0
    for true, several in asked:
        found.append((true.song, wins(table[at : at + len(several)]), wins(learned[at : at + len(several)])))
        at += len(several)
    return found
