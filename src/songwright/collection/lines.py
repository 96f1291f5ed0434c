"""Lines of sung words: where one ends and the next begins, from words and music together.

Scores print words without line breaks. A line is taken to begin where several things agree: a rest or a long note
before it, a capital, the end of a clause; and lines are of a length that a breath allows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from songwright.score.song import TICKS_PER_QUARTER, Note, Song, Syllable

_ALWAYS_CAPITAL = ("i", "i'm", "i'll", "i've", "i'd", "god", "god's", "lord", "lord's", "jesus", "christ", "thee",
                   "thy", "thou", "thine", "he", "him", "his", "father", "son", "king", "holy", "spirit")  # fmt: skip
_SHORT, _LONG, _LONGEST = 5, 11, 24
"""Syllables of a line: below and above these it is less likely, and it has no more than the last."""


def with_lines(song: Song, language: str = "") -> Song:
    """Returns the song with the lines of its syllables counted anew, track after track.

    Args:
        song: with its words.
        language: of the words; in German a capital says little.
    """
    if not song.syllables:
        return song
    by_id = {s.id: s for s in song.syllables}
    lines: dict[int, int] = {}
    first = 0
    for track in song.tracks:
        spans = _spans(track.notes)
        sung = [by_id[i] for i in spans if i in by_id and i not in lines]
        if not sung:
            continue
        evidence = _evidence(sung, spans, capital=0.25 if language == "de" else 0.9)
        numbers = _divided(evidence)
        lines |= {s.id: first + n for s, n in zip(sung, numbers, strict=True)}
        first += numbers[-1] + 1
    return replace(song, syllables=tuple(replace(s, line=lines.get(s.id, s.line)) for s in song.syllables))


def _spans(notes: Sequence[Note]) -> dict[int, tuple[int, int]]:
    """Returns where each syllable begins and ends, in the order of singing."""
    found: dict[int, tuple[int, int]] = {}
    for note in notes:
        if note.syllable is not None:
            start, end = found.get(note.syllable, (note.start_ticks, note.end_ticks))
            found[note.syllable] = (start, max(end, note.end_ticks))
    return found


def _evidence(sung: Sequence[Syllable], spans: Mapping[int, tuple[int, int]], *, capital: float) -> list[float]:
    """Returns for each syllable how much speaks for a line beginning with it."""
    usual = median(spans[s.id][1] - spans[s.id][0] for s in sung)
    out = [0.0]
    spelled = sung[0].text
    for before, syllable in pairwise(sung):
        same_word = syllable.word == before.word and len(spelled) < len(before.word)
        if same_word:
            spelled += syllable.text
            out.append(-9.0)
            continue
        spelled = syllable.text
        start, end = spans[before.id]
        rest = max(0.0, (spans[syllable.id][0] - end) / TICKS_PER_QUARTER)
        value = min(1.6, 0.7 * rest) + (0.6 if end - start >= 1.9 * usual else 0.0)
        last = before.text.rstrip("\"'”’)»")[-1:]
        value += 0.9 if last in ".;!?:。" else 0.5 if last in ",—-" else 0.0
        word = syllable.word.lstrip("\"'“‘(«¿¡").rstrip(".,;:!?\"'”’)»")
        if word[:1].isupper() and word.lower() not in _ALWAYS_CAPITAL:
            value += capital
        out.append(value)
    return out


def _divided(evidence: Sequence[float]) -> list[int]:
    """Returns the line of each syllable: the division with most evidence for its beginnings, lines of usual length."""
    count = len(evidence)
    best = [0.0] + [-1e9] * count
    back = [0] * (count + 1)
    for end in range(1, count + 1):
        for begin in range(max(0, end - _LONGEST), end):
            value = best[begin] + (evidence[begin] - 1.0 if begin else 0.0) - _cost(end - begin)
            if value > best[end]:
                best[end], back[end] = value, begin
    begins = []
    at = count
    while at > 0:
        at = back[at]
        begins.append(at)
    starts = set(begins)
    line = -1
    out = []
    for i in range(count):
        line += i in starts
        out.append(line)
    return out


def _cost(length: int) -> float:
    return 0.3 * max(0, _SHORT - length) + 0.22 * max(0, length - _LONG)
