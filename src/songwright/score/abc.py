"""ABC notation as songs: `parse_abc` for one tune, `split_tunes` for a book of them, `read_abc` for a file.

Voices, repeats and endings, chord symbols, the first verse of the words, changes of key, metre and tempo. Graces,
ornaments and slurs are passed over. Measures that are shorter or longer than their metre get one of their own.
Reference: the ABC music standard 2.1. What stands between bar lines is read by `abc_voice`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

from songwright.errors import DataError, InputError
from songwright.files import slug
from songwright.score.abc_voice import WHOLE, Measure, Voice, read_key, read_meter, read_tempo
from songwright.score.roles import guess_roles
from songwright.score.song import (
    TICKS_PER_QUARTER,
    ChordSpan,
    KeyChange,
    MeterChange,
    Note,
    Song,
    TempoChange,
    Track,
    check,
)
from songwright.score.theory import NO_CHORD
from songwright.score.words_on_notes import Heard, with_words

MAX_BYTES = 20_000_000
MAX_MEASURES = 20_000
_MAX_TURNS = 8


def split_tunes(text: str) -> list[str]:
    """Returns the tunes of a book, each from its ``X:`` line to the next."""
    return [block for block in re.split(r"(?m)^(?=X\s*:)", text) if re.match(r"X\s*:", block)]


def read_abc(path: Path, index: int = 0, *, unfold: bool = True) -> Song:
    """Returns one tune of a file.

    Args:
        path: the file.
        index: which tune, from 0.
        unfold: see `parse_abc`.

    Raises:
        DataError: the file cannot be read, or has no such tune, or the tune cannot be understood.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(path, "larger than 20 MB: this is no book of tunes")
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror}") from error
    tunes = split_tunes(text)
    if index >= len(tunes):
        raise DataError(path, f"{len(tunes)} tunes in it; expected one beginning with X:, number {index + 1}")
    try:
        return parse_abc(tunes[index], unfold=unfold)
    except InputError as error:
        raise DataError(path, f"tune {index + 1}: {error}") from error


@dataclass
class _Tune:
    """The lines of a tune, sorted.

    Attributes:
        header: fields before the key, the first of each letter.
        octaves: of voices, how much higher they sound than written.
        body: (voice, kind, text): kind ``music``, ``words`` or a field's letter.
    """

    header: dict[str, str] = field(default_factory=dict)
    octaves: dict[str, int] = field(default_factory=dict)
    body: list[tuple[str, str, str]] = field(default_factory=list)


def parse_abc(text: str, *, unfold: bool = True) -> Song:
    """Returns the song of one tune.

    Args:
        text: the tune, with its header.
        unfold: whether repeats are written out as they sound; else every repeated stretch stands once, with its last
            ending.

    Raises:
        InputError: it has no key or no notes, or a sign that cannot be understood.
    """
    tune = _sorted(text)
    if "K" not in tune.header:
        raise InputError("no K: field; expected an ABC tune")
    key = read_key(tune.header["K"]) or ("C major", {})
    meter = read_meter(tune.header.get("M", "C"))
    voices = _voices(tune, key, meter)
    if not any(m.notes or m.chords for v in voices.values() for m in v.measures):
        raise InputError("no notes")
    main = max(voices.values(), key=lambda v: len([m for m in v.measures if m.length > 0]))
    order = _order(main.measures, unfold=unfold)
    song = _song(tune, list(voices.items()), order, key[0], meter or (4, 4))
    check(song)
    return song


def _sorted(text: str) -> _Tune:
    tune = _Tune()
    voice = ""
    in_header = True
    for raw in re.sub(r"\\\s*\n(?![A-Za-z]:)", " ", text).splitlines():
        line = re.sub(r"(?<!\\)%.*$", "", raw).rstrip()
        match = re.match(r"^\s*([A-Za-z]):(.*)$", line)
        if match:
            letter, value = match.group(1), match.group(2).strip()
            if letter == "V":
                name = value.split()[0] if value.split() else ""
                if in_header or name not in tune.octaves:
                    tune.octaves.setdefault(name, _octave_of(value))
                if not in_header:
                    voice = name
            elif in_header:
                tune.header.setdefault(letter, value)
                in_header = letter != "K"
            elif letter == "w":
                tune.body.append((voice, "words", value))
            elif letter in "KMLQ":
                tune.body.append((voice, letter, value))
            continue
        if in_header or not line.strip():
            continue
        for piece in re.split(r"(?=\[V:)", line):
            found = re.match(r"^\[V:\s*([^\]\s]+)[^\]]*\](.*)$", piece)
            if found:
                voice, piece = found.group(1), found.group(2)
            if piece.strip():
                tune.body.append((voice, "music", piece))
    return tune


def _octave_of(value: str) -> int:
    found = re.search(r"octave\s*=\s*([+-]?\d+)", value)
    shift = int(found.group(1)) if found else 0
    return shift - len(re.findall(r"clef\s*=\s*\S*-8", value)) + len(re.findall(r"clef\s*=\s*\S*\+8", value))


