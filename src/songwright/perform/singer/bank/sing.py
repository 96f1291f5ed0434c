"""`VoiceBank`: a DiffSinger folder that sings lines by itself; follows the `Bank` protocol.

Times and pitch come from the singer's own plan, so a bank sings what any other source would sing, with its own voice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songwright.audio.resample import resample
from songwright.perform.singer.bank.config import VARIANCES, BankConfig, read_config
from songwright.perform.singer.bank.dictionary import BankPhones, Dictionary, read_dictionary
from songwright.perform.singer.bank.models import STEPS, Networks
from songwright.perform.singer.phones import is_voiced
from songwright.score.song import Syllable
from songwright.score.sung import SungPhone

EDGE_SECONDS = 0.1
"""Silence that the model is given before and after a line."""
_CODA_SECONDS, _CODA_SHARE = 0.09, 0.3
_BORROWED_SECONDS, _BORROWED_SHARE = 0.06, 0.4
_PAUSE_SECONDS = 0.03
_SILENT_DB = -80.0


@dataclass(frozen=True, slots=True)
class TimedPhone:
    """A phoneme of the bank and when it is sung; `voiced` as the singer's own phone is."""

    name: str
    start: float
    end: float
    voiced: bool


class VoiceBank:
    """A voicebank that sings.

    Args:
        folder: in the DiffSinger format.

    Raises:
        SongwrightError: it is no voicebank, or misses files; one line.
    """

    def __init__(self, folder: Path) -> None:
        self._config: BankConfig = read_config(folder)
        self._dictionary: Dictionary = read_dictionary(self._config)
        self._networks = Networks(self._config)

    @property
    def identity(self) -> str:
        """The bank's name, and size and date of its networks."""
        files = [path.stat() for path in (self._config.acoustic, self._config.vocoder)]
        return f"bank {self._config.name} {' '.join(f'{s.st_size} {s.st_mtime_ns}' for s in files)} {STEPS}"

    def languages(self) -> tuple[str, ...]:
        """Returns the languages that its dictionaries name."""
        return self._dictionary.languages()

    def sing(
        self,
        phones: Sequence[SungPhone],
        syllables: Sequence[Syllable],
        f0_hz: NDArray[np.float64],
        effort: NDArray[np.float64],
        *,
        hop_seconds: float,
        sample_rate: int,
    ) -> NDArray[np.float32]:
        """Returns a line of song, (samples,), beginning at time 0; see `Bank.sing`.

        Raises:
            DataError: the networks do not fit together, or fail.
        """
        config = self._config
        row = bank_phones(phones, {s.id: self._dictionary.phones(s) for s in syllables})
        seconds = len(f0_hz) * hop_seconds
        names, edges = _with_silence(row, seconds)
        frame = config.hop_length / config.sample_rate
        bounds = _frames(edges, frame)
        durations = np.diff(bounds)
        times: NDArray[np.float64] = (np.arange(int(bounds[-1]), dtype=np.float64) + 0.5) * frame - EDGE_SECONDS
        at = np.arange(len(f0_hz), dtype=np.float64) * hop_seconds
        f0 = _continuous(f0_hz, at, times)
        strength = np.interp(times, at, effort)
        owner = np.repeat(np.arange(len(names)), durations)
        kinds = np.array([_voiced_at(row, e) for e in edges[:-1]])
        sounding = np.array([name != "SP" for name in names])
        tokens = np.array([self._config.phonemes.get(n, 0) for n in names], dtype=np.int64)
        languages = np.array([config.languages.get(n.partition("/")[0] if "/" in n else "", 0) for n in names])
        curves = variances(strength, sounding[owner], kinds[owner])
        wave = self._networks.waveform(tokens, languages, durations, f0.astype(np.float32), curves)
        head = round(EDGE_SECONDS * config.sample_rate)
        inside = wave[head : head + round(seconds * config.sample_rate)]
        return resample(inside, config.sample_rate, sample_rate)


def bank_phones(phones: Sequence[SungPhone], known: dict[int, BankPhones]) -> list[TimedPhone]:
    """Returns the bank's phonemes with times, in order, without overlaps.

    Args:
        phones: of a line, in order.
        known: of each syllable's id its phonemes in the bank.
    """
    rows: list[TimedPhone] = []
    groups: list[list[SungPhone]] = []
    for phone in phones:
        if groups and groups[-1][0].syllable == phone.syllable:
            groups[-1].append(phone)
        else:
            groups.append([phone])
    for group in groups:
        wanted = known[group[0].syllable]
        at = next((i for i, p in enumerate(group) if p.is_nucleus), 0)
        onset, rest = group[:at], group[at:]
        start, middle, end = group[0].start_seconds, group[at].start_seconds, group[-1].end_seconds
        if wanted.onset and not onset:  # the bank has a consonant where the singer has none: a little of the vowel
            middle += min(_BORROWED_SECONDS, _BORROWED_SHARE * (end - middle))
        if not wanted.onset:
            middle = start
        rows += _spread(wanted.onset, onset, start, middle)
        rows += _rest(wanted.rest, rest, middle, end)
    return rows


