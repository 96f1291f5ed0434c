"""Prints how well tunes fit their words: composed songs in three languages beside the lead sheets of OpenEWLD.

Usage: python benchmarks/words.py --data FOLDER [--songs 20] [--sheets 150]

A beat is strong; strict counts onsets on one, the second figure also onsets at most an eighth before a beat that are
held over it. Stress is espeak's (Russian: the table's), of words whose syllables the lead sheet counts as espeak does.
*light* is the share of line ends (in lead sheets: before rests) on the unstressed end of a word whose last syllable is
held no longer than the longest from its stressed one on.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from songwright.brief.brief import Brief
from songwright.compose.casting_voice import choose_singer
from songwright.compose.harmony import write_harmony
from songwright.compose.lyric_form import FormFrame, LyricForm, lay_out
from songwright.compose.melody.word_lines import tone_directions
from songwright.compose.melody.words_pitch import opposed
from songwright.compose.melody.write_words import write_sung_melody
from songwright.compose.song_words import song_words, voiced_key
from songwright.compose.style import load_style
from songwright.compose.vocals import SungLine, VocalPlan
from songwright.compose.wishes import bend
from songwright.errors import SongwrightError
from songwright.lyrics.phonetics import sound_out_words
from songwright.score.musicxml import read_musicxml
from songwright.score.song import TICKS_PER_QUARTER, ChordSpan, Note, Song, Syllable
from songwright.score.sung import word_places
from songwright.score.theory import parse_chord
from songwright.score.voices import VOICE_TYPES

STYLES = {
    "en": ("pop", "rock", "country", "soul", "folk", "punk", "rnb", "gospel", "reggae", "disco"),
    "zh": ("mandarin_ballad", "pop", "guofeng", "rock", "folk", "rnb"),
    "ru": ("pop", "rock", "russian_romance", "folk", "synthwave", "disco"),
}
PROMPTS = {"en": "a song about the road home", "zh": "一首关于夏天的歌", "ru": "песня о городе и дожде"}
EIGHTH = TICKS_PER_QUARTER // 2
Span = tuple[int, int, int, int]
"""Id, start, end, first pitch of a sung syllable."""


@dataclass
class Tally:
    """Counts of one group of songs."""

    stressed: int = 0
    strict: int = 0
    held: int = 0
    unstressed_strong: int = 0
    unstressed: int = 0
    on_beat: int = 0
    consonant: int = 0
    lines: int = 0
    breaths: int = 0
    rests_inside: int = 0
    ordered: int = 0
    songs: int = 0
    outside: int = 0
    in_tessitura: float = 0.0
    sung_ticks: float = 0.0
    against: int = 0
    asked: int = 0
    weak_ends: int = 0
    light_ends: int = 0
    moves: list[int] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def strong(onset: int, end: int, beat: int) -> tuple[bool, bool]:
    """Returns whether a syllable from `onset` to `end` (ticks in the bar) is on a beat, and on or held over one."""
    on = onset % beat == 0
    ahead = -onset % beat
    return on, on or (0 < ahead <= EIGHTH and end > onset + ahead)


def syllable_spans(notes: Sequence[Note]) -> list[tuple[int, int, int, int]]:
    """Returns (id, start, end, first pitch) of each sung syllable."""
    spans: list[tuple[int, int, int, int]] = []
    for note in notes:
        if note.syllable is None:
            continue
        if spans and spans[-1][0] == note.syllable:
            spans[-1] = (spans[-1][0], spans[-1][1], note.end_ticks, spans[-1][3])
        else:
            spans.append((note.syllable, note.start_ticks, note.end_ticks, note.pitch))
    return spans


def count_stress(tally: Tally, spans: Sequence[Span], stress: dict[int, int], beat: int, bar: int) -> None:
    """Adds where stressed and unstressed syllables fall; those with a secondary stress or none known are left out."""
    for key, start, end, _ in spans:
        on, held = strong(start % bar, start % bar + end - start, beat)
        if stress.get(key) == 1:
            tally.stressed += 1
            tally.strict += on
            tally.held += held
        elif stress.get(key) == 0:
            tally.unstressed += 1
            tally.unstressed_strong += on


def count_end(tally: Tally, spans: Sequence[Span], stress: dict[int, int], words: dict[int, int]) -> None:
    """Adds a line if it ends on the unstressed end of a word; `words` says to which word a syllable belongs."""
    word = words.get(spans[-1][0], -1)
    own = [span for span in spans if words.get(span[0]) == word]
    stressed = [i for i, span in enumerate(own) if stress.get(span[0], 0) == 1]
    if stressed and stressed[-1] < len(own) - 1:
        lengths = [end - start for _, start, end, _ in own[stressed[-1] :]]
        tally.weak_ends += 1
        tally.light_ends += lengths[-1] <= max(lengths[:-1])


def lines_of(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """Yields what is sung between rests of an eighth and more."""
    line: list[Span] = []
    for span in spans:
        if line and span[1] - line[-1][2] >= EIGHTH:
            yield line
            line = []
        line.append(span)
    if line:
        yield line


def count_chords(tally: Tally, spans: Sequence[Span], chords: Sequence[ChordSpan], beat: int, bar: int) -> None:
    """Adds how many syllables on a beat begin on a tone of the chord under them."""
    for _, start, _, pitch in spans:
        if start % bar % beat:
            continue
        span = next((c for c in chords if c.start_ticks <= start < c.end_ticks), None)
        chord = parse_chord(span.symbol) if span else None
        if chord is not None:
            tones = set(chord.pitch_classes)
            if len(tones) == 2:  # a power chord leaves its third to the tune
                tones |= {(chord.root + 3) % 12, (chord.root + 4) % 12}
            tally.on_beat += 1
            tally.consonant += pitch % 12 in tones


def compose(
    language: str, style_name: str, seed: int, *, heed_tones: bool = True
) -> tuple[LyricForm, VocalPlan, tuple[ChordSpan, ...], float]:
    """Returns form, voice and chords of a song with its own words, and the processor seconds its melody took."""
    brief = Brief(prompt=PROMPTS[language], subject="", language=language, styles=(style_name,), seed=seed)
    style = bend(load_style(style_name), brief)
    singer, voice_type = choose_singer(brief, style)
    words = song_words(brief, style, voice_type)
    form = lay_out(brief, style, words.sheet, words.frame or FormFrame(None, voiced_key(brief, style, voice_type)))
    chords = write_harmony(form.plan, style, seed=seed)
    started = time.process_time()
    _, vocals = write_sung_melody(form, style, chords, singer, voice_type, seed=seed, heed_tones=heed_tones)
    return form, vocals, chords, time.process_time() - started


def measure(tally: Tally, form: LyricForm, vocals: VocalPlan, chords: Sequence[ChordSpan]) -> None:
    """Adds one composed song."""
    plan = form.plan
    by_id = {s.id: s for s in vocals.syllables}
    spans = syllable_spans(vocals.notes)
    stress = {s.id: s.stress for s in vocals.syllables if _counts(s)}
    count_stress(tally, spans, stress, plan.beat_ticks, plan.bar_ticks)
    whole = _word_numbers(vocals.syllables)
    tunes = [span for span in spans if by_id[span[0]].delivery == "sung"]
    count_chords(tally, tunes, chords, plan.beat_ticks, plan.bar_ticks)
    lead = [s.id for s in vocals.syllables if not any(s in line.backing for line in vocals.lines)]
    words = [s for placed in form.lines for s in placed.line.syllables]
    tally.songs += 1
    tally.ordered += [key for key, *_ in spans] == lead and len(lead) == len(words)
    voice = VOICE_TYPES[vocals.voice_type]
    tick = 60 / plan.tempo_bpm / TICKS_PER_QUARTER
    for line, following in zip(vocals.lines, (*vocals.lines[1:], None), strict=True):
        tally.lines += 1
        gap = 10**9 if following is None else following.start_ticks - line.end_ticks
        tally.breaths += gap >= min(EIGHTH, round(0.25 / tick))
        tally.rests_inside += _rests(line, by_id)
        own = syllable_spans(line.notes)
        count_end(tally, own, stress, whole)
        length = (line.end_ticks - line.start_ticks) * tick
        tally.rates.append(len(own) / length)
        tally.moves += [abs(b[3] - a[3]) for a, b in pairwise(own)]
        directions = tone_directions(tuple(by_id[key].tone for key, *_ in own))
        against, asked = opposed(directions, [pitch for *_, pitch in own])
        tally.against, tally.asked = tally.against + against, tally.asked + asked
        for note in line.notes:
            tally.outside += not voice.low <= note.pitch <= voice.high
            tally.sung_ticks += note.duration_ticks
            tally.in_tessitura += note.duration_ticks * (voice.tessitura[0] <= note.pitch <= voice.tessitura[1])


def _counts(syllable: Syllable) -> bool:
    return not syllable.tone or len(syllable.word) > 1


def _rests(line: SungLine, by_id: dict[int, Syllable]) -> int:
    """Returns the rests of an eighth and more inside a line, but for those where a word ends on punctuation."""
    return sum(
        b.start_ticks - a.end_ticks >= EIGHTH and by_id[a.syllable or 0].word[-1:].isalnum()
        for a, b in pairwise(line.notes)
    )


def lead_sheets(folder: Path, most: int) -> Iterator[Song]:
    """Yields OpenEWLD's sheets that read cleanly and have words."""
    found = 0
    for path in sorted((folder / "openewld" / "dataset").rglob("*.mxl")):
        try:
            song = read_musicxml(path)
        except SongwrightError:
            continue
        if len(song.syllables) > 30 and len(song.meters) == 1:
            yield song
            found += 1
        if found >= most:
            return


