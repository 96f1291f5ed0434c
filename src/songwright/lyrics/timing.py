"""When every word is sung: `timed_lyrics`, and its files: LRC, word-level LRC, SRT and JSON."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from songwright.lyrics.read import clock, stamped_words
from songwright.lyrics.sheet import Delivery, Word, join_words
from songwright.score.song import Song, Syllable, Track
from songwright.score.sung import SungPhone, word_places

FORMAT = "songwright.lyrics"
SCHEMA_VERSION = 1
_PAUSE_SECONDS = 3.0
"""A silence from which on LRC clears the line that was sung last."""


@dataclass(frozen=True, slots=True)
class TimedPhoneme:
    """A phone.

    Attributes:
        symbol: espeak mnemonic.
        start_seconds, end_seconds: when it sounds.
        is_nucleus: whether it is the vowel that starts on the note.
    """

    symbol: str
    start_seconds: float
    end_seconds: float
    is_nucleus: bool


@dataclass(frozen=True, slots=True)
class TimedSyllable:
    """A syllable.

    Attributes:
        id: in `Song.syllables`.
        text: its letters.
        start_seconds, end_seconds: from its first consonant to its last.
        note_seconds: where its note begins; the vowel starts there.
        phonemes: its phones; empty where the song has not been sounded out.
    """

    id: int
    text: str
    start_seconds: float
    end_seconds: float
    note_seconds: float
    phonemes: tuple[TimedPhoneme, ...] = ()


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word as written, with its syllables."""

    text: str
    start_seconds: float
    end_seconds: float
    syllables: tuple[TimedSyllable, ...]
    language: str = ""


@dataclass(frozen=True, slots=True)
class TimedLine:
    """One singing of a line.

    Attributes:
        number: which line of the lyrics it is.
        start_seconds, end_seconds: of its words.
        words: in order.
        section: label of the section in which most of it is sung; empty for music without sections.
        delivery: ``sung``, ``rap`` or ``spoken``.
    """

    number: int
    start_seconds: float
    end_seconds: float
    words: tuple[TimedWord, ...]
    section: str = ""
    delivery: Delivery = "sung"

    @property
    def text(self) -> str:
        """The line as written."""
        return join_words(tuple(Word(word.text) for word in self.words))


@dataclass(frozen=True, slots=True)
class TimedLyrics:
    """What one track sings, and when.

    Attributes:
        title: of the song.
        duration_seconds: of the song, as written.
        track: id of the track.
        singer: name of the singer; empty if none is set.
        lines: in order of singing.
    """

    title: str
    duration_seconds: float
    track: str
    singer: str
    lines: tuple[TimedLine, ...]


@dataclass(frozen=True, slots=True)
class _Sung:
    """A syllable with its notes: start and end in seconds, and the written tick."""

    syllable: Syllable
    start: float
    end: float
    tick: int


def timed_lyrics(song: Song, phones: Sequence[SungPhone], track_id: str) -> TimedLyrics:
    """Returns when every line, word, syllable and phone of a track is sung.

    Args:
        song: with its syllables; a melisma is several notes of one syllable.
        phones: from the singer, for any tracks; a syllable without any takes the time of its notes.
        track_id: whose words.

    Raises:
        InputError: there is no such track.
    """
    track = song.track(track_id)
    sung = _sung(song, track)
    by_syllable: dict[int, list[SungPhone]] = {}
    for phone in sorted(phones, key=lambda p: (p.start_seconds, p.end_seconds)):
        by_syllable.setdefault(phone.syllable, []).append(phone)
    places = word_places([s.syllable for s in sung])
    lines: list[TimedLine] = []
    for number, group in groupby(sung, key=lambda s: s.syllable.line):
        members = list(group)
        words: list[list[_Sung]] = []
        for item in members:
            if not words or places[item.syllable.id] in ("single", "begin"):
                words.append([])
            words[-1].append(item)
        lines.append(_line(song, number, [_word(word, by_syllable) for word in words], members))
    singer = track.singer.name if track.singer else ""
    return TimedLyrics(song.title, song.duration_seconds, track.id, singer, tuple(lines))


def _sung(song: Song, track: Track) -> list[_Sung]:
    """Returns the syllables of a track with the times of their notes, in order of singing."""
    known = {s.id: s for s in song.syllables}
    found: dict[int, _Sung] = {}
    for note in track.notes:
        if note.syllable is None or note.syllable not in known:
            continue
        start = song.seconds_at(note.start_ticks + note.offset_ticks)
        end = song.seconds_at(note.end_ticks + note.offset_ticks)
        before = found.get(note.syllable)
        if before is not None:
            start, end, tick = min(start, before.start), max(end, before.end), before.tick
        else:
            tick = note.start_ticks
        found[note.syllable] = _Sung(known[note.syllable], max(0.0, start), max(0.0, end), tick)
    return sorted(found.values(), key=lambda s: (s.start, s.syllable.id))


