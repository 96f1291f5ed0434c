"""A piper voice as a source: an ONNX network from IPA to sound, with its settings in a JSON file beside it.

Where the network gives no durations, the line is laid beside the same line spoken by espeak, whose phones are known.
"""

import json
import os
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.errors import DataError, InputError
from songwright.perform.singer.bank.config import voices_folder
from songwright.perform.singer.bank.models import open_session
from songwright.perform.singer.source import SourceLine, SourcePhone, SpokenLine
from songwright.perform.singer.sources.espeak import EspeakSource
from songwright.perform.singer.sources.ipa import ipa_of
from songwright.perform.singer.sources.warp import carried

SLOWNESS = 1.5
"""How much slower than the voice's own speed."""
_LARGEST_JSON_BYTES = 4_000_000
_MOST_IDS = 1500
_LONGEST_SECONDS = 90.0
_NEAREST = {"ɪ": "i", "ʊ": "u", "ɔ": "o", "ɛ": "e", "æ": "a", "ɑ": "a", "ʌ": "a", "ɐ": "a", "ɚ": "ə", "ɜ": "ə",
            "ə": "e", "ɹ": "r", "ɾ": "d", "ɡ": "g", "ɭ": "l", "ʔ": "t", "ᵻ": "i", "χ": "x", "ɵ": "o"}  # fmt: skip
_LANGUAGES = {"cmn": "zh", "zh": "zh", "en": "en", "ru": "ru"}


@dataclass(frozen=True)
class PiperSettings:
    """What the JSON file says.

    Attributes:
        sample_rate: of the voice.
        ids: of each symbol.
        language: as the score names it.
        length_scale: the voice's own speed.
    """

    sample_rate: int
    ids: dict[str, tuple[int, ...]]
    language: str
    length_scale: float


@dataclass
class PiperSource:
    """Speaks with a piper voice, slowly and without chance; follows the `Source` protocol.

    Args:
        name: a path, or the name of a voice in the voices folder or in PIPER_VOICES.

    Raises:
        SongwrightError: no such voice, or its settings are missing or damaged.
    """

    name: str
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _session: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._path = find_voice(self.name)
        self._settings = read_settings(self._path)

    @property
    def identity(self) -> str:
        """The voice's file name, size and date, and the speed."""
        stat = self._path.stat()
        return f"piper {self._path.stem} {stat.st_size} {stat.st_mtime_ns} {SLOWNESS}"

    def languages(self) -> tuple[str, ...]:
        """Returns the language of the voice."""
        return (self._settings.language,)

    def speak(self, lines: Sequence[SourceLine]) -> list[SpokenLine]:
        """Returns each line as spoken; lines in other languages are spoken by espeak.

        Raises:
            SongwrightError: ONNX Runtime is missing, or the voice failed.
        """
        beside = EspeakSource("klatt4").speak(lines)
        return [
            self._speak(line, known) if self._speaks(line) else known for line, known in zip(lines, beside, strict=True)
        ]

    def _speaks(self, line: SourceLine) -> bool:
        return all((s.language or "en").split("-")[0] == self._settings.language for s in line.syllables)

    def _speak(self, line: SourceLine, known: SpokenLine) -> SpokenLine:
        ids, owners = phoneme_ids(line, self._settings.ids)
        if len(ids) > _MOST_IDS:
            return known
        waveform, durations = self._run(ids)
        rate = self._settings.sample_rate
        if not len(waveform) or len(waveform) > _LONGEST_SECONDS * rate or not np.isfinite(waveform).all():
            raise DataError(self._path, f"made {len(waveform)} samples of a line; expected a few seconds of sound")
        order = [(s.phonemes[k], i, k == s.nucleus) for i, s in enumerate(line.syllables)
                 for k in range(len(s.phonemes))]  # fmt: skip
        if durations is not None and len(durations) == len(ids) and float(durations.sum()) > 0:
            phones = _by_durations(order, owners, durations, len(waveform) / rate)
        else:
            phones = carried(known, waveform, rate)
        return SpokenLine(waveform, rate, phones)

    def _run(self, ids: Sequence[int]) -> tuple[NDArray[np.float32], NDArray[np.float64] | None]:
        with self._lock:
            if self._session is None:
                self._session = open_session(self._path)
            session = self._session
            names = [i.name for i in session.get_inputs()]
            offered: dict[str, NDArray[Any]] = {
                "input": np.array([ids], dtype=np.int64),
                "input_lengths": np.array([len(ids)], dtype=np.int64),
                "scales": np.array([0.0, self._settings.length_scale * SLOWNESS, 0.0], dtype=np.float32),
                "sid": np.array([0], dtype=np.int64),
            }
            strange = [name for name in names if name not in offered]
            if strange or "input" not in names:
                raise DataError(self._path, f"is no piper voice: its inputs are {', '.join(names[:8])}")
            try:
                found = session.run(None, {name: offered[name] for name in names})
            except Exception as error:  # the runtime has a class of errors for each thing that can be wrong
                reason = str(error).strip().splitlines()[:1]
                raise DataError(self._path, f"the voice failed: {''.join(reason)[:200]}") from None
        durations = np.asarray(found[1], dtype=np.float64).reshape(-1) if len(found) > 1 else None
        return np.asarray(found[0], dtype=np.float32).reshape(-1), durations


