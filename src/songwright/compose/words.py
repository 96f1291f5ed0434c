"""Words set to a tune that is given: phrases of the tune are matched with lines, and every mismatch is solved and told.

No word and no note is dropped: notes are split where a line has more syllables, syllables are sung on several notes
where it has fewer, and tune or words go round again where one is about twice as long as the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from songwright.compose.melody.word_lines import WordLine, word_line
from songwright.errors import InputError
from songwright.lyrics.sheet import LyricLine, LyricSheet
from songwright.score.song import TICKS_PER_QUARTER, Note, Song, Syllable, Track

EIGHTH = TICKS_PER_QUARTER // 2
GRID = TICKS_PER_QUARTER // 4
AGAIN = 1.8
"""From this ratio of notes to syllables on, the words (or, the other way round, the tune) are sung again."""
MISMATCH_COST = 4.0
PHRASE_COSTS = (0.0, 0.6, 1.2, 4.0)
"""Of a line that ends at a long rest, at a short one, on a long note, or in the middle of things."""
WIDEST = 3
"""A line takes at most so many times its share of the notes (and twice the freedom below)."""
FREEDOM = 48
"""How many notes the end of a line may lie from where its share of the syllables would put it."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of words with the notes it got."""

    words: WordLine
    text: str
    notes: tuple[Note, ...]


def set_words(source: Song | Track, sheet: LyricSheet) -> tuple[Track, tuple[Syllable, ...], tuple[str, ...]]:
    """Returns a tune with words on it, its syllables, and what the person should know, line by line.

    Args:
        source: a track, or a song whose track with lyrics, else its melody, else its first pitched track is taken; of
            notes that sound together the highest is sung. Words that are on it already are replaced.
        sheet: sounded.

    Raises:
        InputError: there are no notes, or nothing that can be sung.
    """
    track = source if isinstance(source, Track) else tune_track(source)
    notes = top_line(track.notes)
    lines = [line for line in sheet.lines() if line.syllables]
    if not notes:
        raise InputError(f"track '{track.id}' has no notes to set words to")
    if not lines:
        raise InputError("the lyrics hold nothing that can be sung: expected lines of words, found only tags or signs")
    told: list[str] = []
    notes, lines = _gone_round(notes, lines, told)
    sounded = [word_line(line) for line in lines]
    texts = [line.text for line in lines]
    sounded, texts = _joined(sounded, texts, len(notes), told)
    spans = divide(notes, [len(line.syllables) for line in sounded])
    set_notes: list[Note] = []
    syllables: list[Syllable] = []
    for index, (words, text, (start, end)) in enumerate(zip(sounded, texts, spans, strict=True)):
        line = _Line(words, text, tuple(notes[start:end]))
        following = notes[end].start_ticks if end < len(notes) else None
        set_notes.extend(_set_line(line, len(syllables), index, following, told))
        syllables.extend(_syllables(words, len(syllables), index))
    voice = replace(track, role="vocal", instrument="voice", notes=tuple(set_notes), bends=(), controls=())
    return voice, tuple(syllables), tuple(told)


def tune_track(song: Song) -> Track:
    """Returns the track of a song that is its tune: the one with lyrics, else a melody, else the first pitched.

    Raises:
        InputError: no track has pitched notes.
    """
    pitched = [track for track in song.tracks if track.notes and not track.is_drums]
    if not pitched:
        raise InputError("the score has no pitched notes to set words to")
    worded = max(pitched, key=lambda t: sum(n.syllable is not None for n in t.notes))
    if any(n.syllable is not None for n in worded.notes):
        return worded
    return next((t for t in pitched if t.role in ("vocal", "melody")), pitched[0])


def top_line(notes: Sequence[Note]) -> list[Note]:
    """Returns the highest of the notes that begin together, none sounding into the next."""
    tops: dict[int, Note] = {}
    for note in notes:
        if note.start_ticks not in tops or tops[note.start_ticks].pitch < note.pitch:
            tops[note.start_ticks] = note
    line = [tops[start] for start in sorted(tops)]
    for i, following in enumerate(line[1:]):
        line[i] = replace(
            line[i], duration_ticks=min(line[i].duration_ticks, following.start_ticks - line[i].start_ticks)
        )
    return line


