"""Words of MIDI files: lyric events and karaoke texts, and on which notes they fall."""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path

from songwright.score.song import TICKS_PER_QUARTER, Song, Track
from songwright.score.sung import Place
from songwright.score.words_on_notes import Heard

_NEAR_TICKS = TICKS_PER_QUARTER // 4
"""A word belongs to a note that begins no further away than this."""

_LEAST_SHARE = 0.3
"""A track sings words only if at least this share of them falls on its notes."""

_HAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")

Sung = list[tuple[int, str, Place, bool]]
"""Syllables as (tick, text, place in the word, whether a line begins)."""


def sung_events(lyrics: Sequence[tuple[int, str]], texts: Sequence[tuple[int, str]], path: Path) -> Sung:
    r"""Returns the syllables of a chunk.

    Lyric events count; without any, the text events of a karaoke file do (one that is named ``.kar``, or whose texts
    carry karaoke's line marks). Words end at spaces where any event has one at its edge, else where no hyphen follows;
    ``/``, ``\`` and line breaks begin a line.
    """
    events = list(lyrics)
    if not events:
        marked = sum(text.startswith(("/", "\\")) for _, text in texts)
        if path.suffix.lower() != ".kar" and marked < 2:
            return []
        events = [(tick, text) for tick, text in texts if not text.startswith("@") and tick > 0]
    events = sorted(((tick, text) for tick, text in events), key=lambda event: event[0])
    spaced = any(text.strip("/\\") != text.strip("/\\ ") for _, text in events)
    found: Sung = []
    opens, inside = False, False
    for tick, text in events:
        core = text.strip("/\\ \t\r\n")
        breaks = bool(re.match(r"^\s*[/\\]", text))
        opens = opens or breaks
        ends_line = bool(re.search(r"[/\\]\s*$", text))
        if not core.strip(" -_+~*"):
            opens, inside = opens or ends_line, inside and not (spaced and text != text.strip())
            continue
        bare = text.strip("/\\")
        starts = opens or not inside or (spaced and bare.startswith(" ")) or bool(_HAN.match(core))
        if starts and found and found[-1][2] in ("begin", "middle"):
            tick_before, before, place, line = found[-1]
            found[-1] = (tick_before, before, "single" if place == "begin" else "end", line)
        goes_on = _goes_on(bare, core, spaced=spaced) and not ends_line
        place_now: Place = ("begin" if goes_on else "single") if starts else ("middle" if goes_on else "end")
        found.append((tick, core.removesuffix("-") if not spaced or goes_on else core, place_now, opens))
        inside, opens = goes_on, ends_line
    if found and found[-1][2] in ("begin", "middle"):
        tick, core, place, line = found[-1]
        found[-1] = (tick, core, "single" if place == "begin" else "end", line)
    return found


def _goes_on(bare: str, core: str, *, spaced: bool) -> bool:
    """Whether the next syllable belongs to the same word."""
    if _HAN.search(core[-1]):
        return False
    return not bare.endswith(" ") if spaced else core.endswith("-")


def place_words(song: Song, chunks: Sequence[tuple[str, Sung]]) -> Mapping[int, list[Heard]]:
    """Returns the syllables of each chunk on the notes of the track that fits them best.

    Args:
        song: with its tracks.
        chunks: name and syllables of each chunk with words.
    """
    placed: dict[int, list[Heard]] = {}
    for name, sung in chunks:
        ticks = [tick for tick, *_ in sung]
        scores = {
            index: _fit(track, ticks, called=bool(name) and track.name == name)
            for index, track in enumerate(song.tracks)
            if not track.is_drums and index not in placed
        }
        if not scores:
            continue
        best = max(scores, key=lambda index: (scores[index], -index))
        if scores[best] >= _LEAST_SHARE:
            placed[best] = _on_notes(song.tracks[best], sung)
    return placed


def _onsets(track: Track) -> tuple[list[int], list[int]]:
    """Returns the ticks at which notes begin, and the index of the highest note of each."""
    highest: dict[int, int] = {}
    for index, note in enumerate(track.notes):
        known = highest.get(note.start_ticks)
        if known is None or track.notes[known].pitch < note.pitch:
            highest[note.start_ticks] = index
    ticks = sorted(highest)
    return ticks, [highest[t] for t in ticks]


def _nearest(ticks: Sequence[int], tick: int) -> int | None:
    """Returns the place of the nearest onset, or None if none is near."""
    at = bisect_left(ticks, tick)
    options = [i for i in (at - 1, at) if 0 <= i < len(ticks) and abs(ticks[i] - tick) <= _NEAR_TICKS]
    return min(options, key=lambda i: abs(ticks[i] - tick), default=None)


def _fit(track: Track, ticks: Sequence[int], *, called: bool) -> float:
    """Returns the share of words that begin with a note, less for notes that have none; more for the track's name."""
    onsets, _ = _onsets(track)
    hits = {place for tick in ticks if (place := _nearest(onsets, tick)) is not None}
    share = len(hits) / max(1, len(set(ticks)))
    inside = sum(ticks[0] - _NEAR_TICKS <= t <= ticks[-1] + _NEAR_TICKS for t in onsets)
    spare = 0.3 * max(0, inside - len(hits)) / max(1, inside)
    chords = 0.2 * (1 - len(onsets) / max(1, len(track.notes)))
    return (
        share
        - min(spare + chords, 0.5 * share)
        + 0.3 * called * (share > 0)
        + 0.05 * (track.role in ("vocal", "melody"))
    )


def _on_notes(track: Track, sung: Sung) -> list[Heard]:
    """Returns every syllable on a note: the nearest one, in order; what finds none shares the note before it."""
    onsets, indices = _onsets(track)
    out: list[Heard] = []
    last = -1
    for tick, text, place, line in sung:
        near = _nearest(onsets, tick)
        if near is None:
            near = max(last, bisect_left(onsets, tick) - 1, 0)
        last = max(near, last, 0)
        out.append(Heard(indices[last], text, place, line))
    order = {index: i for i, index in enumerate(indices)}
    return sorted(out, key=lambda heard: order[heard.note])
