"""POP909: tune, counter-melody and piano of pop songs, on the corrected beats of POP909-CL, with chords and sections.

Which note is whose comes from POP909, bar lines, metres, keys and chords from POP909-CL (the same notes, moved by a
whole number of ticks), sections from the hand-made phrase labels of the structure annotations.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from pathlib import Path

from songwright.collection.chord_names import sounding_symbol, spans
from songwright.collection.corpus import Corpus, Source
from songwright.collection.form import sections, with_energy
from songwright.collection.homophony import chord_fit
from songwright.errors import DataError
from songwright.score.midi import read_midi
from songwright.score.song import (
    TICKS_PER_QUARTER,
    ChordSpan,
    Note,
    Section,
    SectionRole,
    Song,
    TempoChange,
    Track,
    TrackRole,
)
from songwright.score.theory import signature_of

_GRID = TICKS_PER_QUARTER // 24
_SIXTEENTH = TICKS_PER_QUARTER // 4
_PLAYERS: dict[str, tuple[str, TrackRole, str]] = {
    "MELODY": ("melody", "melody", "flute"),
    "BRIDGE": ("bridge", "counter_melody", "electric_piano"),
    "PIANO": ("piano", "chords", "acoustic_grand_piano"),
}
_MIN_SHARED = 0.9
"""Share of notes that must be found in both editions."""
_MIN_AGREEING = 0.6
"""Share of the annotated tune that must be found in the played one."""
_SLOW_BPM = 92.0
_BASS_BELOW = 48
"""Notes of the piano below this tell where bars begin."""
_SURELY_BASS, _BASS_AT_MOST = 45, 55
"""Notes below the first are bass wherever they stand; the lowest of half a bar is if it lies below the second."""
_TRUST = 0.8
"""What the annotated bar lines weigh, where all changes of chord and all low notes weigh 1 each."""
_CLEARLY = 0.06
_JOINED = 2 * _SIXTEENTH
"""A sung note whose silence after it is no longer than this lasts to the next: the rest is how it was cut off."""


def find(data: Path) -> Iterator[Source]:
    """Yields the songs that lie in both editions."""
    for path in sorted((data / "pop909" / "POP909").glob("*/*.mid")):
        clean = data / "pop909-cl" / path.name
        if clean.is_file():
            yield Source(path.stem, path, song=f"pop909/{path.stem}", about=(f"clean={clean}",))


def read(source: Source) -> Song:
    """Returns one song.

    Raises:
        DataError: a file is broken, or the two editions do not hold the same notes.
    """
    played, clean = read_midi(source.path), read_midi(Path(source.note("clean")))
    score = [t for t in clean.tracks if t.name == "piano"]
    chords = [n for t in clean.tracks if t.name != "piano" for n in t.notes]
    if not score or not chords:
        raise DataError(source.path, "the corrected edition lacks its score or its chord track")
    shift = _shift(played.tracks, score[0].notes, source.path)
    tracks = tuple(
        Track(*_PLAYERS[t.name][:3], t.name.capitalize(), _on_beats(t.notes, shift, single=t.name == "MELODY"))
        for t in played.tracks
        if t.name in _PLAYERS
    )
    tracks = tuple(sorted((t for t in tracks if t.notes), key=lambda t: ("melody", "bridge", "piano").index(t.id)))
    end = clean.duration_ticks
    bpm = _steady_bpm(played)
    song = Song(
        title=f"POP909 {source.id}",
        style="mandarin_ballad" if bpm < _SLOW_BPM else "pop",
        duration_ticks=max(end, _end_of_bar(clean, max(n.end_ticks for t in tracks for n in t.notes))),
        tempos=(TempoChange(0, bpm),),
        meters=clean.meters,
        keys=clean.keys,
        tracks=tracks,
    )
    begin = _structure_start(source, song)
    song = replace(song, chords=_fitting(_chords(chords, song), song))
    late = _lateness(song, begin)
    song = _later(song, late)
    return with_energy(replace(song, sections=_sections(source, song, None if begin is None else begin + late)))


def _lateness(song: Song, begin: int | None) -> int:
    """Returns how many ticks later everything must begin for bar lines to fall where bars are felt.

    Half of the corrected files begin on another beat than the first. Where bars begin is shown by the hand-made phrase
    labels (the most trusted), by the beats on which chords change, and by those on which the piano plays low.

    Args:
        song: of one metre, with chords.
        begin: tick at which the annotated bars begin, None if unknown.
    """
    meter = song.meters[0]
    if len(song.meters) > 1:
        return 0
    beat = TICKS_PER_QUARTER * 4 // meter.denominator
    weights = [0.0] * meter.numerator
    changes = [c.start_ticks for c in song.chords]
    low = [n.start_ticks for t in song.tracks for n in t.notes if t.id == "piano" and n.pitch < _BASS_BELOW]
    for ticks in (changes, low):
        on_beats = [tick // beat % meter.numerator for tick in ticks if tick % beat == 0]
        for place in on_beats:
            weights[place] += 1.0 / len(on_beats)
    if begin is not None and begin % beat == 0 and (meter.numerator, meter.denominator) == (4, 4):
        weights[begin // beat % meter.numerator] += _TRUST
    best = max(range(len(weights)), key=lambda place: (weights[place], -place))
    return (meter.numerator - best) % meter.numerator * beat


def _later(song: Song, ticks: int) -> Song:
    """Returns the song after some silence; its last bar is filled."""
    if not ticks:
        return song
    tracks = tuple(
        replace(t, notes=tuple(replace(n, start_ticks=n.start_ticks + ticks) for n in t.notes)) for t in song.tracks
    )
    last = max(n.end_ticks for t in tracks for n in t.notes)
    bar = song.meters[0].bar_ticks
    end = max(-(-last // bar) * bar, song.duration_ticks // bar * bar)
    rows = [(c.start_ticks + ticks, c.symbol) for c in song.chords]
    return replace(
        song,
        tracks=tracks,
        duration_ticks=end,
        chords=spans(rows, end),
        keys=tuple(replace(k, tick=k.tick + ticks if k.tick else 0) for k in song.keys),
    )


def _shift(tracks: Sequence[Track], score: Sequence[Note], path: Path) -> int:
    """Returns how many ticks later the corrected edition has the notes of the played one."""
    places: dict[tuple[int, int], list[int]] = defaultdict(list)
    for n in score:
        places[n.pitch, n.velocity].append(n.start_ticks)
    notes = [n for t in tracks for n in t.notes]
    votes = Counter(
        round((there - n.start_ticks) / _GRID) for n in notes for there in places.get((n.pitch, n.velocity), ())
    )
    if not votes:
        raise DataError(path, "no note of it is in the corrected edition")
    best = max(votes, key=lambda v: votes[v - 1] + votes[v] + votes[v + 1])
    exact = sorted(
        there - n.start_ticks
        for n in notes
        for there in places.get((n.pitch, n.velocity), ())
        if abs((there - n.start_ticks) / _GRID - best) <= 1.5
    )
    if len(exact) < _MIN_SHARED * len(notes):
        raise DataError(path, f"only {len(exact) / len(notes):.0%} of its notes are in the corrected edition")
    return exact[len(exact) // 2]


def _on_beats(notes: Sequence[Note], shift: int, *, single: bool) -> tuple[Note, ...]:
    """Returns the notes on the corrected beats, 24 places to the quarter, ends on sixteenths.

    Args:
        notes: as played.
        shift: see `_shift`.
        single: whether only one may sound at a time.
    """
    rows = []
    for n in notes:
        start = round((n.start_ticks + shift) / _GRID) * _GRID
        end = round((n.start_ticks + shift + n.duration_ticks) / _SIXTEENTH) * _SIXTEENTH
        if start >= 0:
            rows.append(Note(start, max(end - start, _SIXTEENTH if start % _SIXTEENTH == 0 else _GRID * 4), n.pitch,
                             n.velocity))  # fmt: skip
    rows = [next(group) for _, group in groupby(sorted(rows), key=lambda n: (n.start_ticks, n.pitch))]
    if not single:
        return tuple(rows)
    tops = [max(group, key=lambda n: n.pitch) for _, group in groupby(rows, key=lambda n: n.start_ticks)]
    out = []
    for a, b in pairwise([*tops, Note(1 << 40, 1, 0, 1)]):
        room = b.start_ticks - a.start_ticks
        length = room if room - a.duration_ticks <= _JOINED else a.duration_ticks
        out.append(Note(a.start_ticks, length, a.pitch, a.velocity))
    return tuple(out)


def _steady_bpm(song: Song) -> float:
    """Returns the tempo that holds longest, whole beats a minute."""
    ends = [t.tick for t in song.tempos[1:]] + [song.duration_ticks]
    held: Counter[int] = Counter()
    for tempo, end in zip(song.tempos, ends, strict=True):
        held[round(tempo.bpm)] += max(0, end - tempo.tick)
    return float(max(held, key=lambda bpm: (held[bpm], -bpm)))


def _end_of_bar(song: Song, tick: int) -> int:
    last = song.meters[-1]
    return last.tick + -(-max(0, tick - last.tick) // last.bar_ticks) * last.bar_ticks


def _fitting(chords: tuple[ChordSpan, ...], song: Song) -> tuple[ChordSpan, ...]:
    """Returns the chords a beat earlier or later where that fits the piano clearly better: some tracks were moved."""
    piano = [t for t in song.tracks if t.id == "piano"]
    best, fit = chords, chord_fit(piano, chords) + _CLEARLY
    for shift in (-TICKS_PER_QUARTER, TICKS_PER_QUARTER):
        moved = spans([(c.start_ticks + shift, c.symbol) for c in chords], song.duration_ticks)
        value = chord_fit(piano, moved)
        if value > fit:
            best, fit = moved, value
    return best


def _chords(notes: Sequence[Note], song: Song) -> tuple[ChordSpan, ...]:
    """Returns the chords of the expert track, on eighths."""
    flats = signature_of(song.keys[0].key) < 0
    eighth = 2 * _SIXTEENTH
    rows: list[tuple[int, str]] = []
    end = 0
    for start, group in groupby(sorted(notes), key=lambda n: round(n.start_ticks / eighth) * eighth):
        together = list(group)
        if start > end + eighth:
            rows.append((end, "N.C."))
        rows.append((start, sounding_symbol(tuple(n.pitch for n in together), flats=flats)))
        end = round(max(n.end_ticks for n in together) / eighth) * eighth
    return spans([*rows, (end, "N.C.")] if end + 4 * TICKS_PER_QUARTER < song.duration_ticks else rows,
                 song.duration_ticks)  # fmt: skip


def _sections(source: Source, song: Song, begin: int | None) -> tuple[Section, ...]:
    """Returns the sections of the structure annotations, if they fit these bars.

    Args:
        source: the song.
        song: with its notes.
        begin: tick at which the annotations' time begins, None if unknown.
    """
    bar = 4 * TICKS_PER_QUARTER
    if begin is None or {(m.numerator, m.denominator) for m in song.meters} != {(4, 4)} or song.duration_ticks < bar:
        return ()
    folder = _structure(source)
    phrases = [(letter, int(count)) for letter, count in
               re.findall(r"([A-Za-z])(\d+)", (folder / "human_label1.txt").read_text())]  # fmt: skip
    rows: list[tuple[int, int, str]] = []
    at = round(begin / bar) * bar
    if at > 0:
        rows.append((0, at, "i"))
    for letter, count in phrases:
        start, end = max(0, at), min(song.duration_ticks, at + count * bar)
        at += count * bar
        if end > start:
            rows.append((start, end, letter))
    if not rows:
        return ()
    if rows[-1][1] < song.duration_ticks:
        start, _, letter = rows[-1]
        rows[-1] = (start, song.duration_ticks, letter)
    roles = _roles(rows, song)
    return sections([(start, end, role, letter) for (start, end, letter), role in zip(rows, roles, strict=True)])


def _structure(source: Source) -> Path:
    return source.path.parent.parent.parent / "structure" / source.id


def _structure_start(source: Source, song: Song) -> int | None:
    """Returns the tick at which the annotations' time begins, found by the tune that both hold; None if unsure."""
    folder = _structure(source)
    if not (folder / "human_label1.txt").is_file() or not (folder / "melody.txt").is_file():
        return None
    tune = next((t.notes for t in song.tracks if t.id == "melody"), ())
    places: dict[int, list[int]] = defaultdict(list)
    for n in tune:
        places[n.pitch].append(round(n.start_ticks / _SIXTEENTH))
    votes: Counter[int] = Counter()
    at = count = 0
    for line in (folder / "melody.txt").read_text().splitlines():
        pitch, length = (int(x) for x in line.split()[:2])
        if pitch:
            count += 1
            votes.update(there - at for there in places.get(pitch, ()))
        at += length
    if not votes:
        return None
    best, agree = votes.most_common(1)[0]
    return best * _SIXTEENTH if agree >= _MIN_AGREEING * count else None