def measure_sheets(songs: Sequence[Song]) -> Tally:
    """Returns the counts of lead sheets."""
    tally = Tally()
    rows = [(song, _words(song)) for song in songs]
    texts = sorted({word for _, words in rows for word, _ in words})
    known = dict(zip(texts, sound_out_words(texts, "en"), strict=True))
    for song, words in rows:
        stress: dict[int, int] = {}
        for word, ids in words:
            sounded = known[word].syllables
            if len(sounded) == len(ids):
                stress |= {key: s.stress for key, s in zip(ids, sounded, strict=True)}
        meter = song.meters[0]
        compound = meter.denominator == 8 and meter.numerator % 3 == 0
        beat = EIGHTH * 3 if compound else TICKS_PER_QUARTER * 4 // meter.denominator
        whole = {key: number for number, (_, ids) in enumerate(words) for key in ids}
        for track in song.tracks:
            spans = syllable_spans(track.notes)
            for line in lines_of(spans):
                count_end(tally, line, stress, whole)
            if spans:
                count_stress(tally, spans, stress, beat, meter.bar_ticks)
                count_chords(tally, spans, song.chords, beat, meter.bar_ticks)
        tally.songs += 1
    return tally


def _word_numbers(syllables: Sequence[Syllable]) -> dict[int, int]:
    """Returns to which word each syllable belongs."""
    places, number, found = word_places(tuple(syllables)), 0, {}
    for syllable in syllables:
        number += places[syllable.id] in ("single", "begin")
        found[syllable.id] = number
    return found


