"""Words of other programs put on notes, and what our own files say of singers and syllables.

`Heard` is what a file says of one syllable; `with_words` makes syllables, words, lines and melismas of it. Used by
`midi_import` and `musicxml_import`; how a word's syllables are joined is in `sung`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from songwright.errors import InputError
from songwright.score.song import DELIVERIES, TICKS_PER_QUARTER, Note, Singer, Song, Syllable
from songwright.score.sung import Place, join_words

_TIED_TICKS = TICKS_PER_QUARTER // 8
"""A note without words that begins no later than this after a sung one goes on with its syllable."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A syllable that a file puts on a note.

    Attributes:
        note: index of the note in its track.
        text: the syllable.
        place: where it stands in its word.
        starts_line: whether the file marks a new line here.
    """

    note: int
    text: str
    place: Place
    starts_line: bool = False


def with_words(song: Song, heard: Mapping[int, Sequence[Heard]], *, mark_vocal: bool) -> Song:
    """Returns the song with words on the notes of its tracks.

    Ids and lines count through the song, track after track. A new line begins where the file marks one (if it marks
    any), else after a rest of half a bar or more. A note without words straight after a sung one, alone at its place,
    is a melisma.

    Args:
        song: without syllables.
        heard: by index of the track.
        mark_vocal: whether tracks with words become ``vocal`` ones.
    """
    syllables: list[Syllable] = []
    tracks = list(song.tracks)
    line = 0
    for index in sorted(heard):
        entries = _one_for_each_note(sorted(heard[index], key=lambda h: h.note))
        if not entries:
            continue
        track = tracks[index]
        first = len(syllables)
        joined = join_words([(h.text, h.place) for h in entries])
        lines = _lines(song, track.notes, entries, line)
        syllables += [replace(s, id=first + s.id, line=n) for s, n in zip(joined, lines, strict=True)]
        line = lines[-1] + 1
        ids = {h.note: first + i for i, h in enumerate(entries)}
        tracks[index] = replace(track, notes=_with_melismas(track.notes, ids))
        if mark_vocal and not track.is_drums:
            tracks[index] = replace(tracks[index], role="vocal")
    return replace(song, tracks=tuple(tracks), syllables=tuple(syllables))


def _one_for_each_note(entries: Sequence[Heard]) -> list[Heard]:
    """Returns the syllables, those that share a note made into one."""
    out: list[Heard] = []
    for entry in entries:
        if not out or out[-1].note != entry.note:
            out.append(entry)
            continue
        before = out[-1]
        inside = before.place in ("begin", "middle") and entry.place in ("middle", "end")
        begins, ends = before.place in ("single", "begin"), entry.place in ("single", "end")
        place: Place = ("single" if ends else "begin") if begins else ("end" if ends else "middle")
        text = before.text + ("" if inside else " ") + entry.text
        out[-1] = Heard(entry.note, text, place, before.starts_line)
    return out


def _lines(song: Song, notes: Sequence[Note], entries: Sequence[Heard], first: int) -> list[int]:
    """Returns the line of each syllable, counted from `first`."""
    marked = sum(h.starts_line for h in entries[1:]) >= 1
    lines: list[int] = []
    line, end = first, 0
    for i, entry in enumerate(entries):
        note = notes[entry.note]
        rest = note.start_ticks - end
        bar = next(m for m in reversed(song.meters) if m.tick <= note.start_ticks).bar_ticks
        inside_word = entry.place in ("middle", "end")
        if i and not inside_word and (entry.starts_line if marked else 2 * rest >= bar):
            line += 1
        lines.append(line)
        following = entries[i + 1].note if i + 1 < len(entries) else len(notes)
        end = max(end, note.end_ticks, *(n.end_ticks for n in _carried(notes, entry.note, following)))
    return lines


def _carried(notes: Sequence[Note], index: int, stop: int) -> list[Note]:
    """Returns the notes without words that go on with the syllable of a note, up to the next sung one."""
    starts = Counter(n.start_ticks for n in notes[index : stop + 1])
    out: list[Note] = []
    end = notes[index].end_ticks
    for note in notes[index + 1 : stop]:
        if starts[note.start_ticks] > 1 or note.start_ticks < end - _TIED_TICKS:
            continue
        if note.start_ticks > end + _TIED_TICKS:
            break
        out.append(note)
        end = note.end_ticks
    return out


def _with_melismas(notes: tuple[Note, ...], ids: Mapping[int, int]) -> tuple[Note, ...]:
    sung = sorted(ids)
    found: dict[Note, int] = {}
    for i, index in enumerate(sung):
        stop = sung[i + 1] if i + 1 < len(sung) else len(notes)
        found |= dict.fromkeys(_carried(notes, index, stop), ids[index])
    return tuple(replace(n, syllable=ids[i] if i in ids else found.get(n)) for i, n in enumerate(notes))


def without_unknown(song: Song) -> Song:
    """Returns the song without references to syllables that it does not have, for files that were edited."""
    known = {s.id for s in song.syllables}
    tracks = tuple(
        replace(
            track,
            notes=tuple(
                n if n.syllable is None or n.syllable in known else replace(n, syllable=None) for n in track.notes
            ),
        )
        for track in song.tracks
    )
    return replace(song, tracks=tracks)


def syllable_row(syllable: Syllable) -> list[Any]:
    """Returns a syllable as a list for our own fields in files of other formats."""
    return [*asdict(syllable).values()]


def syllable_of_row(row: Sequence[Any]) -> Syllable:
    """Returns the syllable of such a list; lists of older files are shorter.

    Raises:
        InputError: it is no such list.
    """
    if not isinstance(row, list) or not 2 <= len(row) <= len(Syllable.__dataclass_fields__):
        raise InputError(f"expected a syllable as a list, got {str(row)[:60]}")
    values = dict(zip(Syllable.__dataclass_fields__, row, strict=False))
    if values.get("delivery", "sung") not in DELIVERIES:
        raise InputError(f"delivery '{str(values['delivery'])[:20]}'; expected one of {', '.join(DELIVERIES)}")
    for name in ("id", "stress", "line", "nucleus", "tone"):
        values[name] = int(values.get(name, 0))
    for name in ("text", "word", "language"):
        values[name] = str(values.get(name, ""))
    return Syllable(**{**values, "phonemes": tuple(str(p) for p in values.get("phonemes", ()))})


def singer_data(singer: Singer | None) -> dict[str, Any] | None:
    """Returns a singer for JSON."""
    return asdict(singer) if singer else None


def singer_of_data(data: object) -> Singer | None:
    """Returns the singer that `singer_data` wrote, or None for anything else."""
    if not isinstance(data, dict) or not isinstance(data.get("name"), str) or not data["name"]:
        return None
    given = data.get("parameters")
    parameters = {str(k): float(v) for k, v in given.items()} if isinstance(given, dict) else {}
    return Singer(data["name"], str(data.get("source", "espeak")), parameters)