def _spread(names: Sequence[str], phones: Sequence[SungPhone], start: float, end: float) -> list[TimedPhone]:
    """Returns consonants: each in its phone's time where they count the same, otherwise evenly."""
    if len(names) == len(phones):
        return [
            TimedPhone(name, p.start_seconds, p.end_seconds, is_voiced(p.symbol))
            for name, p in zip(names, phones, strict=True)
        ]
    edges = np.linspace(start, end, len(names) + 1).tolist()
    voiced = all(is_voiced(p.symbol) for p in phones)
    return [TimedPhone(name, a, b, voiced) for name, a, b in zip(names, edges, edges[1:], strict=False)]


def _rest(names: Sequence[str], phones: Sequence[SungPhone], start: float, end: float) -> list[TimedPhone]:
    """Returns the vowel and what follows it: where counts differ the vowel has what the others do not need."""
    if not names:
        return []
    if len(names) == len(phones):
        edges = [start, *(p.start_seconds for p in phones[1:]), end]
    else:
        after = len(names) - 1
        each = min(_CODA_SECONDS, _CODA_SHARE * (end - start) / max(after, 1))
        edges = [start, *(end - each * k for k in range(after, 0, -1)), end]
    last = is_voiced(phones[-1].symbol) if phones else True
    voiced = [True, *([last] * (len(names) - 1))]
    if len(names) == len(phones):
        voiced = [is_voiced(p.symbol) for p in phones]
    return [TimedPhone(n, a, b, v) for n, a, b, v in zip(names, edges, edges[1:], voiced, strict=False)]


def _with_silence(row: Sequence[TimedPhone], seconds: float) -> tuple[list[str], list[float]]:
    """Returns names and their edges (one more), silence before, between and after; times from `-EDGE_SECONDS`."""
    ends = [p.end for p in row]
    filled, bounds = ["SP"], [-EDGE_SECONDS]
    for phone, end_before in zip(row, [None, *ends][: len(row)], strict=True):
        if end_before is not None and phone.start - end_before > _PAUSE_SECONDS:
            filled.append("SP")
            bounds.append(end_before)
        filled.append(phone.name)
        bounds.append(phone.start)
    filled.append("SP")
    return filled, [*bounds, ends[-1] if ends else 0.0, max(seconds, ends[-1] if ends else 0.0) + EDGE_SECONDS]


def _voiced_at(row: Sequence[TimedPhone], start: float) -> bool:
    return next((p.voiced for p in row if p.start == start), False)


def _frames(edges: Sequence[float], frame: float) -> NDArray[np.int64]:
    """Returns edges in frames, rising by at least one."""
    bounds = [round((e + EDGE_SECONDS) / frame) for e in edges]
    for i in range(1, len(bounds)):
        bounds[i] = max(bounds[i], bounds[i - 1] + 1)
    return np.array(bounds, dtype=np.int64)


def _continuous(f0_hz: NDArray[np.float64], at: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the pitch at other times, carried through where there is none."""
    known = f0_hz > 0
    if not known.any():
        return np.full(len(times), 220.0)
    return np.asarray(np.exp(np.interp(times, at[known], np.log(f0_hz[known]))))


def variances(
    effort: NDArray[np.float64], sounding: NDArray[np.bool_], voiced: NDArray[np.bool_]
) -> dict[str, NDArray[np.float32]]:
    """Returns what some models are told beside the pitch, derived from the effort. (frames,) each.

    Energy and its noise and harmonic parts are levels in decibels; tension is about 0 at middling effort.
    """
    energy = np.where(sounding, np.where(voiced, -36.0, -44.0) + 18.0 * effort, _SILENT_DB)
    noise = np.where(sounding, np.where(voiced, -56.0 + 6.0 * effort, -44.0 + 18.0 * effort), _SILENT_DB)
    harmonic = np.where(sounding & voiced, energy - 1.0, _SILENT_DB)
    found = dict(zip(VARIANCES, (energy, noise, harmonic, 6.0 * (effort - 0.6)), strict=True))
    window = np.hanning(7)[1:-1]
    window /= window.sum()
    return {
        name: np.convolve(np.pad(curve, 2, mode="edge"), window, mode="valid").astype(np.float32)
        for name, curve in found.items()
    }
