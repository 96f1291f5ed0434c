"""flite as a source: English, one female voice (slt), one short process for each line, from a lexicon of the singer's.

Phones and their ends are printed by the program; the words are invented ones, see `arpabet`.
"""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from songwright.perform.singer.source import SourceLine, SpokenLine
from songwright.perform.singer.sources.arpabet import VOWELS, EngineLine, run_engine, speak_english, timed
from songwright.speech.espeak import SpeechError

STRETCH = 1.8
_PACKAGE = "flite"
_ENDS = re.compile(r"(?<!\S)([a-z]+):(\d+\.\d+)(?!\S)")


@dataclass(frozen=True, slots=True)
class FliteSource:
    """Speaks English with flite, slowly; follows the `Source` protocol.

    Args:
        voice: one that is built into the program.
    """

    voice: str = "slt"

    @property
    def identity(self) -> str:
        """Engine, version, voice and speed."""
        told = run_engine("flite", _PACKAGE, ["--version"], accept=(0, 1)) if _installed() else ""
        known = next((line.split("version:")[1].strip() for line in told.splitlines() if "version:" in line), "")
        return f"flite {known} {self.voice} {STRETCH}"

    def languages(self) -> tuple[str, ...]:
        """Returns English."""
        return ("en",)

    def speak(self, lines: Sequence[SourceLine]) -> list[SpokenLine]:
        """Returns each line as spoken; lines that are not English are spoken by espeak.

        Raises:
            SpeechError: flite is missing, failed or hung.
        """
        return speak_english("flite", lines, lambda told: [self._speak(line) for line in told])

    def _speak(self, line: EngineLine) -> SpokenLine | None:
        with tempfile.TemporaryDirectory(prefix="songwright-flite-") as folder:
            words, wave = Path(folder) / "words.txt", Path(folder) / "line.wav"
            words.write_text("".join(_entry(w.name, w.syllables) for w in line.words), encoding="ascii")
            text = " ".join(word.name for word in line.words)
            arguments = ["-voice", self.voice, "-add_lex", str(words), "--setf", f"duration_stretch={STRETCH}"]
            printed = run_engine("flite", _PACKAGE, [*arguments, "-psdur", "-t", text, "-o", str(wave)])
            waveform, rate = read_wave(wave, "flite", _PACKAGE)
        rows = [(name, float(end)) for name, end in _ENDS.findall(printed)]
        phones = timed(line, rows)
        return None if phones is None else SpokenLine(waveform, rate, phones)


def read_wave(path: Path, program: str, package: str) -> tuple[np.ndarray[tuple[int], np.dtype[np.float32]], int]:
    """Returns the sound that a program wrote, (samples,), and its rate.

    Raises:
        SpeechError: it wrote none.
    """
    import soundfile

    try:
        waveform, rate = soundfile.read(path, dtype="float32")
    except (OSError, soundfile.LibsndfileError):
        raise SpeechError(
            f"{program} wrote no sound; its voice may be missing: apt install {package}, or sing with espeak"
        ) from None
    return waveform.reshape(len(waveform), -1)[:, 0], int(rate)


def _entry(name: str, syllables: Sequence[tuple[tuple[str, ...], int]]) -> str:
    phones = []
    for row, stress in syllables:  # flite knows no stressed schwa
        phones += [f"{p}{0 if p == 'ax' else stress}" if p in VOWELS else p for p in row]
    return f"{name} nil : {' '.join(phones)}\n"


def _installed() -> bool:
    import shutil

    return shutil.which("flite") is not None