def _roles(rows: Sequence[tuple[int, int, str]], song: Song) -> list[SectionRole]:
    """Returns what each phrase is: capitals are sung; of them the most lifted one that comes back is the chorus."""
    capitals = [letter for _, _, letter in rows if letter.isupper()]
    lift = {letter: _lift([row for row in rows if row[2] == letter], song) for letter in dict.fromkeys(capitals)}
    back = [letter for letter in lift if capitals.count(letter) >= 2] or list(lift)
    first = capitals[0] if capitals else ""
    chorus = max((letter for letter in back if letter != first), key=lambda c: lift[c], default="")
    out: list[SectionRole] = []
    for i, (_, _, letter) in enumerate(rows):
        following = next((c for _, _, c in rows[i + 1 :] if c != letter), "")
        if letter in "iIoO":
            out.append("intro" if letter in "iI" else "outro")
        elif letter.islower() or letter == "X":
            out.append("intro" if not any(c.isupper() for _, _, c in rows[:i]) else
                       "outro" if not any(c.isupper() for _, _, c in rows[i:]) else "interlude")  # fmt: skip
        elif letter == chorus:
            out.append("chorus")
        elif letter != first and following == chorus and capitals.count(letter) >= 2:
            out.append("prechorus")
        elif letter == first or capitals.count(letter) >= 2:
            out.append("verse")
        else:
            out.append("bridge")
    return out