def _gone_round(notes: list[Note], lines: list[LyricLine], told: list[str]) -> tuple[list[Note], list[LyricLine]]:
    """Returns tune and words of about the same length: the shorter one goes round again."""
    count = sum(len(line.syllables) for line in lines)
    if len(notes) >= AGAIN * count:
        times = max(1, round(len(notes) / count))
        told.append(f"the tune has {len(notes)} notes for {count} syllables: the words are sung {times} times")
        return notes, lines * times
    times = min(len(lines), max(1, round(count / len(notes))))
    if count >= AGAIN * len(notes) and times > 1:
        bar = 4 * TICKS_PER_QUARTER
        length = -(-max(n.end_ticks for n in notes) // bar) * bar
        told.append(f"the tune has {len(notes)} notes for {count} syllables: it is sung {times} times")
        again = [replace(n, start_ticks=n.start_ticks + k * length) for k in range(times) for n in notes]
        return again, lines
    return notes, lines


def _joined(lines: list[WordLine], texts: list[str], room: int, told: list[str]) -> tuple[list[WordLine], list[str]]:
    """Returns the lines with the shortest neighbours joined until every line has a note at least."""
    lines, texts = list(lines), list(texts)
    if len(lines) > room:
        told.append(f"the tune has only {room} notes for {len(lines)} lines: lines were joined")
    while len(lines) > room:
        sizes = [len(a.syllables) + len(b.syllables) for a, b in pairwise(lines)]
        i = int(np.argmin(sizes))
        a, b = lines[i], lines[i + 1]
        lines[i : i + 2] = [
            replace(
                b, syllables=a.syllables + b.syllables, sheet=a.sheet + b.sheet, texts=a.texts + b.texts,
                words=a.words + b.words, languages=a.languages + b.languages, key=f"{a.key} {b.key}",
            )
        ]  # fmt: skip
        texts[i : i + 2] = [f"{texts[i]} / {texts[i + 1]}"]
    return lines, texts


def divide(notes: Sequence[Note], counts: Sequence[int]) -> list[tuple[int, int]]:
    """Returns for each line the range of its notes: all notes in order, each line at least one.

    Dynamic programming: lines should have as many notes as syllables and end where the tune rests.

    Args:
        notes: the tune, at least as many notes as lines.
        counts: syllables of each line.
    """
    n, m = len(notes), len(counts)
    ends = _end_costs(notes)
    ratio = n / max(1, sum(counts))
    best = np.full((m + 1, n + 1), np.inf)
    back = np.zeros((m + 1, n + 1), np.int64)
    best[0, 0] = 0.0
    widths = np.arange(1, n + 1)
    wanted = np.cumsum([count * ratio for count in counts])
    for k, count in enumerate(counts, start=1):
        expected = count * ratio
        cost = MISMATCH_COST * np.abs(np.log((widths + 0.5) / (expected + 0.5))) + 0.3 * np.abs(widths - expected)
        widest = int(WIDEST * expected) + 2 * FREEDOM
        low, high = max(k, int(wanted[k - 1]) - FREEDOM), min(n - (m - k), int(wanted[k - 1]) + FREEDOM + 1)
        for end in range(min(low, high), high + 1) if k < m else (n,):
            starts = np.arange(max(k - 1, end - widest), end)
            total = best[k - 1, starts] + cost[end - starts - 1]
            at = int(total.argmin())
            best[k, end], back[k, end] = total[at] + ends[end - 1], starts[at]
    spans, end = [], n
    for k in range(m, 0, -1):
        start = int(back[k, end])
        spans.append((start, end))
        end = start
    return spans[::-1]


def _end_costs(notes: Sequence[Note]) -> list[float]:
    """Returns the cost of ending a line after each note."""
    usual = float(np.median([n.duration_ticks for n in notes]))
    costs = []
    for note, following in zip(notes, [*notes[1:], None], strict=True):
        gap = TICKS_PER_QUARTER if following is None else following.start_ticks - note.end_ticks
        long = note.duration_ticks >= max(2 * usual, TICKS_PER_QUARTER)
        costs.append(PHRASE_COSTS[0 if gap >= TICKS_PER_QUARTER else 1 if gap >= EIGHTH else 2 if long else 3])
    return costs


def _set_line(line: _Line, first_id: int, index: int, following: int | None, told: list[str]) -> list[Note]:
    """Returns a line's notes with syllables, as many notes as it takes, and tells what had to be done."""
    count, have = len(line.words.syllables), len(line.notes)
    name = f"line {index + 1} ({_short(line.text)})"
    if have < count:
        notes = split_notes(line.notes, count)
        told.append(
            f"{name}: {count} syllables on {have} {_notes(have)}: {count - have} of them came by splitting long notes"
        )
        return [replace(n, syllable=first_id + k) for k, n in enumerate(notes)]
    if have == count:
        return [replace(n, syllable=first_id + k) for k, n in enumerate(line.notes)]
    owners = melisma_owners(line.notes, line.words)
    held = [line.words.texts[k].strip(",.!? ") for k in range(count) if owners.count(k) > 1]
    told.append(f"{name}: {count} syllables on {have} notes: {', '.join(held)} sung on several notes")
    return [replace(n, syllable=first_id + owner) for n, owner in zip(line.notes, owners, strict=True)]


def _notes(count: int) -> str:
    return "note" if count == 1 else "notes"


def _short(text: str) -> str:
    return f"“{text if len(text) <= 32 else text[:31] + '…'}”"


def split_notes(notes: Sequence[Note], count: int) -> list[Note]:
    """Returns the notes with the longest split, on the grid where they can be, until there are so many.

    Args:
        notes: at least one.
        count: wanted.

    Raises:
        InputError: the notes are too short to be split so often.
    """
    found = list(notes)
    while len(found) < count:
        i = max(range(len(found)), key=lambda k: (found[k].duration_ticks, -k))
        note = found[i]
        if note.duration_ticks < 2:
            raise InputError(f"{count} syllables do not fit on notes of {sum(n.duration_ticks for n in notes)} ticks")
        half = note.duration_ticks // 2
        if note.duration_ticks >= 2 * GRID:
            half = max(GRID, -(-half // GRID) * GRID)
        half = min(half, note.duration_ticks - 1)
        found[i : i + 1] = [
            replace(note, duration_ticks=half),
            replace(note, start_ticks=note.start_ticks + half, duration_ticks=note.duration_ticks - half),
        ]
    return found


def melisma_owners(notes: Sequence[Note], words: WordLine) -> list[int]:
    """Returns the syllable of each note where a line has more notes than syllables.

    Open, stressed and last syllables take several notes; closed ones seldom do, and a new syllable begins where a pitch
    is struck again or the tune rests.

    Args:
        notes: of the line.
        words: fewer syllables than notes.
    """
    n, m = len(notes), len(words.syllables)
    inner = [0.0] * n  # cost of a note that goes on with the syllable before it
    for i in range(1, n):
        gap = notes[i].start_ticks - notes[i - 1].end_ticks
        inner[i] = 2.0 * (notes[i].pitch == notes[i - 1].pitch) + 3.0 * (gap >= EIGHTH)
        inner[i] += 1.5 * (
            notes[i].start_ticks % TICKS_PER_QUARTER == 0 and notes[i].duration_ticks >= TICKS_PER_QUARTER
        )
    best = np.full((m, n), np.inf)
    goes_on = np.zeros((m, n), np.bool_)
    best[0, 0] = _place(notes[0], words, 0)
    for i in range(1, n):
        for k in range(m):
            syllable = words.syllables[k]
            hold = 0.4 if syllable.is_open else 1.6
            hold += 1.2 * (1.0 - syllable.stress) - 0.3 * (k == m - 1)
            on = best[k, i - 1] + hold + inner[i]
            new = best[k - 1, i - 1] + _place(notes[i], words, k) if k else np.inf
            best[k, i], goes_on[k, i] = min(on, new), on <= new
    owners, k = [], m - 1
    for i in range(n - 1, -1, -1):
        owners.append(k)
        k -= 0 if goes_on[k, i] else 1
    return owners[::-1]


def _place(note: Note, words: WordLine, k: int) -> float:
    """Returns the cost of beginning a syllable on a note: stress wants the beat or a long note."""
    strong = note.start_ticks % TICKS_PER_QUARTER == 0 or note.duration_ticks >= TICKS_PER_QUARTER
    stress = words.syllables[k].stress
    return stress * (not strong) + 0.4 * (1.0 - stress) * strong


def _syllables(words: WordLine, first_id: int, index: int) -> tuple[Syllable, ...]:
    """Returns the line's syllables for the score."""
    return tuple(
        Syllable(
            first_id + k, words.texts[k], words.words[k], s.stress, index, words.languages[k], s.phonemes, s.nucleus,
            s.tone, words.delivery,  # type: ignore[arg-type]  # checked where the sheet was read
        )
        for k, s in enumerate(words.sheet)
    )  # fmt: skip
