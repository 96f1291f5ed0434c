"""Stems: which there are, and how they are made, written, added up, and taken over from an earlier rendering.

Voices come last: they are sung while the instruments play, but mixed when the sum of the instruments is known, so that
they can be brought to the level that the song asks for.
"""

import hashlib
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.audio import pcm
from songwright.files import slug
from songwright.perform.calibration import CHORDAL_ROLES, ROLE_LEVELS_DB, Calibration
from songwright.perform.earlier import INDEX, STEMS, Reuse, Shelf
from songwright.perform.effects.dynamics import limiter
from songwright.perform.mixer import SEND_OFF_DB, STEM_CEILING_DB, Space, mix_stem, pan
from songwright.perform.timeline import Player, performance
from songwright.perform.vocal_stems import (
    DryVoices,
    as_waveform,
    level_gain_db,
    singing,
    with_vocal_gain,
)
from songwright.progress import Progress
from songwright.score.drums import DRUM_GROUPS, drum_group
from songwright.score.instruments import instrument as find_instrument
from songwright.score.song import Song, Track

WhenSung = Callable[[Track, Path], None]
"""Given the track and the dry file of a voice that has been sung."""
SOUND_VERSION = 4
"""Raised whenever the same score would sound otherwise; stems of another version are not reused."""
BACKING_STEM = "vocal_backing"


@dataclass(frozen=True)
class StemPlan:
    """One stem to make.

    Attributes:
        name: of the file, without suffix.
        track: whose notes.
        level: key into `ROLE_LEVELS_DB`.
        pitches: which drums; None for all notes.
        phrase: what the instrument is calibrated by, see `calibration.reference_performance`.
        voices: the tracks of a stem that is sung, `track` the first of them; empty for instruments.
    """

    name: str
    track: Track
    level: str
    pitches: frozenset[int] | None = None
    phrase: str = "tune"
    voices: tuple[Track, ...] = ()


def is_sung(track: Track) -> bool:
    """Returns whether the singer performs a track."""
    return find_instrument(track.instrument).player == "singer"


def plan_stems(song: Song) -> tuple[StemPlan, ...]:
    """Returns the stems of a song in score order.

    One a track; a drum track has one for each group of its drums; all backing voices are one together.
    """
    plans: list[StemPlan] = []
    backing = tuple(t for t in song.tracks if t.notes and t.role == "backing_vocal" and is_sung(t))
    for track in song.tracks:
        pitches = {n.pitch for n in track.notes}
        if not pitches or (backing and track in backing[1:]):
            continue
        if is_sung(track):
            voices = backing if backing and track is backing[0] else (track,)
            name = BACKING_STEM if voices is backing else track.id
            plans.append(StemPlan(name, track, track.role, None, "tune", voices))
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
        result.append(replace(plan, name=name))
    return tuple(result)