def _lift(rows: Sequence[tuple[int, int, str]], song: Song) -> float:
    """Returns how high and how busy phrases are: mean pitch of the tune plus notes a bar of everything."""
    tune = next((t.notes for t in song.tracks if t.id == "melody"), ())
    sung = [n.pitch for n in tune for start, end, _ in rows if start <= n.start_ticks < end]
    all_notes = sum(start <= n.start_ticks < end for t in song.tracks for n in t.notes for start, end, _ in rows)
    bars = sum(end - start for start, end, _ in rows) / (4 * TICKS_PER_QUARTER)
    return (sum(sung) / len(sung) if sung else 0.0) + 0.2 * all_notes / max(1.0, bars)


def _lowest_line(notes: Sequence[Note], song: Song) -> list[Note]:
    """Returns the bass of a piano: in every half bar the lowest pitch, if it is low, and what else is really low."""
    meter = song.meters[0]
    half = meter.bar_ticks // 2 if meter.numerator % 2 == 0 else meter.bar_ticks
    line: list[Note] = []
    for _, group in groupby(notes, key=lambda n: n.start_ticks // half):
        together = list(group)
        least = min(n.pitch for n in together)
        low = [n for n in together if n.pitch < _SURELY_BASS or (n.pitch == least and least < _BASS_AT_MOST)]
        line += [min(g, key=lambda n: n.pitch) for _, g in groupby(low, key=lambda n: n.start_ticks)]
    return line


def read_hands(source: Source) -> Song:
    """Returns one song with the piano in two: its lowest line as the bass, the rest as the chords.

    Raises:
        DataError: as for `read`, or hardly anything of the piano lies low enough to be a bass.
    """
    song = read(source)
    piano = song.track("piano")
    line = _lowest_line(piano.notes, song)
    if len(line) < 0.5 * len(song.bar_starts()):
        raise DataError(source.path, "the piano plays no bass")
    taken = {(n.start_ticks, n.pitch) for n in line}
    bass = tuple(
        replace(a, duration_ticks=max(1, min(a.duration_ticks, b.start_ticks - a.start_ticks)))
        for a, b in pairwise([*line, Note(1 << 40, 1, 0, 1)])
    )
    rest = tuple(n for n in piano.notes if (n.start_ticks, n.pitch) not in taken)
    tracks = [replace(t, notes=rest) if t.id == "piano" else t for t in song.tracks]
    tracks.append(Track("bass", "bass", "electric_bass_finger", "Bass", bass))
    return replace(song, tracks=tuple(t for t in tracks if t.notes))


CORPUS = Corpus(
    name="pop909",
    licence="MIT",
    attribution="POP909 (Wang et al., ISMIR 2020), (c) 2020 Music X Lab; structure: Dai, Zhang and Dannenberg 2020, "
    "(c) 2020 Shuqi Dai; POP909-CL: (c) 2025 AndyWeasley2004 (BACHI, arXiv 2510.06528)",
    find=find,
    read=read,
    needs=("pop909-cl",),
)
HANDS = replace(CORPUS, name="pop909-hands", folder="pop909", read=read_hands)
