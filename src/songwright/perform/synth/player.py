"""`SynthPlayer`: plays a track's performance with the synthesiser's patches, kits and gestures."""

import numpy as np
from numpy.typing import NDArray

from songwright.errors import InputError
from songwright.perform.synth.drums import KITS, hit
from songwright.perform.synth.gestures import GESTURES, gesture
from songwright.perform.synth.patches import PATCHES, Patch
from songwright.perform.synth.voice import envelope, sustained
from songwright.perform.timeline import Performance

_CHOKED_BY = {46: (42, 44), 81: (80,), 79: (78,)}
_CHOKE_SECONDS = 0.012
_TOUCH_SECONDS = 0.012
_VELOCITY_STEPS = 8


class SynthPlayer:
    """Plays every instrument whose player is ``synth``; follows the `Player` protocol.

    Args:
        seed: of the song; noise gestures are drawn from it.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    @property
    def identity(self) -> str:
        """The kind of player and its seed."""
        return f"synth {self._seed}"

    def render(
        self, performance: Performance, instrument: str, *, sample_rate: int, num_samples: int
    ) -> NDArray[np.float32]:
        """Returns (2, num_samples), dry; see `Player.render`."""
        out = np.zeros((2, num_samples), dtype=np.float32)
        if not performance.num_notes:
            return out
        if instrument in KITS:
            self._drums(out, performance, instrument, sample_rate)
        elif instrument in GESTURES:
            self._gestures(out, performance, instrument, sample_rate)
        elif instrument in PATCHES:
            patch = PATCHES[instrument]
            if patch.mono or performance.bends:
                self._mono(out, performance, instrument, patch, sample_rate)
            else:
                self._poly(out, performance, instrument, patch, sample_rate)
        else:
            raise InputError(f"the synthesiser has no patch '{instrument}'; patches: {', '.join(PATCHES)}")
        return _controlled(out, performance, sample_rate)

    def _drums(self, out: NDArray[np.float32], played: Performance, kit: str, sample_rate: int) -> None:
        starts = np.round(played.start_seconds * sample_rate).astype(int)
        for i, (start, pitch, velocity) in enumerate(zip(starts, played.pitches, played.velocities, strict=True)):
            sound = hit(kit, int(pitch), _step(int(velocity)), sample_rate) * np.float32(_gain(int(velocity)))
            chokers = _CHOKED_BY.get(int(pitch), ())
            later = (j for j in range(i + 1, len(starts)) if played.pitches[j] in chokers and starts[j] > start)
            cut = next(later, None)
            if cut is not None and starts[cut] - start < sound.shape[1]:
                length, fade = starts[cut] - start, int(_CHOKE_SECONDS * sample_rate)
                sound = sound[:, : length + fade].copy()
                tail = sound.shape[1] - length
                sound[:, length:] *= np.linspace(1.0, 0.0, tail, dtype=np.float32)
            _add(out, sound, int(start))

    def _gestures(self, out: NDArray[np.float32], played: Performance, name: str, sample_rate: int) -> None:
        for start, end, pitch, velocity in _notes(played, sample_rate):
            sound = gesture(name, pitch, max(1, min(end, out.shape[1]) - start), sample_rate, self._seed)
            _add(out, sound * np.float32(_gain(velocity)), start)

    def _poly(self, out: NDArray[np.float32], played: Performance, name: str, patch: Patch, sample_rate: int) -> None:
        """Plays notes that do not disturb each other; each pitch and strength is computed once, at its longest."""
        release = int(patch.amplitude.release * 1.2 * sample_rate)
        notes = [(s, _held(e, played, sample_rate), p, v) for s, e, p, v in _notes(played, sample_rate)]
        groups: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
        for start, end, pitch, velocity in notes:
            groups.setdefault((pitch, _step(velocity)), []).append((start, end - start, velocity))
        for (pitch, step), members in groups.items():
            longest = min(max(held for _, held, _ in members) + release, out.shape[1])
            wave = sustained(patch, float(pitch), _middle(step), longest, sample_rate, name)
            for start, held, velocity in members:
                total = min(held + release, longest)
                shape = envelope(patch.amplitude, held, total, sample_rate) * np.float32(patch.gain * _gain(velocity))
                _add(out, wave[:, :total] * shape, start)

    def _mono(self, out: NDArray[np.float32], played: Performance, name: str, patch: Patch, sample_rate: int) -> None:
        """Plays one note at a time: a note that begins before the last one ends takes over and glides."""
        release = int(patch.amplitude.release * 1.2 * sample_rate)
        notes = list(_notes(played, sample_rate))
        touch = int(_TOUCH_SECONDS * sample_rate)
        previous: tuple[int, int] | None = None
        for i, (start, end, pitch, velocity) in enumerate(notes):
            following = notes[i + 1][0] if i + 1 < len(notes) and notes[i + 1][0] > start else None
            cut = patch.mono and following is not None and following < end + release
            held = (min(end, following) if cut and following is not None else end) - start
            total = held + (min(release, touch * 2) if cut else release)
            total = min(max(total, 1), max(1, out.shape[1] - start))
            curve: NDArray[np.float64] | float = float(pitch)
            if patch.mono and previous is not None and start <= previous[1] + touch and patch.glide_seconds:
                along = np.clip(np.arange(total) / (patch.glide_seconds * sample_rate), 0.0, 1.0)
                curve = previous[0] + (pitch - previous[0]) * (1.0 - (1.0 - along) ** 2)
            if played.bends:
                curve = curve + _bend(played, start, total, sample_rate)
            wave = sustained(patch, curve, _middle(_step(velocity)), total, sample_rate, name)
            shape = envelope(patch.amplitude, min(held, total), total, sample_rate)
            _add(out, wave * (shape * np.float32(patch.gain * _gain(velocity))), start)
            previous = (pitch, end)


def _notes(played: Performance, sample_rate: int) -> list[tuple[int, int, int, int]]:
    """Returns (start, end, pitch, velocity) of every note, times in samples."""
    starts = np.round(played.start_seconds * sample_rate).astype(int).tolist()
    ends = np.round(played.end_seconds * sample_rate).astype(int).tolist()
    pitches, velocities = played.pitches.tolist(), played.velocities.tolist()
    return list(zip(starts, ends, pitches, velocities, strict=True))


def _held(end: int, played: Performance, sample_rate: int) -> int:
    """Returns when a note ends if a sustain pedal (CC 64) may hold it."""
    down = False
    for seconds, controller, value in played.controls:
        if controller != 64:
            continue
        at = int(seconds * sample_rate)
        if at <= end:
            down = value >= 64
        elif down and value < 64:
            return at
        elif not down:
            break
    return end


def _bend(played: Performance, start: int, total: int, sample_rate: int) -> NDArray[np.float64]:
    """Returns (total,) semitones of pitch bend under a note."""
    times = np.array([seconds * sample_rate for seconds, _ in played.bends])
    values = np.array([value for _, value in played.bends]) / 8192.0 * played.bend_range_semitones
    index = np.searchsorted(times, start + np.arange(total), side="right") - 1
    return np.where(index < 0, 0.0, values[np.maximum(index, 0)])


def _controlled(out: NDArray[np.float32], played: Performance, sample_rate: int) -> NDArray[np.float32]:
    """Returns the sound with volume (CC 7), expression (CC 11) and pan (CC 10) applied, smoothed over 5 ms."""
    for controller in (7, 11, 10):
        points = [(seconds, value) for seconds, number, value in played.controls if number == controller]
        if not points:
            continue
        times = np.array([seconds * sample_rate for seconds, _ in points])
        values = np.array([value for _, value in points], dtype=np.float64)
        rest = 64.0 if controller == 10 else (100.0 if controller == 7 else 127.0)
        knots, levels = [0.0], [rest]
        for at, value in zip(times, values, strict=True):
            knots += [max(at, knots[-1]), at + 0.005 * sample_rate]
            levels += [levels[-1], value]
        curve = np.interp(np.arange(out.shape[1]), knots, levels).astype(np.float32)
        if controller == 10:
            angle = np.clip((curve - 1.0) / 126.0, 0.0, 1.0) * np.float32(np.pi / 2)
            out *= np.stack([np.cos(angle), np.sin(angle)]) * np.float32(2**0.5)
        else:
            out *= (curve / np.float32(rest)) ** 2
    return out


def _add(out: NDArray[np.float32], sound: NDArray[np.float32], start: int) -> None:
    room = out.shape[1] - start
    if room > 0:
        out[:, start : start + sound.shape[1]] += sound[:, :room]


def _gain(velocity: int) -> float:
    return (velocity / 127.0) ** 2


def _step(velocity: int) -> int:
    return min(_VELOCITY_STEPS - 1, velocity * _VELOCITY_STEPS // 128)


def _middle(step: int) -> int:
    return min(127, step * 128 // _VELOCITY_STEPS + 8)