class StemWork:
    """Makes stems in several threads and adds them up.

    Integers are added, so the order in which stems are finished changes nothing.

    Attributes:
        song: the score; when voices were brought to their level, with their gain.
        total: sum of the stems so far, 24-bit integers. (2, samples)
        reused: names of stems that were taken over.
        seconds: time by kind of work.
    """

    def __init__(
        self,
        song: Song,
        folder: Path,
        players: Mapping[str, Player],
        space: Space,
        reuse: Reuse | None,
    ) -> None:
        self.song = song
        self._folder = folder / STEMS
        self._players = players
        self._space = space
        self._calibration = Calibration(space.sample_rate)
        self._earlier = Shelf.stems(reuse)
        self._dry = DryVoices(song, folder, players, space, reuse)
        self._lock = threading.Lock()
        self._voices: dict[str, NDArray[np.int32]] = {}
        self._buses: dict[tuple[str, str], _Bus] = {}
        self.total = np.zeros((2, space.num_samples), np.int32)
        self.reused: set[str] = set()
        self.seconds = {"calibrate": 0.0, "play": 0.0, "sing": 0.0, "effects": 0.0, "write": 0.0, "reuse": 0.0}

    def run(
        self,
        plans: Sequence[StemPlan],
        num_workers: int,
        progress: Progress,
        when_sung: WhenSung | None = None,
    ) -> None:
        """Makes every stem and writes the index of what they were made from; see `render.render_song`."""
        if len(plans) > 250:
            self.total = self.total.astype(np.int64)
        played = sorted((p for p in plans if not p.voices), key=lambda plan: -len(plan.track.notes))
        sung = [p for p in plans if p.voices]
        entries: dict[str, Mapping[str, Any]] = {}
        voices: dict[str, Mapping[str, Any]] = {}
        steps = sum(len(p.voices) for p in sung) + len(plans)
        with ThreadPoolExecutor(num_workers, thread_name_prefix="stem") as pool:
            try:
                kept = {p.name for p in sung if self._is_kept(p)}
                singing: dict[str, Future[Mapping[str, Any]]] = {}
                futures: dict[str, Future[Mapping[str, Any]]] = {}
                for plan, voice in _begun_in(played, sung):
                    if voice is None:
                        futures[plan.name] = pool.submit(self._make, plan)
                    else:
                        mixed = plan.name not in kept
                        singing[voice.id] = pool.submit(self._sing_to, when_sung, plan, voice, mixed=mixed)
                for done, (name, future) in enumerate([*futures.items(), *singing.items()], 1):
                    (entries if name in futures else voices)[name] = future.result()
                    progress("stems", done / steps)
                self._settle(sung)
                finished = {plan.name: pool.submit(self._finish, plan, plan.name in kept) for plan in sung}
                for done, (name, future) in enumerate(finished.items(), steps - len(sung) + 1):
                    entries[name] = future.result()
                    progress("stems", done / steps)
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        index = {
            "format": "songwright.stems",
            "num_samples": self._space.num_samples,
            "sample_rate": self._space.sample_rate,
            "stems": {plan.name: entries[plan.name] for plan in plans},
        }
        if sung:
            index["voices"] = voices
        (self._folder / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")

    def _make(self, plan: StemPlan) -> Mapping[str, Any]:
        """Makes or takes over one stem and returns its entry of the index."""
        made_from = stem_hash(plan, self.song, self._players, self._space)
        if self._earlier.holds(plan.name, made_from) and self._take_over(plan.name):
            return self._earlier.entries[plan.name]
        player = self._players[find_instrument(plan.track.instrument).player]
        mix = plan.track.mix
        clock = time.perf_counter()
        gains = self._calibration.gains(player, plan.track.instrument, mix.inserts, phrase=plan.phrase)
        clock = self._spent("calibrate", clock)
        notes = performance(self.song, plan.track, pitches=plan.pitches)
        sound = [
            player.render(
                notes, plan.track.instrument,
                sample_rate=self._space.sample_rate, num_samples=self._space.num_samples,
            )
        ]  # fmt: skip
        clock = self._spent("play", clock)
        if plan.phrase == "kick":
            mix = replace(mix, duck_db=0.0)
        level_db = ROLE_LEVELS_DB[plan.level]
        wave = mix_stem(sound.pop(), mix, self._space, song=self.song, gains=gains, level_db=level_db)
        clock = self._spent("effects", clock)
        checksum = self._write(plan.name, wave)
        self._spent("write", clock)
        return {"made_from": made_from, "crc32": checksum}

    def _is_kept(self, plan: StemPlan) -> bool:
        """Returns whether the earlier stem of a plan of voices is still what would be made."""
        if self.song.master.vocal_level_db is not None:
            return False
        holds = self._earlier.holds(plan.name, self._hash_of_voices(plan))
        return holds and self._earlier.is_whole(plan.name, f"{plan.name}.wav", self._space)

    def _hash_of_voices(self, plan: StemPlan) -> str:
        hashes = [stem_hash(replace(plan, track=v), self.song, self._players, self._space) for v in plan.voices]
        return "+".join([*hashes, f"{self.song.master.vocal_gain_db:g} dB"])

    def _sing_to(
        self, when_sung: WhenSung | None, plan: StemPlan, voice: Track, *, mixed: bool
    ) -> Mapping[str, Any]:  # fmt: skip
        entry = self._sing(plan, voice, mixed=mixed)
        if when_sung is not None:
            when_sung(voice, self._dry.path(voice))
        return entry

    def _sing(self, plan: StemPlan, voice: Track, *, mixed: bool) -> Mapping[str, Any]:
        """Sings one voice into its file; the last of a bus mixes the bus.

        Voices of a stem that pass the same effects share a bus: each has its fader and its place, the effects are one.
        Everything is added up as integers, so that the order in which voices are ready changes nothing.
        """
        clock = time.perf_counter()
        entry = self._dry.sing(voice)
        clock = self._spent("sing", clock)
        if not mixed:
            return entry
        bus = [v for v in plan.voices if bus_of(v) == bus_of(voice)]
        before, after = self._gains(voice, plan.phrase)
        level_db = ROLE_LEVELS_DB[voice.role]
        wave, mix = self._dry.read(voice), voice.mix
        if len(bus) > 1:
            wave *= np.float32(before * 10 ** (mix.gain_db / 20))
            wave = pan(np.repeat(wave, 2, axis=0), mix.pan)
            key = (plan.name, bus_of(voice))
            with self._lock:
                ready = self._buses.setdefault(key, _Bus(len(bus)))
                ready.add(pcm.quantise(wave))
                if ready.missing:
                    self.seconds["effects"] += time.perf_counter() - clock
                    return entry
                del self._buses[key]
            wave, before, after = as_waveform(ready.total), 1.0, self._gains(bus[0], plan.phrase)[1]
            mix = replace(bus[0].mix, gain_db=0.0, pan=0.0)
        wave = mix_stem(wave, mix, self._space, song=self.song, gains=(before, after), level_db=level_db)
        samples = pcm.quantise(wave)
        with self._lock:
            known = self._voices.get(plan.name)
            self._voices[plan.name] = samples if known is None else np.add(known, samples, out=known)
        self._spent("effects", clock)
        return entry

    def _gains(self, voice: Track, phrase: str) -> tuple[float, float]:
        player = self._players[find_instrument(voice.instrument).player]
        return self._calibration.gains(player, voice.instrument, voice.mix.inserts, phrase=phrase, singer=voice.singer)

    def _settle(self, sung: Sequence[StemPlan]) -> None:
        """Brings the voices to the level that the song asks for: `song` gets their gain."""
        wanted = self.song.master.vocal_level_db
        lead = (
            next((self._voices[p.name] for p in sung if p.track.role == "vocal"), None) if wanted is not None else None
        )
        if wanted is not None and lead is not None:
            self.song = with_vocal_gain(self.song, level_gain_db(lead, self.total, self._space, wanted))

    def _finish(self, plan: StemPlan, kept: bool) -> Mapping[str, Any]:
        """Writes or takes over the stem of one voice or several and returns its entry of the index."""
        if kept and self._take_over(plan.name):
            return self._earlier.entries[plan.name]
        clock = time.perf_counter()
        wave = as_waveform(self._voices.pop(plan.name))
        wave *= np.float32(10 ** (self.song.master.vocal_gain_db / 20))
        wave = limiter(wave, self._space.sample_rate, ceiling_db=STEM_CEILING_DB)
        checksum = self._write(plan.name, wave)
        self._spent("write", clock)
        return {"made_from": self._hash_of_voices(plan), "crc32": checksum}

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

    def _take_over(self, name: str) -> bool:
        """Takes an earlier stem if it is still what it was; adds it to the sum."""
        clock = time.perf_counter()
        new = self._folder / f"{name}.wav"
        if not self._earlier.take(name, new, self._space):
            return False
        start = 0
        for samples in pcm.read_blocks(new):
            self._add(start, samples)
            start += samples.shape[1]
        with self._lock:
            self.reused.add(name)
        self._spent("reuse", clock)
        return True


def _begun_in(played: Sequence[StemPlan], sung: Sequence[StemPlan]) -> Iterator[tuple[StemPlan, Track | None]]:
    """Yields the work on stems in the order in which it is begun: longest first, each voice of sung stems by itself.

    The first voice has its lines spoken, for which the other voices would wait: an instrument is begun beside it.
    """
    voices: list[tuple[StemPlan, Track | None]] = [(plan, voice) for plan in sung for voice in plan.voices]
    instruments: list[tuple[StemPlan, Track | None]] = [(plan, None) for plan in played]
    yield from voices[:1]
    yield from instruments[:1]
    yield from voices[1:]
    yield from instruments[1:]


class _Bus:
    """Voices that wait for the others of their bus.

    Args:
        missing: how many have not come yet.
    """

    def __init__(self, missing: int) -> None:
        self.missing = missing
        self.total: NDArray[np.int32] = np.zeros((0, 0), np.int32)

    def add(self, samples: NDArray[np.int32]) -> None:
        """Adds a voice."""
        self.total = samples if not self.total.size else np.add(self.total, samples, out=self.total)
        self.missing -= 1


def bus_of(voice: Track) -> str:
    """Returns what voices of one bus have in common: everything of their mix but fader and place."""
    return json.dumps(asdict(replace(voice.mix, gain_db=0.0, pan=0.0)), sort_keys=True)


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
        "singing": singing(track, song),
        "mix": asdict(mix),
        "tempos": [(t.tick, t.bpm) for t in song.tempos],
        "length": (space.num_samples, space.sample_rate),
        "reverb": (master.reverb, master.reverb_seconds) if mix.reverb_db > SEND_OFF_DB else None,
        "delay": (master.delay_beats, master.delay_feedback) if mix.delay_db > SEND_OFF_DB or mix.throws else None,
        "kicks": space.kicks.tolist() if mix.duck_db > 0 else None,
        "sung": space.sung.tolist() if mix.vocal_duck_db > 0 else None,
    }
    return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=16).hexdigest()