def _voices(tune: _Tune, key: tuple[str, dict[str, int]], meter: tuple[int, int] | None) -> dict[str, Voice]:
    """Returns every voice with notes, in the order of their first appearance."""
    voices: dict[str, Voice] = {}
    unit = _unit(tune.header.get("L", ""), meter)
    early: list[tuple[str, str]] = []
    for name, kind, text in tune.body:
        if kind == "words":
            if name in voices:
                voices[name].sing(text)
            continue
        if kind == "music" and name not in voices:
            voices[name] = Voice(unit, key, meter, tune.octaves.get(name, 0))
            for letter, value in early:
                voices[name].field(letter, value)
        if kind == "music":
            voices[name].music(text)
        elif not voices:
            early.append((kind, text))
        else:
            for voice in [voices[name]] if name in voices else list(voices.values()):
                voice.field(kind, text)
    return voices


def _unit(text: str, meter: tuple[int, int] | None) -> Fraction:
    match = re.match(r"^\s*(\d+)\s*/\s*(\d+)", text)
    if match and int(match.group(2)):
        return Fraction(WHOLE * int(match.group(1)), int(match.group(2)))
    short = meter is not None and Fraction(*meter) < Fraction(3, 4)
    return Fraction(WHOLE, 16 if short else 8)


def _order(measures: Sequence[Measure], *, unfold: bool) -> list[int]:
    """Returns the measures in the order in which they are played (or each once, without first endings)."""
    ending = _ending_of(measures)
    order: list[int] = []
    begin, turn, index = 0, 1, 0
    last_of_group = {i: max(g) for g in _groups(measures, ending) for i in g if g}
    while index < len(measures) and len(order) < MAX_MEASURES:
        measure = measures[index]
        if measure.opens and index != begin:
            begin, turn = index, 1
        played = not ending[index] or turn in ending[index]
        if not unfold and ending[index]:
            group_last = max(ending[last_of_group.get(index, index)] or (1,))
            played = group_last in ending[index]
        if played:
            order.append(index)
        if measure.closes and unfold and played and turn < _MAX_TURNS:
            turns = max((max(e) for e in ending[begin:] if e), default=0)
            if turn < max(2, _turns_here(ending, index, turns)):
                turn += 1
                index = begin
                continue
        if measure.closes and played and not (index + 1 < len(measures) and ending[index + 1]):
            begin, turn = index + 1, 1
        index += 1
    return order


def _turns_here(ending: Sequence[tuple[int, ...]], index: int, turns: int) -> int:
    """Returns how many turns a repeat that closes at a measure has."""
    if not ending[index]:
        return 2
    count = max(ending[index])
    following = index + 1
    while following < len(ending) and ending[following]:
        count = max(count, *ending[following])
        following += 1
    return min(count, turns)


def _ending_of(measures: Sequence[Measure]) -> list[tuple[int, ...]]:
    """Returns for each measure the turns whose ending it belongs to: up to the close of a repeat, or the next mark."""
    out: list[tuple[int, ...]] = []
    current: tuple[int, ...] = ()
    ended = True
    for i, measure in enumerate(measures):
        if measure.endings:
            current, ended = measure.endings, False
        elif ended or measure.opens:
            current = ()
        out.append(current)
        is_last = current and 1 not in current and not measure.closes
        following = measures[i + 1] if i + 1 < len(measures) else None
        if measure.closes or (is_last and (following is None or following.opens or out.count(current) >= _span(out))):
            ended = True
    return out


def _span(out: Sequence[tuple[int, ...]]) -> int:
    """Returns how many measures the ending before the present one has; a last ending is no longer."""
    current = out[-1]
    before = [e for e in out if e and e != current]
    return max(1, len([e for e in before if e == before[-1]])) if before else 1


