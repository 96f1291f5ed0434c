"""Song to audio files: every track a stem, the stems' exact sum, and the mastered mix.

Stems are made in parallel, written as they come and added up as integers; memory does not grow with their number.
A stem that was made from the same things before is taken over from the earlier folder.
"""

import contextlib
import hashlib
import json
import os
import shutil
import threading
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.audio import pcm
from songwright.errors import InputError
from songwright.files import slug
from songwright.perform.calibration import CHORDAL_ROLES, ROLE_LEVELS_DB, Calibration
from songwright.perform.effects.chain import check_insert
from songwright.perform.mastering import Mastered, master
from songwright.perform.mixer import SEND_OFF_DB, Space, mix_stem, space_of
from songwright.perform.timeline import Player, performance, song_seconds
from songwright.progress import Progress, silent
from songwright.score.drums import DRUM_GROUPS, drum_group
from songwright.score.instruments import instrument as find_instrument
from songwright.score.song import Song, Track

SAMPLE_RATE = 44100
LONGEST_SECONDS = 3600.0
"""Longer scores are refused: their stems would not fit memory and WAV files."""
SOUND_VERSION = 2
"""Raised whenever the same score would sound otherwise; stems of another version are not reused."""

_FLOAT_NOTE = "premaster.wav holds 32-bit floats: the stems together pass full scale"
_INDEX = "stems.json"
_BYTES_PER_SAMPLE = 28  # what one stem in the making needs at its widest: player, effects, room
_WORKING_MEMORY = 640e6


@dataclass(frozen=True)
class Rendering:
    """What was made.

    Attributes:
        stems: file of each stem by name, in score order.
        premaster: the exact sum of the stems.
        mix: the finished song.
        loudness_lufs: integrated loudness of the mix; -70 for silence.
        true_peak_dbtp: of the mix.
        duration_seconds: length of the files.
        limiting_db: the limiter's deepest moment.
        seconds: time of each stage.
        work_seconds: time inside the stems stage by kind of work, added up over the workers.
        reused: names of stems that were taken over.
        notes: what a listener should know.
        premaster_integer: whether the premaster is 24-bit integers; 32-bit floats where the sum passes full scale.
    """

    stems: dict[str, Path]
    premaster: Path
    mix: Path
    loudness_lufs: float
    true_peak_dbtp: float
    duration_seconds: float
    limiting_db: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    work_seconds: dict[str, float] = field(default_factory=dict)
    reused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    premaster_integer: bool = True


@dataclass(frozen=True)
class StemPlan:
    """One stem to make.

    Attributes:
        name: of the file, without suffix.
        track: whose notes.
        level: key into `ROLE_LEVELS_DB`.
        pitches: which drums; None for all notes.
        phrase: what the instrument is calibrated by, see `calibration.reference_performance`.
    """

    name: str
    track: Track
    level: str
    pitches: frozenset[int] | None = None
    phrase: str = "tune"


def plan_stems(song: Song) -> tuple[StemPlan, ...]:
    """Returns the stems of a song in score order: one a track, a drum track one for each group of its drums."""
    plans: list[StemPlan] = []
    for track in song.tracks:
        pitches = {n.pitch for n in track.notes}
        if not pitches:
            continue
        kit = find_instrument(track.instrument).family == "kit"
        if track.role == "drums" and kit:
            for group in DRUM_GROUPS:
                members = frozenset(p for p in pitches if drum_group(p) == group)
                if members:
                    plans.append(StemPlan(f"{track.id}_{group}", track, group, members, group))
        else:
            phrase = "percussion" if kit else "chords" if track.role in CHORDAL_ROLES else "tune"
            level = track.role if track.role in ROLE_LEVELS_DB else "percussion"
            plans.append(StemPlan(track.id, track, level, None, phrase))
    return _named(plans)


def _named(plans: Sequence[StemPlan]) -> tuple[StemPlan, ...]:
    """Returns the plans with names that are safe and different as file names."""
    taken: set[str] = set()
    result = []
    for plan in plans:
        base = name = slug(plan.name, 80)
        number = 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name)
        result.append(StemPlan(name, plan.track, plan.level, plan.pitches, plan.phrase))
    return tuple(result)