def find_voice(name: str) -> Path:
    """Returns a voice's ONNX file: a path, or a name among the user's voices.

    Raises:
        InputError: there is none; the message says where was looked.
    """
    path = Path(name).expanduser()
    places = [voices_folder(), *(Path(p) for p in os.environ.get("PIPER_VOICES", "").split(os.pathsep) if p)]
    tried = [path, path.with_name(f"{path.name}.onnx")] if path.name else []
    if len(path.parts) == 1:
        tried += [folder / f"{name.removesuffix('.onnx')}.onnx" for folder in places]
    for one in tried:
        if one.is_file():
            return one
    folders = ", ".join(str(folder) for folder in places)
    raise InputError(
        f"no piper voice '{name}': give the path of its .onnx, or put it (and its .onnx.json) in {folders}"
    )


def read_settings(voice: Path) -> PiperSettings:
    """Returns the settings beside a voice.

    Raises:
        DataError: they are missing or damaged.
    """
    path = voice.with_name(f"{voice.name}.json")
    if not path.is_file():
        raise DataError(path, "is missing: a piper voice has its settings beside it; copy both files")
    try:
        data = json.loads(path.read_text(encoding="utf-8") if path.stat().st_size < _LARGEST_JSON_BYTES else "")
        raw = data["phoneme_id_map"]
        ids = {str(k): tuple(int(i) for i in (v if isinstance(v, list) else [v])) for k, v in raw.items()}
        rate = int(data["audio"]["sample_rate"])
        spoken = str(data.get("espeak", {}).get("voice", "en"))
        scale = float(data.get("inference", {}).get("length_scale", 1.0))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(path, f"is damaged ({type(error).__name__}: {str(error)[:60]}); copy it again") from None
    if not ids or not 8000 <= rate <= 192_000 or not 0.05 < scale < 20:
        raise DataError(path, f"sample rate {rate}, length_scale {scale:g}, {len(ids)} phonemes: not a usable voice")
    code = spoken.split("-")[0].split("+")[0]
    return PiperSettings(rate, ids, _LANGUAGES.get(code, code), scale)


def phoneme_ids(line: SourceLine, ids: dict[str, tuple[int, ...]]) -> tuple[list[int], list[int]]:
    """Returns the numbers of a line (pads between, marks at both ends), and which phone each belongs to (-1 none).

    Symbols that the voice does not know are said by the nearest it knows, or left out.
    """
    pad = ids.get("_", ())
    numbers, owners = [*ids.get("^", ())], [-1] * len(ids.get("^", ()))

    def add(symbol: str, owner: int) -> None:
        for number in (*ids[symbol], *pad):
            numbers.append(number)
            owners.append(owner)

    numbers += pad
    owners += [-1] * len(pad)
    at = 0
    for i, syllable in enumerate(line.syllables):
        before = line.syllables[i - 1] if i else None
        inside = (
            before is not None and syllable.word and before.word == syllable.word and syllable.text != syllable.word
        )
        if before is not None and not inside and " " in ids:
            add(" ", -1)
        for k, phone in enumerate(syllable.phonemes):
            mark = {1: "ˈ", 2: "ˌ"}.get(syllable.stress, "") if k == syllable.nucleus else ""
            for symbol in unicodedata.normalize("NFD", mark + ipa_of(phone, syllable.language or "en")):
                known = symbol if symbol in ids else _NEAREST.get(symbol, "")
                if known in ids:
                    add(known, at)
            at += 1
    numbers += ids.get("$", ())
    owners += [-1] * len(ids.get("$", ()))
    return numbers, owners


def _by_durations(
    order: Sequence[tuple[str, int, bool]], owners: Sequence[int], durations: NDArray[np.float64], seconds: float
) -> tuple[SourcePhone, ...]:
    """Returns the phones of a line whose voice says how long each symbol lasts; one left out is squeezed in."""
    ends = np.cumsum(np.maximum(durations, 0))
    ends *= seconds / ends[-1]
    starts = np.concatenate(([0.0], ends[:-1]))
    edges: list[float] = []
    for k in range(len(order)):
        mine = [i for i, owner in enumerate(owners) if owner == k]
        edges.append(float(starts[mine[0]]) if mine else -1.0)
    last = max((i for i, owner in enumerate(owners) if owner >= 0), default=len(owners) - 1)
    edges.append(float(ends[last]))
    for k in range(len(edges) - 2, -1, -1):
        if edges[k] < 0 or edges[k] > edges[k + 1] - 0.005:
            edges[k] = max(edges[k + 1] - 0.02, 0.0)
    return tuple(
        SourcePhone(symbol, syllable, edges[k], max(edges[k + 1], edges[k] + 0.005), nucleus)
        for k, (symbol, syllable, nucleus) in enumerate(order)
    )