def _words(song: Song) -> list[tuple[str, list[int]]]:
    """Returns the words of a sheet with the ids of their syllables."""
    places = word_places(song.syllables)
    words: list[tuple[str, list[int]]] = []
    for syllable in song.syllables:
        if places[syllable.id] in ("single", "begin") or not words:
            words.append(("", []))
        text, ids = words[-1]
        words[-1] = (text + syllable.text, [*ids, syllable.id])
    return [(text.strip("-_ "), ids) for text, ids in words if any(c.isalpha() for c in text)]


def row(name: str, tally: Tally) -> str:
    """Returns a line of the table."""

    def share(part: float, whole: float) -> str:
        return f"{100 * part / whole:5.1f}" if whole else "    –"

    voice = [f"{tally.outside:4d}"] if tally.lines else ["   –"]
    cells = [
        f"{name:22s}", f"{tally.songs:4d}", share(tally.strict, tally.stressed), share(tally.held, tally.stressed),
        share(tally.unstressed_strong, tally.unstressed), share(tally.consonant, tally.on_beat),
        share(tally.breaths, tally.lines), share(tally.ordered, tally.songs if tally.lines else 0),
        share(tally.lines - min(tally.lines, tally.rests_inside), tally.lines),
        share(tally.light_ends, tally.weak_ends), share(tally.in_tessitura, tally.sung_ticks), *voice,
    ]  # fmt: skip
    return " | ".join(cells)


def _moves(sizes: Sequence[int]) -> str:
    """Returns how often a tune repeats, steps, skips and leaps."""
    found = np.array(sizes)
    kinds = {
        "same": found == 0,
        "step": (found > 0) & (found < 3),
        "third": (found > 2) & (found < 5),
        "leap": found > 4,
    }
    return ", ".join(f"{name} {share.mean():.0%}" for name, share in kinds.items())


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with openewld")
    parser.add_argument("--songs", type=int, default=20, help="songs for each language")
    parser.add_argument("--sheets", type=int, default=150, help="lead sheets")
    parser.add_argument("--seed", type=int, default=100)
    options = parser.parse_args(arguments)
    print(
        "songs                  |    n | strict | held | unstr | conson | breath | order | whole | light | tessit | out"
    )
    blind = Tally()
    totals: dict[str, Tally] = defaultdict(Tally)
    for language, styles in STYLES.items():
        tally = totals[language]
        for k in range(options.songs):
            made = compose(language, styles[k % len(styles)], options.seed + k)
            measure(tally, *made[:3])
            tally.seconds.append(made[3])
            if language == "zh":
                measure(blind, *compose(language, styles[k % len(styles)], options.seed + k, heed_tones=False)[:3])
        print(row(f"composed, {language}", tally), flush=True)
    print(row("zh, blind to tones", blind))
    if options.data:
        print(row("openewld", measure_sheets(list(lead_sheets(options.data, options.sheets)))))
    print()
    for language, tally in totals.items():
        q = np.quantile(tally.rates, [0.0, 0.05, 0.5, 0.95, 1.0])
        slowest = max(tally.seconds)
        rates = " ".join(f"{x:.1f}" for x in q)
        print(f"{language}: syllables a second in a line {rates} (min, 5 %, median, 95 %, max); "
              f"melody {np.median(tally.seconds):.2f} s, slowest {slowest:.2f} s")  # fmt: skip
    for name, tally in (("heeded", totals["zh"]), ("blind", blind)):
        print(f"tones {name}: {tally.against} of {tally.asked} asked moves against them "
              f"({tally.against / max(1, tally.asked):.1%}); moves: {_moves(tally.moves)}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