def render_song(
    song: Song,
    folder: Path,
    *,
    players: Mapping[str, Player],
    sample_rate: int = SAMPLE_RATE,
    progress: Progress = silent,
    reuse: Path | None = None,
    num_workers: int | None = None,
) -> Rendering:
    """Plays and mixes a song into a folder: ``stems/*.wav``, ``premaster.wav``, ``mix.wav``.

    Args:
        song: the score.
        folder: exists, and is renamed or thrown away by the caller.
        players: by the names of `Instrument.player`.
        sample_rate: samples per second.
        progress: told about the stages ``stems`` and ``master``.
        reuse: folder of an earlier rendering; stems made from the same things are taken from there.
        num_workers: stems made at a time; as many as processors and memory allow if None. Does not change a byte.

    Raises:
        InputError: an instrument or player is unknown, or the files cannot be written.
        ConfigError: an insert is not valid.
    """
    plans = plan_stems(song)
    for plan in plans:
        if find_instrument(plan.track.instrument).player not in players:
            raise InputError(f"track {plan.track.id}: no player for '{plan.track.instrument}'")
    for insert in [i for t in song.tracks for i in t.mix.inserts] + list(song.master.inserts):
        check_insert(insert)
    seconds = song_seconds(song)
    if seconds > LONGEST_SECONDS:
        raise InputError(
            f"the song lasts {seconds / 60:.0f} minutes; at most {LONGEST_SECONDS / 60:.0f} can be rendered"
        )
    space = space_of(song, sample_rate, seconds)
    work = _StemWork(song, folder, players, space, reuse)
    with _as_input_error(folder):
        (folder / "stems").mkdir(exist_ok=True)
        started = time.perf_counter()
        work.run(plans, _workers(num_workers, space, len(plans)), progress)
        stems_seconds = time.perf_counter() - started
        started = time.perf_counter()
        premaster = folder / "premaster.wav"
        floating = _passes_full_scale(work.total)
        waveform = _write_premaster(premaster, work.total, space, floating=floating)
        work.total = np.zeros((2, 0), np.int32)
        progress("master", 0.3)
        mastered = master(waveform, sample_rate, song.master, beat_seconds=space.beat_seconds)
        progress("master", 0.8)
        _write_mix(folder / "mix.wav", mastered, sample_rate)
        progress("master", 1.0)
    return Rendering(
        stems={plan.name: folder / "stems" / f"{plan.name}.wav" for plan in plans},
        premaster=premaster,
        mix=folder / "mix.wav",
        loudness_lufs=round(mastered.loudness_lufs, 2),
        true_peak_dbtp=round(mastered.true_peak_dbtp, 2),
        duration_seconds=space.num_samples / sample_rate,
        limiting_db=round(mastered.limiting_db, 1),
        seconds={"stems": stems_seconds, "master": time.perf_counter() - started},
        work_seconds=dict(work.seconds),
        reused=tuple(plan.name for plan in plans if plan.name in work.reused),
        notes=mastered.notes + ((_FLOAT_NOTE,) if floating else ()),
        premaster_integer=not floating,
    )


def _workers(asked: int | None, space: Space, num_stems: int) -> int:
    if asked is not None:
        return max(1, asked)
    by_memory = int(_WORKING_MEMORY / max(1, space.num_samples * _BYTES_PER_SAMPLE))
    return max(1, min(os.cpu_count() or 1, by_memory, num_stems))


