"""festival as a source: English, the female HTS voice slt, all lines in one process, from a lexicon of the singer's.

The Scheme that festival is given is built of invented words and names of phones alone, see `arpabet`.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from songwright.perform.singer.source import SourceLine, SpokenLine
from songwright.perform.singer.sources.arpabet import EngineLine, run_engine, speak_english, timed
from songwright.perform.singer.sources.flite import read_wave

SPEED = 0.55
_PACKAGE = "festival festvox-us-slt-hts"
_VOICE = "cmu_us_slt_arctic_hts"
_LINES = 40


@dataclass(frozen=True, slots=True)
class FestivalSource:
    """Speaks English with festival's HTS voice, slowly; follows the `Source` protocol."""

    @property
    def identity(self) -> str:
        """Engine, voice and speed."""
        return f"festival {_VOICE} {SPEED}"

    def languages(self) -> tuple[str, ...]:
        """Returns English."""
        return ("en",)

    def speak(self, lines: Sequence[SourceLine]) -> list[SpokenLine]:
        """Returns each line as spoken; lines that are not English are spoken by espeak.

        Raises:
            SpeechError: festival or its voice is missing, failed or hung.
        """
        return speak_english("festival", lines, self._speak)

    def _speak(self, lines: list[EngineLine]) -> list[SpokenLine | None]:
        found: list[SpokenLine | None] = []
        for first in range(0, len(lines), _LINES):
            found += self._speak_some(lines[first : first + _LINES])
        return found

    def _speak_some(self, lines: list[EngineLine]) -> list[SpokenLine | None]:
        with tempfile.TemporaryDirectory(prefix="songwright-festival-") as folder:
            script = Path(folder) / "lines.scm"
            script.write_text(_scheme(lines, Path(folder)), encoding="utf-8")
            run_engine("festival", _PACKAGE, ["-b", str(script)])
            return [self._read(line, Path(folder), k) for k, line in enumerate(lines)]

    def _read(self, line: EngineLine, folder: Path, index: int) -> SpokenLine | None:
        waveform, rate = read_wave(folder / f"{index}.wav", "festival", _PACKAGE)
        rows = []
        for row in (folder / f"{index}.seg").read_text(encoding="utf-8", errors="replace").splitlines():
            parts = row.split()
            if len(parts) == 3:
                rows.append((parts[2], float(parts[0])))
        phones = timed(line, rows)
        return None if phones is None else SpokenLine(waveform, rate, phones)


def _scheme(lines: Sequence[EngineLine], folder: Path) -> str:
    """Returns the program for some lines; words of the same name are defined anew before each."""
    rows = [f"(voice_{_VOICE})", f'(set! hts_engine_params (append hts_engine_params \'(("-r" {SPEED}))))']
    quoted = str(folder).replace("\\", "\\\\").replace('"', '\\"')
    for k, line in enumerate(lines):
        for word in line.words:
            syllables = " ".join(f"(({' '.join(phones)}) {stress})" for phones, stress in word.syllables)
            rows.append(f'(lex.add.entry \'("{word.name}" nil ({syllables})))')
        rows.append(f'(set! utt (SynthText "{" ".join(word.name for word in line.words)}"))')
        rows.append(f'(utt.save.wave utt "{quoted}/{k}.wav" \'riff)')
        rows.append(f'(utt.save.segs utt "{quoted}/{k}.seg")')
    return "\n".join(rows) + "\n"
