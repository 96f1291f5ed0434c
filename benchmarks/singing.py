"""Prints what is measured of the house's voices singing plain tunes in three languages, beside targets and guesses.

Usage: python benchmarks/singing.py [--voices clara,adam] [--languages en,zh,ru] [--unseen] [--check-meter]

Each voice sings the same lines of each language to a simple tune in its own range: the sixteen of `singing_lines.toml`
that voices were set on, or the 24 that nothing was chosen on. Every row is from the sound;
the uninformed row is the likeliest phone sequence of the right length, heard by nobody. `--check-meter` measures the
meter of onsets itself, on spoken and drawn-out lines of voices that the recogniser never heard.
"""

import argparse
import statistics
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songwright.evaluation.phoneme_classes import phoneme_classes
from songwright.evaluation.recogniser import decode, load_network, phoneme_errors, posteriors
from songwright.evaluation.singing import Budget, SingingReport, measure_singing
from songwright.evaluation.sung_lines import LineSpan, line_spans, targets
from songwright.lyrics.phonetics import sound_out_words
from songwright.perform.singer.player import SingerPlayer, phone_times, source_of
from songwright.perform.singer.source import SourceLine
from songwright.perform.timeline import performance
from songwright.score.song import Note, Singer, Song, Syllable, TempoChange, Track
from songwright.score.voices import SINGERS, VOICE_TYPES

SAMPLE_RATE = 44100
BUDGET = Budget(1e9, 1e9, 12.0)  # harvest hears two or three lines: it is slow
LINES: dict[str, dict[str, list[str]]] = tomllib.loads(
    Path(__file__).with_name("singing_lines.toml").read_text(encoding="utf-8")
)
"""Lines of each language: ``tuned`` ones, on which voices were set, and ``unseen`` ones, on which nothing was."""
TUNE = ((0, 1, 2, 4, 2, 1, 2, 0), (4, 4, 2, 1, 2, 4, 5, 4), (5, 4, 2, 4, 1, 2, 0, 1), (2, 1, 0, 2, 1, 0, -1, 0))
MAJOR = (0, 2, 4, 5, 7, 9, 11)
LENGTHS = (960, 480, 480, 960, 480, 480, 960, 480, 480)
"""Ticks of the syllables of a line, over and over; the last one is a half note."""


def tune_of(language: str, singer: str, bpm: float, texts: Mapping[str, Sequence[str]]) -> Song:
    """Returns the lines set to a plain tune in the voice's tessitura."""
    low, high = VOICE_TYPES[SINGERS[singer].voice_type].tessitura
    tonic = low + max(0, (high - low - 9) // 2) + 1
    syllables: list[Syllable] = []
    notes: list[Note] = []
    tick = 1920
    for index, text in enumerate(texts[language]):
        words = sound_out_words(list(text) if language == "zh" else text.split(), language)
        flat = [(w, s) for w in words for s in w.syllables]
        for k, (word, s) in enumerate(flat):
            length = 1920 if k == len(flat) - 1 else LENGTHS[k % len(LENGTHS)]
            degree = TUNE[index % 4][k % 8] if k < len(flat) - 1 else TUNE[index % 4][-1]
            octave, step = divmod(degree, 7)
            notes.append(Note(tick, length, tonic + 12 * octave + MAJOR[step], 80, syllable=len(syllables)))
            syllables.append(
                Syllable(len(syllables), s.text, word.text, s.stress, index, language, s.phonemes, s.nucleus, s.tone)
            )
            tick += length
        tick += 960 + -tick % 960
    track = Track("vocal", "vocal", "voice", notes=tuple(notes), singer=Singer(singer))
    return Song(duration_ticks=tick + 1920, tempos=(TempoChange(0, bpm),), tracks=(track,), syllables=tuple(syllables))


def spoken_error(song: Song, lines: Sequence[LineSpan]) -> tuple[int, int]:
    """Returns errors and phones of the same lines as the singer's own source speaks them."""
    source = source_of(song.tracks[0].singer)
    spoken = source.speak([SourceLine(tuple(s.syllable for s in line.syllables), 220.0) for line in lines])
    wrong = total = 0
    for line, sound in zip(lines, spoken, strict=True):
        known, wanted = phoneme_classes(line.language), targets(line)
        assert wanted is not None
        told = [known.names[c] for i, c in enumerate(wanted.classes) if i == 0 or wanted.classes[i - 1] != c]
        heard = decode(posteriors(sound.waveform, sound.sample_rate, line.language), line.language)
        wrong += phoneme_errors(told, [p.name for p in heard])
        total += len(told)
    return wrong, total


def guessed_error(lines: Sequence[LineSpan]) -> float:
    """Returns the phoneme error of the likeliest sequence of the right length by bigram alone."""
    wrong = total = 0
    for line in lines:
        known, wanted = phoneme_classes(line.language), targets(line)
        assert wanted is not None
        told = [known.names[c] for i, c in enumerate(wanted.classes) if i == 0 or wanted.classes[i - 1] != c]
        table = load_network().heads[line.language].log_bigram.copy()
        table[:, 0] = -1e9
        np.fill_diagonal(table, -1e9)
        best, back = table[0], []
        for _ in range(len(told) - 1):
            options = best[:, None] + table
            back.append(options.argmax(axis=0))
            best = options.max(axis=0)
        row = [int(best.argmax())]
        for step in reversed(back):
            row.append(int(step[row[-1]]))
        wrong += phoneme_errors(told, [known.names[c] for c in row[::-1]])
        total += len(told)
    return wrong / total


def shuffled(song: Song, seed: int) -> Song:
    """Returns the song with the sounds of its syllables exchanged at random: what the meter must not find."""
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(song.syllables)).tolist()
    others = [song.syllables[i] for i in order]
    mixed = [replace(s, phonemes=o.phonemes, nucleus=o.nucleus) for s, o in zip(song.syllables, others, strict=True)]
    return replace(song, syllables=tuple(mixed))