@contextlib.contextmanager
def _as_input_error(folder: Path) -> Iterator[None]:
    """Turns the system's complaints about files into one line."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write into {folder.parent}: {error.strerror or error}") from error


class _StemWork:
    """Makes stems in several threads and adds them up.

    Integers are added, so the order in which stems are finished changes nothing.
    """

    def __init__(
        self, song: Song, folder: Path, players: Mapping[str, Player], space: Space, reuse: Path | None
    ) -> None:
        self._song = song
        self._folder = folder / "stems"
        self._players = players
        self._space = space
        self._calibration = Calibration(space.sample_rate)
        self._old = reuse / "stems" if reuse is not None else None
        self._index = _read_index(self._old / _INDEX) if self._old is not None else {}
        self._lock = threading.Lock()
        self.total = np.zeros((2, space.num_samples), np.int32)
        self.reused: set[str] = set()
        self.seconds = {"calibrate": 0.0, "play": 0.0, "effects": 0.0, "write": 0.0, "reuse": 0.0}

    def run(self, plans: Sequence[StemPlan], num_workers: int, progress: Progress) -> None:
        """Makes every stem and writes the index of what they were made from."""
        if len(plans) > 250:
            self.total = self.total.astype(np.int64)
        by_length = sorted(plans, key=lambda plan: -len(plan.track.notes))
        entries: dict[str, dict[str, Any]] = {}
        with ThreadPoolExecutor(num_workers, thread_name_prefix="stem") as pool:
            try:
                futures = [pool.submit(self._make, plan) for plan in by_length]
                for done, (plan, future) in enumerate(zip(by_length, futures, strict=True), 1):
                    entries[plan.name] = future.result()
                    progress("stems", done / len(plans))
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        index = {
            "format": "songwright.stems",
            "num_samples": self._space.num_samples,
            "sample_rate": self._space.sample_rate,
            "stems": {plan.name: entries[plan.name] for plan in plans},
        }
        (self._folder / _INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")

    def _make(self, plan: StemPlan) -> dict[str, Any]:
        """Makes or takes over one stem and returns its entry of the index."""
        made_from = stem_hash(plan, self._song, self._players, self._space)
        old = self._index.get(plan.name, {})
        if old.get("made_from") == made_from and self._take_over(plan.name, old):
            return old
        player = self._players[find_instrument(plan.track.instrument).player]
        mix = plan.track.mix
        clock = time.perf_counter()
        gains = self._calibration.gains(player, plan.track.instrument, mix.inserts, phrase=plan.phrase)
        clock = self._spent("calibrate", clock)
        played = performance(self._song, plan.track, pitches=plan.pitches)
        sound = [
            player.render(
                played, plan.track.instrument,
                sample_rate=self._space.sample_rate, num_samples=self._space.num_samples,
            )
        ]  # fmt: skip
        clock = self._spent("play", clock)
        if plan.phrase == "kick":
            mix = replace(mix, duck_db=0.0)
        level_db = ROLE_LEVELS_DB[plan.level]
        wave = mix_stem(sound.pop(), mix, self._space, song=self._song, gains=gains, level_db=level_db)
        clock = self._spent("effects", clock)
        checksum = self._write(plan.name, wave)
        self._spent("write", clock)
        return {"made_from": made_from, "crc32": checksum}

    def _spent(self, kind: str, since: float) -> float:
        now = time.perf_counter()
        with self._lock:
            self.seconds[kind] += now - since
        return now

    def _write(self, name: str, wave: NDArray[np.float32]) -> int:
        checksum = 0
        space = self._space
        with pcm.WavWriter(self._folder / f"{name}.wav", space.sample_rate, space.num_samples) as file:
            for start in range(0, space.num_samples, pcm.BLOCK_SAMPLES):
                samples = pcm.quantise(wave[:, start : start + pcm.BLOCK_SAMPLES])
                self._add(start, samples)
                checksum = zlib.crc32(file.write(samples), checksum)
        return checksum

    def _add(self, start: int, samples: NDArray[np.int32]) -> None:
        with self._lock:
            self.total[:, start : start + samples.shape[1]] += samples

    def _take_over(self, name: str, entry: Mapping[str, Any]) -> bool:
        """Takes an earlier stem if it is still what it was; adds it to the sum."""
        assert self._old is not None
        clock = time.perf_counter()
        old, new = self._old / f"{name}.wav", self._folder / f"{name}.wav"
        if not _is_whole(old, entry, self._space):
            return False
        try:
            os.link(old, new)
        except OSError:
            shutil.copyfile(old, new)
        start = 0
        for samples in pcm.read_blocks(new):
            self._add(start, samples)
            start += samples.shape[1]
        with self._lock:
            self.reused.add(name)
        self._spent("reuse", clock)
        return True


def _is_whole(path: Path, entry: Mapping[str, Any], space: Space) -> bool:
    """Returns whether a stem's file has the right length and still holds what was written."""
    head = pcm.header(space.num_samples, space.sample_rate)
    checksum = 0
    try:
        with path.open("rb") as file:
            if file.read(len(head)) != head:
                return False
            left = space.num_samples * 6
            while left and (data := file.read(min(left, 1 << 20))):
                left -= len(data)
                checksum = zlib.crc32(data, checksum)
    except OSError:
        return False
    return left == 0 and checksum == entry.get("crc32")