def _groups(measures: Sequence[Measure], ending: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """Returns the runs of measures that are endings of one repeat."""
    groups: list[list[int]] = []
    for i in range(len(measures)):
        if not ending[i]:
            continue
        if groups and groups[-1][-1] == i - 1 and not (ending[i - 1] != ending[i] and 1 in ending[i]):
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def _song(
    tune: _Tune,
    voices: Sequence[tuple[str, Voice]],
    order: Sequence[int],
    key: str,
    meter: tuple[int, int],
) -> Song:
    """Returns the song of voices; one whose bar lines differ from the main one's keeps its own time."""
    main = max((v for _, v in voices), key=lambda v: len(v.measures))
    lengths = [round(main.measures[i].length) for i in order]
    starts = _running(lengths)
    at = sum(lengths)
    maps = _maps(voices, order, starts, lengths, (key, meter, read_tempo(tune.header.get("Q", ""))))
    tracks: list[Track] = []
    heard: dict[int, list[Heard]] = {}
    for name, voice in voices:
        own = [round(voice.measures[i].length) if i < len(voice.measures) else 0 for i in order]
        agrees = sum(a == b for a, b in zip(own, lengths, strict=True)) >= 0.8 * len(order)
        notes, words = _notes(voice, order, starts if agrees else _running(own))
        if notes:
            if words:
                heard[len(tracks)] = words
            tracks.append(Track(slug(name or "tune", 40), "counter_melody", "violin", name or "Tune", tuple(notes)))
    song = Song(
        title=tune.header.get("T", "Untitled") or "Untitled",
        duration_ticks=max(at, 1, *(n.end_ticks for t in tracks for n in t.notes)),
        tempos=maps[0],
        meters=maps[1],
        keys=maps[2],
        chords=_chords(voices, order, starts, at),
        tracks=guess_roles(_unique(tracks)),
    )
    return with_words(song, heard, mark_vocal=True)


def _running(lengths: Sequence[int]) -> list[int]:
    """Returns where each of the lengths begins, one after another."""
    return [0, *accumulate(lengths)][:-1]


def _unique(tracks: list[Track]) -> list[Track]:
    seen: dict[str, int] = {}
    out = []
    for track in tracks:
        seen[track.id] = seen.get(track.id, 0) + 1
        out.append(track if seen[track.id] == 1 else replace(track, id=f"{track.id}-{seen[track.id]}"))
    return out


def _maps(
    voices: Sequence[tuple[str, Voice]],
    order: Sequence[int],
    starts: Sequence[int],
    lengths: Sequence[int],
    first: tuple[str, tuple[int, int], float],
) -> tuple[tuple[TempoChange, ...], tuple[MeterChange, ...], tuple[KeyChange, ...]]:
    """Returns tempos, metres and keys; a measure of unusual length has a metre of its own."""
    key, meter, bpm = first
    tempos, meters, keys = [TempoChange(0, bpm or 120.0)], list[MeterChange](), [KeyChange(0, key)]
    nominal = meter
    for index, start, length in zip(order, starts, lengths, strict=True):
        here = [v.measures[index] for _, v in voices if index < len(v.measures)]
        nominal = next((m.meter for m in here if m.meter), nominal)
        full = WHOLE * nominal[0] // nominal[1]
        shown = nominal if length == full else _meter_of(length)
        if length and (not meters or (meters[-1].numerator, meters[-1].denominator) != shown):
            meters.append(MeterChange(start, *shown))
        tempo = next((m.bpm for m in here if m.bpm), 0.0)
        if tempo and tempo != tempos[-1].bpm:
            tempos = [*(t for t in tempos if t.tick < start), TempoChange(start, tempo)]
        changed = next((m.key for m in here if m.key), "")
        if changed and changed != keys[-1].key:
            keys = [*(k for k in keys if k.tick < start), KeyChange(start, changed)]
    tempos = [replace(t, bpm=min(400.0, max(20.0, t.bpm))) for t in tempos]
    if meters and meters[0].tick > 0:
        meters[0] = replace(meters[0], tick=0)
    return tuple(tempos), tuple(meters) or (MeterChange(0, *meter),), tuple(keys)


def _meter_of(ticks: int) -> tuple[int, int]:
    """Returns a metre for a measure of unusual length, rounded up to a sixty-fourth."""
    for unit in (4, 8, 16, 32):
        if ticks % (WHOLE // unit) == 0 and ticks:
            return ticks // (WHOLE // unit), unit
    return max(1, -(-ticks // (TICKS_PER_QUARTER // 16))), 64


def _notes(voice: Voice, order: Sequence[int], starts: Sequence[int]) -> tuple[list[Note], list[Heard]]:
    """Returns the notes of a voice as played, ties joined, and which syllable is on which."""
    found: list[tuple[Note, int]] = []
    open_ties: dict[int, int] = {}
    for index, start in zip(order, starts, strict=True):
        if index >= len(voice.measures):
            continue
        for at, length, pitch, tied, word in sorted(voice.measures[index].notes, key=lambda n: (n[0], n[2])):
            a, b = start + round(at), start + round(at + length)
            before = open_ties.pop(pitch, None)
            if before is not None and found[before][0].end_ticks == a:
                note, old = found[before]
                found[before] = (replace(note, duration_ticks=b - note.start_ticks), old)
                place = before
            elif b > a:
                place = len(found)
                found.append((Note(a, b - a, pitch, 80), word))
            else:
                continue
            if tied:
                open_ties[pitch] = place
    order_of = sorted(range(len(found)), key=lambda i: (found[i][0].start_ticks, found[i][0].pitch))
    notes = [found[i][0] for i in order_of]
    heard = [
        Heard(rank, voice.words[found[i][1]][0], voice.words[found[i][1]][1])
        for rank, i in enumerate(order_of)
        if found[i][1] >= 0 and voice.words[found[i][1]][0]
    ]
    return notes, heard


def _chords(
    voices: Sequence[tuple[str, Voice]], order: Sequence[int], starts: Sequence[int], end: int
) -> tuple[ChordSpan, ...]:
    """Returns the chords of the first voice that has any, each up to the next; silence before the first is N.C."""
    for _, voice in voices:
        found = {
            start + round(at): symbol
            for index, start in zip(order, starts, strict=True)
            if index < len(voice.measures)
            for at, symbol in voice.measures[index].chords
        }
        if found:
            found.setdefault(0, NO_CHORD)
            ticks = sorted(t for t in found if t < end)
            return tuple(ChordSpan(a, b - a, found[a]) for a, b in zip(ticks, [*ticks[1:], end], strict=True) if b > a)
    return ()