def sing(song: Song, seed: int) -> tuple[NDArray[np.float32], float]:
    """Returns the dry voice and the seconds of processor time a second of song (espeak's process apart)."""
    played = performance(song, song.tracks[0])
    length = song.duration_seconds
    begun = time.process_time()
    sound = SingerPlayer(seed).render(played, "voice", sample_rate=SAMPLE_RATE, num_samples=int(length * SAMPLE_RATE))
    return sound[0], (time.process_time() - begun) / length


def row(label: str, target: str, values: Sequence[float | None], unit: str = "") -> None:
    """Prints one row: a value for each voice."""
    cells = "".join(f"{'-' if v is None else f'{v:.1f}':>8s}" for v in values)
    print(f"{label:44s} {target:>10s} {cells} {unit}")


def table(language: str, voices: Sequence[str], bpm: float, texts: Mapping[str, Sequence[str]]) -> None:
    """Prints the table of one language."""
    reports: list[SingingReport] = []
    spoken: list[float] = []
    speeds: list[float] = []
    controls: list[float | None] = []
    guessed = 0.0
    for voice in voices:
        song = tune_of(language, voice, bpm, texts)
        sound, rtf = sing(song, 1)
        phones = phone_times(performance(song, song.tracks[0]))
        reports.append(measure_singing(song, "vocal", sound, SAMPLE_RATE, phones, budget=BUDGET))
        heard_only = Budget(1e9, 0.0, 0.0)
        control = measure_singing(shuffled(song, 1), "vocal", sound, SAMPLE_RATE, phones, budget=heard_only)
        controls.append(control.syllables_found)
        lines = [line for line in line_spans(song, "vocal", phones) if targets(line) is not None]
        wrong, total = spoken_error(song, lines)
        spoken.append(100.0 * wrong / total)
        speeds.append(rtf)
        guessed = 100.0 * guessed_error(lines)
    print(f"\n{language}, {bpm:.0f} bpm, {reports[0].lines} lines, {reports[0].syllables} syllables")
    print(f"{'':44s} {'target':>10s} " + "".join(f"{v:>8s}" for v in voices))

    def percent(values: Sequence[float | None]) -> list[float | None]:
        return [None if v is None else 100.0 * v for v in values]

    row("syllables planned in order", "100", percent([r.planned_in_order for r in reports]), "%")
    row("vowels found in their windows", ">= 95", percent([r.syllables_found for r in reports]), "%")
    row("the same with the words shuffled", "(control)", percent(controls), "%")
    for kind in ("all", "stop", "fricative", "nasal", "silence", "vowel"):
        goal = ("<= 15", "<= 50") if kind in ("all", "stop", "fricative", "nasal") else ("apart", "apart")
        found = [r.onsets.get(kind) for r in reports]
        row(f"onset after {kind}: median off", goal[0], [o and o.median_abs_ms for o in found], "ms")
        row(f"onset after {kind}: 95th percentile", goal[1], [o and o.p95_abs_ms for o in found], "ms")
        row(f"onset after {kind}: median, above 0 late", "", [o and o.median_ms for o in found], "ms")
    for name in ("pyin", "harvest"):
        found_pitch = [getattr(r, name) for r in reports]
        row(f"{name}: median off, of notes", "<= 10", [p and p.median_cents for p in found_pitch], "cents")
        row(f"{name}: median off, of frames", "", [p and p.frame_median_cents for p in found_pitch], "cents")
        row(f"{name}: frames within 50 cents", ">= 97", percent([p and p.within_50_cents for p in found_pitch]), "%")
    row("voiced or unvoiced wrongly", "<= 8", percent([r.voicing_error for r in reports]), "%")
    sung = percent([r.phoneme_error for r in reports])
    row("phoneme error, sung", "", sung, "%")
    row("phoneme error, the same spoken", "", spoken, "%")
    row("sung costs", "<= 15", [None if a is None else a - b for a, b in zip(sung, spoken, strict=True)], "points")
    row("phoneme error of guessing (no ears)", "", [guessed] * len(voices), "%")
    row("processor seconds a second of song", "<= 0.12", [], " ".join(f"{s:.3f}" for s in speeds))
    row(
        "stressed syllables on or over beats",
        "(tune)",
        percent([r.fit.stressed_on_or_over_beats for r in reports]),
        "%",
    )


def meter_table() -> None:
    """Prints bias and spread of the onset meter where the truth is known."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "recipes" / "recogniser"))
    from onset_meter import measure_meter  # the recipe makes the drawn-out lines

    for line in measure_meter():
        print(line)


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--voices", default=",".join(SINGERS))
    parser.add_argument("--languages", default="en,zh,ru")
    parser.add_argument("--bpm", type=float, default=84.0)
    parser.add_argument("--unseen", action="store_true", help="lines on which nothing was tuned")
    parser.add_argument("--check-meter", action="store_true")
    arguments = parser.parse_args()
    voices = arguments.voices.split(",")
    started = time.perf_counter()
    speeds = []
    for language in arguments.languages.split(","):
        table(language, voices, arguments.bpm, LINES["unseen" if arguments.unseen else "tuned"])
        speeds.append(time.perf_counter() - started)
    if arguments.check_meter:
        meter_table()
    print(f"\n{len(voices)} voices; one thread; {statistics.fmean(np.diff([0.0, *speeds])):.0f} s a language")


if __name__ == "__main__":
    main()