def _word(parts: Sequence[_Sung], phones: dict[int, list[SungPhone]]) -> TimedWord:
    syllables = []
    for part in parts:
        own = phones.get(part.syllable.id, [])
        syllables.append(
            TimedSyllable(
                part.syllable.id,
                part.syllable.text,
                min((p.start_seconds for p in own), default=part.start),
                max((p.end_seconds for p in own), default=part.end),
                part.start,
                tuple(TimedPhoneme(p.symbol, p.start_seconds, p.end_seconds, p.is_nucleus) for p in own),
            )
        )
    start, end = min(s.start_seconds for s in syllables), max(s.end_seconds for s in syllables)
    first = parts[0].syllable
    return TimedWord(first.word or first.text, start, end, tuple(syllables), first.language)


def _line(song: Song, number: int, words: list[TimedWord], members: Sequence[_Sung]) -> TimedLine:
    labels = Counter(s.label for m in members for s in song.sections if s.start_ticks <= m.tick < s.end_ticks)
    start, end = min(w.start_seconds for w in words), max(w.end_seconds for w in words)
    label = labels.most_common(1)[0][0] if labels else ""
    return TimedLine(number, start, end, tuple(words), label, members[0].syllable.delivery)


def to_text(timed: TimedLyrics) -> str:
    """Returns the words as they are sung, under the labels of their sections; `lyrics.read.read_lyrics` reads it."""
    rows: list[str] = []
    for i, line in enumerate(timed.lines):
        if line.section and (not i or line.section != timed.lines[i - 1].section):
            rows += [""] * bool(rows) + [f"[{line.section}]"]
        rows.append(line.text)
    return "\n".join(rows) + "\n"


def to_lrc(timed: TimedLyrics) -> str:
    """Returns an LRC file: one stamped line for every line, to the hundredth of a second.

    A long silence begins with an empty stamped line; sections are divided by blank lines.
    """
    return _lrc(timed, [line.text for line in timed.lines])


def to_word_lrc(timed: TimedLyrics) -> str:
    """Returns an enhanced LRC file: every word after its own time in angle brackets, the line's end after the last."""
    texts = []
    for line in timed.lines:
        words = tuple(Word(word.text) for word in line.words)
        stamped = stamped_words(words, tuple(word.start_seconds for word in line.words), 2)
        texts.append(f"{stamped}<{clock(line.end_seconds, 2)}>")
    return _lrc(timed, texts)


def _lrc(timed: TimedLyrics, texts: Sequence[str]) -> str:
    title = " ".join(timed.title.replace("[", "(").replace("]", ")").split())
    rows = [f"[ti:{title}]", f"[length:{clock(timed.duration_seconds, 2)}]", ""]
    for i, (line, text) in enumerate(zip(timed.lines, texts, strict=True)):
        if i and line.section != timed.lines[i - 1].section:
            rows.append("")
        rows.append(f"[{clock(line.start_seconds, 2)}]{text}")
        following = timed.lines[i + 1].start_seconds if i + 1 < len(timed.lines) else timed.duration_seconds
        if following - line.end_seconds > _PAUSE_SECONDS:
            rows.append(f"[{clock(line.end_seconds, 2)}]")
    return "\n".join(rows).rstrip("\n") + "\n"


def to_srt(timed: TimedLyrics) -> str:
    """Returns subtitles: one cue for every line, from its first word to its last."""
    cues = []
    for i, line in enumerate(timed.lines):
        following = timed.lines[i + 1].start_seconds if i + 1 < len(timed.lines) else float("inf")
        end = max(line.start_seconds + 0.001, min(line.end_seconds, following))
        cues.append(f"{i + 1}\n{_srt_clock(line.start_seconds)} --> {_srt_clock(end)}\n{line.text}\n")
    return "\n".join(cues)


def _srt_clock(seconds: float) -> str:
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d},{milliseconds:03d}"


def to_json(timed: TimedLyrics) -> str:
    """Returns JSON with the start and end of every line, word, syllable and phoneme, in seconds."""
    data = {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "title": timed.title,
        "duration_seconds": _rounded(timed.duration_seconds),
        "track": timed.track,
        "singer": timed.singer,
        "lines": [_line_json(line) for line in timed.lines],
    }
    return json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _line_json(line: TimedLine) -> dict[str, Any]:
    return {
        "line": line.number,
        "section": line.section,
        "delivery": line.delivery,
        "text": line.text,
        **_span(line),
        "words": [
            {
                "text": word.text,
                "language": word.language,
                **_span(word),
                "syllables": [
                    {
                        "id": syllable.id,
                        "text": syllable.text,
                        **_span(syllable),
                        "note_seconds": _rounded(syllable.note_seconds),
                        "phonemes": [
                            {"symbol": phone.symbol, **_span(phone), "is_nucleus": phone.is_nucleus}
                            for phone in syllable.phonemes
                        ],
                    }
                    for syllable in word.syllables
                ],
            }
            for word in line.words
        ],
    }


def _span(item: TimedLine | TimedWord | TimedSyllable | TimedPhoneme) -> dict[str, float]:
    return {"start_seconds": _rounded(item.start_seconds), "end_seconds": _rounded(item.end_seconds)}


def _rounded(seconds: float) -> float:
    return round(seconds, 4)
