"""`SingerPlayer`: a vocal track's performance becomes the dry sound of a voice; `phone_times` says when what sounds."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from songwright.perform.singer.bank.phrase import sung_by
from songwright.perform.singer.breath import breath_before
from songwright.perform.singer.dynamics import edges, effort_of, level_db
from songwright.perform.singer.lines import Phrase, sung_parts
from songwright.perform.singer.onsets import on_releases
from songwright.perform.singer.phones import balance_db, is_voiced, kind_of
from songwright.perform.singer.pitch import contour, hertz
from songwright.perform.singer.source import Bank, Source, SourceLine, SpokenLine
from songwright.perform.singer.sources.choose import bank_of, sounding_voice, source_of
from songwright.perform.singer.spectrum import alive, coloured, noise_share, rumble_cut, thickened, tuned, with_effort
from songwright.perform.singer.timing import PlannedPhone, plan
from songwright.perform.singer.voice import Voice
from songwright.perform.singer.voicing import synthesise
from songwright.perform.singer.world import (
    HOP_SECONDS,
    Envelopes,
    analyse,
    fft_size,
    lay_out,
    rows_at,
    smoothed,
)
from songwright.perform.timeline import Performance
from songwright.score.song import Singer
from songwright.score.sung import SungPhone
from songwright.seeding import generator

SINGER_VERSION = "5"
_VOWEL_LEVEL_DB = -21.0
_EVENNESS = 0.75
_CONSONANT_EVENNESS = 0.4
_BEFORE_SECONDS, _AFTER_SECONDS = 0.25, 0.25
_CACHED_LINES = 64
_DB = float(np.log(10) / 10)
_SILENCE = np.float32(-34.0)


@dataclass(frozen=True)
class _Take:
    """What is the same for all phrases of a rendering; `take` tells a double from the voice that it doubles."""

    voice: Voice
    sample_rate: int
    hz: NDArray[np.float64]
    take: str
    bank: Bank | None = None


def phone_times(performance: Performance, player: "SingerPlayer | None" = None) -> tuple[SungPhone, ...]:
    """Returns when each phone of a track is sung, in order. Speaks the lines, but renders nothing.

    Args:
        performance: of the track.
        player: who sang it; what has been spoken for that is not spoken again.

    Raises:
        SongwrightError: the source failed.
    """
    if not performance.num_notes:
        return ()
    parts = sung_parts(performance)
    player = player or SingerPlayer()
    spoken = player.spoken(source_of(performance.singer), [phrase for phrases in parts for phrase in phrases])
    found = [row.phone for phrases in parts for phrase in phrases for row in plan(phrase, spoken[_line_key(phrase)])]
    return tuple(sorted(found, key=lambda p: p.start_seconds))


class SingerPlayer:
    """Sings every track whose instrument is ``voice``; follows the `Player` protocol.

    Repeated lines (refrains, doubles, harmonies) are spoken and analysed once for all tracks.

    Args:
        seed: of the song; every breath and every waver is drawn from it.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._speaking: dict[str, threading.Lock] = {}
        self._lines: dict[tuple[object, ...], SpokenLine] = {}
        self._envelopes: dict[tuple[object, ...], Envelopes] = {}

    @property
    def identity(self) -> str:
        """The kind of player, its version and seed, and the libraries that sound."""
        libraries = " ".join(f"{name} {version(name)}" for name in ("espeakng-loader", "pyworld-prebuilt"))
        return f"singer {SINGER_VERSION} {libraries} {self._seed}"

    def render(
        self, performance: Performance, instrument: str, *, sample_rate: int, num_samples: int
    ) -> NDArray[np.float32]:
        """Returns (2, num_samples), dry, both channels the same; see `Player.render`.

        Raises:
            SongwrightError: the source failed, or the singer is not known.
        """
        out = np.zeros(num_samples, dtype=np.float32)
        if performance.num_notes:
            source = source_of(performance.singer)
            size = fft_size(sample_rate)
            take = _Take(
                sounding_voice(performance.singer),
                sample_rate,
                np.linspace(0, sample_rate / 2, size // 2 + 1),
                _take_name(performance.singer),
                bank_of(performance.singer),
            )
            parts = sung_parts(performance)
            spoken = self.spoken(source, [phrase for phrases in parts for phrase in phrases])
            for index, phrases in enumerate(parts):
                self._sing(out, phrases, spoken, take, source.identity, index)
        return np.stack([out, out])

    def _sing(
        self,
        out: NDArray[np.float32],
        phrases: Sequence[Phrase],
        spoken: dict[tuple[object, ...], SpokenLine],
        take: _Take,
        source: str,
        part: int,
    ) -> None:
        """Adds one voice to the sound, phrase by phrase."""
        draw = partial(generator, self._seed, "singer", take.take, part)
        last = phrases[-1].end + _AFTER_SECONDS
        times = np.arange(int(last / HOP_SECONDS) + 2, dtype=np.float64) * HOP_SECONDS
        pitch = contour(phrases, take.voice, times, draw)
        effort = effort_of(phrases, take.voice, times, draw)
        for phrase in phrases:
            key = _line_key(phrase)
            rows = plan(phrase, spoken[key])
            first = max(0, int((rows[0].phone.start_seconds - 0.03) / HOP_SECONDS))
            end = min(len(times), int((rows[-1].phone.end_seconds + 0.12) / HOP_SECONDS) + 1)
            rng = draw("sound", phrase.name)
            frames = slice(first, end)
            if take.bank is not None:
                curves = pitch[frames], effort[frames]
                sound = sung_by(take.bank, phrase, rows, take.voice, times[frames], curves, take.sample_rate)
            else:
                envelopes = self._analysed((source, *key), spoken[key])
                sound = _sound(phrase, rows, envelopes, take, times[frames], pitch[frames], effort[frames], rng)
            _add(out, sound, round(times[first] * take.sample_rate))
            average = float(effort[frames].mean())
            breath = breath_before(phrase, rows[0].phone.start_seconds, take.voice, average, take.sample_rate, rng)
            if breath is not None:
                _add(out, breath[1], round(breath[0] * take.sample_rate))

    def spoken(self, source: Source, phrases: Sequence[Phrase]) -> dict[tuple[object, ...], SpokenLine]:
        """Returns each distinct line as spoken, by what makes it sound as it does.

        Raises:
            SongwrightError: the source failed.
        """
        lines: dict[tuple[object, ...], SourceLine] = {}
        for phrase in phrases:
            pitch = float(np.median([n.pitch for n in phrase.notes]))
            syllables = tuple(s.syllable for s in phrase.syllables)
            lines.setdefault(_line_key(phrase), SourceLine(syllables, 440.0 * 2 ** ((pitch - 69) / 12)))
        who = source.identity
        with self._lock:
            alone = self._speaking.setdefault(who, threading.Lock())
        with alone:
            missing = [key for key in lines if (who, *key) not in self._lines]
            if missing:
                told = source.speak([lines[key] for key in missing])
                self._lines.update({(who, *key): on_releases(line) for key, line in zip(missing, told, strict=True)})
            return {key: self._lines[who, *key] for key in lines}

    def _analysed(self, key: tuple[object, ...], spoken: SpokenLine) -> Envelopes:
        found = self._envelopes.get(key)
        if found is None:
            found = analyse(spoken)
            thick = thickened(found.log_power, found.sample_rate, found.sonorant)
            found = replace(found, log_power=thick)
            with self._lock:
                while len(self._envelopes) >= _CACHED_LINES:
                    self._envelopes.pop(next(iter(self._envelopes)))
                self._envelopes[key] = found
        return found


def _take_name(singer: Singer | None) -> str:
    """Returns what tells one singer from another of the same notes: nobody sings them twice alike."""
    if singer is None:
        return ""
    return " ".join((singer.name, *(f"{name}={singer.parameters[name]:g}" for name in sorted(singer.parameters))))


def _line_key(phrase: Phrase) -> tuple[object, ...]:
    """Returns what makes two phrases sound the same when spoken."""
    return tuple((s.syllable.phonemes, s.syllable.stress, s.syllable.language) for s in phrase.syllables)


def _sound(
    phrase: Phrase,
    rows: Sequence[PlannedPhone],
    envelopes: Envelopes,
    take: _Take,
    times: NDArray[np.float64],
    pitch: NDArray[np.float64],
    effort: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Returns the sound of a phrase from the first of `times` on."""
    voice = take.voice
    seconds, owner = lay_out(rows, times, rng)
    own = coloured(envelopes.log_power, envelopes.sample_rate, envelopes.sonorant, voice, take.hz)
    silent = owner < 0
    spectra = rows_at(own, seconds)
    del own
    sonorant = np.interp(seconds, np.arange(len(envelopes.sonorant)) * HOP_SECONDS, envelopes.sonorant)
    voiced = np.array([is_voiced(r.phone.symbol) for r in rows] + [False])[owner]
    spectra = with_effort(spectra, effort, sonorant, voice, take.hz)
    f0 = np.where(voiced, hertz(pitch), 0.0)
    spectra = tuned(spectra, np.asarray(hertz(pitch)), sonorant, take.hz)
    gain = _gain_db(spectra, np.asarray(hertz(pitch)), rows, owner, take) + level_db(effort)
    spectra += alive(len(times), take.hz, rng) * sonorant.astype(np.float32)[:, None]
    shimmer = voice.shimmer_db * rng.standard_normal(len(times))
    gain = gain + np.where(voiced, shimmer, 0.0)
    shape = edges(phrase, rows[0].phone.start_seconds, rows[-1].phone.end_seconds, voice, times)
    gain += 20 * np.log10(np.maximum(shape, 1e-5))
    spectra += (gain * _DB).astype(np.float32)[:, None]
    spectra[silent] = _SILENCE
    noise = noise_share(effort, sonorant, voice, take.hz)
    noise[~voiced] = 0.999
    spectra += rumble_cut(take.hz) * (~voiced).astype(np.float32)[:, None]
    return synthesise(f0, spectra, noise, take.sample_rate, rng)


def _gain_db(
    spectra: NDArray[np.float32],
    pitch_hz: NDArray[np.float64],
    rows: Sequence[PlannedPhone],
    owner: NDArray[np.int64],
    take: _Take,
) -> NDArray[np.float64]:
    """Returns what brings vowels near one level at whatever pitch, and consonants into balance. (frames,)."""
    harmonics = pitch_hz[:, None] * np.arange(1, 17)[None, :]
    bins = np.clip((harmonics / take.hz[1]).round().astype(int), 0, len(take.hz) - 1)
    tone = np.exp(np.take_along_axis(spectra, bins, axis=1).astype(np.float64)).sum(axis=1) * pitch_hz / take.hz[-1]
    noise = np.exp(spectra[:, ::4].astype(np.float64)).mean(axis=1)
    gain = np.zeros(len(owner))
    for i, row in enumerate(rows):
        mine = owner == i
        if not mine.any():
            continue
        power = (tone if is_voiced(row.phone.symbol) else noise)[mine]
        level = 10 * np.log10(power + 1e-12)
        if row.phone.is_nucleus:
            gain[mine] = _VOWEL_LEVEL_DB + np.clip(_EVENNESS * (np.median(level) - level), -9.0, 9.0)
            gain[mine] -= np.median(level) if len(level) > 4 else level.max()
        else:
            wished = _VOWEL_LEVEL_DB + balance_db(row.phone.symbol) + take.voice.consonant_db
            loudest = float(np.percentile(level, 85))
            gain[mine] = wished - loudest
            if kind_of(row.phone.symbol) in ("nasal", "liquid", "glide"):
                gain[mine] += np.clip(_CONSONANT_EVENNESS * (loudest - level), 0.0, 9.0)
    inner = owner >= 0
    if not inner.any():
        return gain
    nuclei = np.isin(owner, [i for i, row in enumerate(rows) if row.phone.is_nucleus])
    usual = float(np.median(gain[nuclei if nuclei.any() else inner]))
    gain = np.clip(gain, usual - 20.0, usual + 12.0)
    return smoothed(np.interp(np.arange(len(gain)), np.flatnonzero(inner), gain[inner]), 5)


def _add(out: NDArray[np.float32], sound: NDArray[np.float32] | NDArray[np.float64], start: int) -> None:
    """Adds a sound where it fits."""
    first, end = max(start, 0), min(start + len(sound), len(out))
    if end > first:
        out[first:end] += sound[first - start : end - start].astype(np.float32)
