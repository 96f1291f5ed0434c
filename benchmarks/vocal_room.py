"""Does the band leave room for the voice, and do the backing voices fit? Measured on the score of sung songs.

Every style sings the same words, by every singer in turn, in three languages in turn, with backing words in the
chorus. *Before* is the same voice over the band that was written for the tune as an instrument: what the arrangement
would be if it did not make room.

Usage: python benchmarks/vocal_room.py [--seeds 1] [--json FILE]
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from songwright.brief.brief import Brief
from songwright.compose.arrange.arrange import arrange
from songwright.compose.compose import assemble, sung_draft
from songwright.compose.style import load_style, style_names
from songwright.compose.wishes import bend
from songwright.progress import silent
from songwright.score.song import ChordSpan, Note, Song, Track
from songwright.score.theory import Chord, parse_chord
from songwright.score.voices import SINGERS

WORDS = {
    "en": """[verse]
All the windows on the corner have a light
And the buses carry someone through the night
I have counted every station on the line
There is one that has your name beside of mine
[chorus]
Wait for me there (wait for me there)
With the rain in your hair
Wait for me there (I am coming home)
I have nowhere to go alone
[verse]
In the morning there was coffee on the stair
And a letter from a summer in the air
[chorus]
Wait for me there (wait for me there)
With the rain in your hair
Wait for me there (I am coming home)
I have nowhere to go alone
[bridge]
If the river takes the road
I will swim against the cold
[chorus]
Wait for me there (wait for me there)
With the rain in your hair
Wait for me there (I am coming home)
I have nowhere to go alone
""",
    "zh": """[verse]
街角的灯一盏一盏亮起
末班车带走谁的秘密
[chorus]
等我回来（等我回来）
雨还没有停下来
等我回来（我的爱）
风吹过大海
[verse]
清晨的咖啡还留着香气
[chorus]
等我回来（等我回来）
雨还没有停下来
[bridge]
如果河水漫过这条路
我会一个人走到日出
[chorus]
等我回来（等我回来）
雨还没有停下来
等我回来（我的爱）
风吹过大海
""",
    "ru": """[verse]
Зажигает окна вечер за рекой
И автобус возвращается домой
[chorus]
Подожди меня (подожди меня)
У ночного огня
Подожди меня (я иду)
Я тебя найду
[verse]
Утром пахнет кофе и весной
[chorus]
Подожди меня (подожди меня)
У ночного огня
[bridge]
Если реки смоют этот путь
Я приду к тебе когда-нибудь
[chorus]
Подожди меня (подожди меня)
У ночного огня
Подожди меня (я иду)
Я тебя найду
""",
}
CHORDAL = ("chords", "pad")


def sung_notes(song: Song) -> list[Note]:
    """Returns the notes of the lead voice."""
    return sorted(note for track in song.tracks if track.role == "vocal" for note in track.notes)


def overlap_ticks(a: Note, b: Note) -> int:
    """Returns how long two notes sound together, as written."""
    return max(0, min(a.end_ticks, b.end_ticks) - max(a.start_ticks, b.start_ticks))


def covered_share(song: Song, roles: Sequence[str]) -> float:
    """Returns the share of the lead voice's time in which any track of these roles sounds."""
    sung = sung_notes(song)
    others = [note for track in song.tracks if track.role in roles for note in track.notes]
    total = sum(note.duration_ticks for note in sung)
    covered = 0
    for note in sung:
        spans = sorted((max(note.start_ticks, o.start_ticks), min(note.end_ticks, o.end_ticks)) for o in others)
        reached = note.start_ticks
        for start, end in spans:
            if end > max(start, reached):
                covered += end - max(start, reached)
                reached = end
    return covered / max(1, total)


def beside_share(song: Song, semitones: int = 2) -> float:
    """Returns the share of the lead voice's time in which a chord player or pad sounds within so many semitones of it.

    Unisons and octave equivalents count only where they lie within the distance; the unison itself does count.
    """
    sung = sung_notes(song)
    others = [note for track in song.tracks if track.role in CHORDAL for note in track.notes]
    total = near = 0
    for note in sung:
        total += note.duration_ticks
        spans = [overlap_ticks(note, o) for o in others if abs(o.pitch - note.pitch) <= semitones]
        near += max(spans, default=0)
    return near / max(1, total)


def chord_under(chords: Sequence[ChordSpan], tick: int) -> Chord | None:
    """Returns the chord at a tick."""
    return next((parse_chord(c.symbol) for c in chords if c.start_ticks <= tick < c.end_ticks), None)


def harmony_tracks(song: Song) -> list[Track]:
    """Returns the tracks that harmonise the lead."""
    return [track for track in song.tracks if track.id.startswith("vocal_harmony")]


def harmony_intervals(song: Song) -> Counter[int]:
    """Returns how often a harmony lies so many semitones above (or, below 0, under) the lead."""
    lead = {(n.start_ticks, n.syllable): n.pitch for n in sung_notes(song)}
    found: Counter[int] = Counter()
    for track in harmony_tracks(song):
        found.update(note.pitch - lead[note.start_ticks, note.syllable] for note in track.notes)
    return found


def harmony_dissonance(song: Song) -> tuple[int, int]:
    """Returns (notes of harmonies on beats that are not in their chord, notes on beats)."""
    beat = 1440 if song.meters[0].denominator == 8 and song.meters[0].numerator % 3 == 0 else 960
    foreign = total = 0
    for track in harmony_tracks(song):
        for note in track.notes:
            chord = chord_under(song.chords, note.start_ticks)
            if note.start_ticks % beat == 0 and chord is not None:
                total += 1
                foreign += note.pitch % 12 not in chord.pitch_classes
    return foreign, total