def _read_index(path: Path) -> dict[str, dict[str, Any]]:
    try:
        stems = json.loads(path.read_text(encoding="utf-8"))["stems"]
        return {name: dict(entry) for name, entry in stems.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def stem_hash(plan: StemPlan, song: Song, players: Mapping[str, Player], space: Space) -> str:
    """Returns a digest of everything that decides how a stem sounds.

    Args:
        plan: the stem.
        song: for its tempo map.
        players: who would play it.
        space: length, rate, rooms, kicks.
    """
    track, mix = plan.track, plan.track.mix
    player = players[find_instrument(track.instrument).player]
    master = space.master
    parts: dict[str, Any] = {
        "version": SOUND_VERSION,
        "player": player.identity,
        "instrument": track.instrument,
        "level": ROLE_LEVELS_DB[plan.level],
        "phrase": plan.phrase,
        "notes": [
            (n.start_ticks + n.offset_ticks, n.duration_ticks, n.pitch, n.velocity)
            for n in track.notes
            if plan.pitches is None or n.pitch in plan.pitches
        ],
        "controls": [(c.tick, c.controller, c.value) for c in track.controls],
        "bends": [(b.tick, b.value) for b in track.bends],
        "mix": asdict(mix),
        "tempos": [(t.tick, t.bpm) for t in song.tempos],
        "length": (space.num_samples, space.sample_rate),
        "reverb": (master.reverb, master.reverb_seconds) if mix.reverb_db > SEND_OFF_DB else None,
        "delay": (master.delay_beats, master.delay_feedback) if mix.delay_db > SEND_OFF_DB else None,
        "kicks": space.kicks.tolist() if mix.duck_db > 0 else None,
    }
    return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=16).hexdigest()


def _passes_full_scale(total: NDArray[np.integer]) -> bool:
    """Returns whether the sum of the stems is too loud for 24-bit integers."""
    return max(int(total.max(initial=0)), -int(total.min(initial=0))) > pcm.FULL_SCALE - 1


def _write_premaster(path: Path, total: NDArray[np.integer], space: Space, *, floating: bool) -> NDArray[np.float32]:
    """Writes the sum of the stems, as 24-bit integers or as floats of the same numbers, and returns it as a waveform.

    Floats keep a sum that passes full scale, so that nothing is lost.
    """
    waveform = np.empty(total.shape, np.float32)
    with pcm.WavWriter(path, space.sample_rate, space.num_samples, floating=floating) as file:
        for start in range(0, space.num_samples, pcm.BLOCK_SAMPLES):
            samples = total[:, start : start + pcm.BLOCK_SAMPLES]
            block = waveform[:, start : start + pcm.BLOCK_SAMPLES]
            np.multiply(samples, 1.0 / pcm.FULL_SCALE, out=block, casting="unsafe")
            file.write(block if floating else samples.astype(np.int32, copy=False))
    return waveform


def _write_mix(path: Path, mastered: Mastered, sample_rate: int) -> None:
    wave = mastered.waveform
    with pcm.WavWriter(path, sample_rate, wave.shape[1]) as file:
        for start in range(0, wave.shape[1], pcm.BLOCK_SAMPLES):
            file.write(pcm.quantise(wave[:, start : start + pcm.BLOCK_SAMPLES]))