def crossings(song: Song) -> int:
    """Returns how often two neighbouring notes of a harmony lie on different sides of the lead, or upon it."""
    lead = {(n.start_ticks, n.syllable): n.pitch for n in sung_notes(song)}
    count = 0
    for track in harmony_tracks(song):
        sides = {n.pitch > lead[n.start_ticks, n.syllable] for n in track.notes}
        count += len(sides) > 1
        count += sum(n.pitch == lead[n.start_ticks, n.syllable] for n in track.notes)
    return count


def answered_in_gaps(song: Song) -> tuple[int, int]:
    """Returns (notes of answers that begin while the lead rests, notes of answers)."""
    sung = sung_notes(song)
    notes = [note for track in song.tracks if track.id.startswith("vocal_answers") for note in track.notes]
    free = sum(all(not s.start_ticks <= n.start_ticks < s.end_ticks for s in sung) for n in notes)
    return free, len(notes)


def fills_outside_gaps(song: Song) -> tuple[int, int]:
    """Returns (notes of lead instruments that begin under a sung note, all their notes)."""
    sung = sung_notes(song)
    notes = [note for track in song.tracks if track.role == "melody" for note in track.notes]
    return sum(any(s.start_ticks <= n.start_ticks < s.end_ticks for s in sung) for n in notes), len(notes)


def backing_syllables(song: Song) -> tuple[int, int]:
    """Returns (syllables that any track sings, syllables of the song)."""
    sung = {n.syllable for track in song.tracks if track.singer is not None for n in track.notes}
    return sum(s.id in sung for s in song.syllables), len(song.syllables)


def songs(seed: int) -> Iterator[tuple[str, str, str, Song, Song]]:
    """Yields (style, singer, language, song, the same voice over a band that takes no notice) for every style."""
    names = list(SINGERS)
    for i, name in enumerate(style_names()):
        singer, language = names[(i + seed) % len(names)], list(WORDS)[(i + seed) % len(WORDS)]
        brief = Brief(
            styles=(name,), seed=1000 * seed + i, lyrics=WORDS[language], lyrics_language=language, singer=singer
        )
        style = bend(load_style(name), brief)
        draft = sung_draft(brief, style, silent)
        if draft.vocals is None:
            continue
        tune = tuple(replace(note, syllable=None) for note in draft.vocals.notes)
        band = arrange(draft.plan, style, draft.chords, tune, seed=brief.seed)
        voice = tuple(track for track in draft.tracks if track.role == "vocal")
        deaf = replace(draft, tracks=(*voice, *band))
        yield name, singer, language, assemble(draft, style, brief), assemble(deaf, style, brief)


def measure(seeds: int) -> dict[str, object]:
    """Prints a row for every song and returns what all of them give together."""
    rows: list[tuple[float, ...]] = []
    intervals: Counter[int] = Counter()
    foreign = on_beats = crossed = free = answers = under = led = sung = syllables = 0
    print(f"{'style':16} {'singer':6} lang  lead under voice  beside ±2 before→after  ±1 before→after")
    for seed in range(seeds):
        for name, singer, language, song, deaf in songs(seed):
            row = (
                covered_share(deaf, ("melody",)),
                covered_share(song, ("melody",)),
                beside_share(deaf),
                beside_share(song),
                beside_share(deaf, 1),
                beside_share(song, 1),
            )
            rows.append(row)
            print(f"{name:16} {singer:6} {language:4} " + " ".join(f"{value:8.1%}" for value in row))
            intervals += harmony_intervals(song)
            off, strong = harmony_dissonance(song)
            foreign, on_beats, crossed = foreign + off, on_beats + strong, crossed + crossings(song)
            inside, total = answered_in_gaps(song)
            free, answers = free + inside, answers + total
            wrong, total = fills_outside_gaps(song)
            under, led = under + wrong, led + total
            done, total = backing_syllables(song)
            sung, syllables = sung + done, syllables + total
    means = [sum(row[i] for row in rows) / len(rows) for i in range(6)]
    sweet = sum(count for interval, count in intervals.items() if abs(interval) in (3, 4, 8, 9))
    return {
        "songs": len(rows),
        "lead instrument under the voice": {"before": round(means[0], 4), "after": round(means[1], 4)},
        "chords within a tone of the voice": {"before": round(means[2], 4), "after": round(means[3], 4)},
        "chords within a semitone of the voice": {"before": round(means[4], 4), "after": round(means[5], 4)},
        "harmony intervals": {str(k): intervals[k] for k in sorted(intervals)},
        "thirds and sixths": round(sweet / max(1, intervals.total()), 4),
        "harmony notes on beats outside the chord": round(foreign / max(1, on_beats), 4),
        "crossings": crossed,
        "answers that begin in gaps": round(free / max(1, answers), 4),
        "lead instrument notes that begin under the voice": f"{under} of {led}",
        "syllables sung": f"{sung} of {syllables}",
    }


def main() -> None:
    """Prints the table and what it comes to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1, help="songs of every style")
    parser.add_argument("--json", type=Path, help="where to write the result")
    options = parser.parse_args()
    result = measure(options.seeds)
    for name, value in result.items():
        print(f"{name}: {value}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
