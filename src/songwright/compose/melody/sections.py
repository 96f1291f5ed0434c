"""The tune of one section: phrases in the form a a' b a'', in their registers, with one climax."""

from dataclasses import dataclass, replace

import numpy as np

from songwright.compose.melody.features import SCALE, Floats
from songwright.compose.melody.model import MelodyModel
from songwright.compose.melody.phrase_plan import PhrasePlan, Setting
from songwright.compose.melody.phrases import Line, embellished, lift_at, with_new_ending, write_phrase
from songwright.compose.melody.rhythm import Slots, draw_upbeat
from songwright.compose.plan import SectionPlan

NOTES_PER_SECOND = (1.95, 1.6, 1.7, 2.2)
"""Of sung tunes, whatever the tempo, by corpus."""
LATIN_DENSITY = 1.3
RESTING = ("verse", "prechorus", "chorus", "bridge")
"""Roles whose tune may end a bar early: the singer breathes and the band leads over."""
REST_SHARE = 0.15
DENSEST = {"solo": 1.9}
"""Most notes in a quarter, on average; 2.6 for roles that are not listed."""

SHAPES: dict[int, tuple[str, ...]] = {
    1: ("a",), 2: ("a", "a'"), 3: ("a", "a'", "b"), 4: ("a", "a'", "b", "a''"), 5: ("a", "a'", "b", "b'", "a''"),
    6: ("a", "a'", "b", "a", "a'", "a''"), 7: ("a", "a'", "b", "b'", "a", "a'", "a''"),
    8: ("a", "a'", "b", "b'", "a", "a'", "b", "a''"),
}  # fmt: skip


@dataclass(frozen=True)
class RoleVoice:
    """How a role sings: share of the range where it lies, density against the style's, syncopation against it."""

    centre: float
    density: float
    syncopation: float = 0.0


VOICES: dict[str, RoleVoice] = {
    "verse": RoleVoice(0.34, 1.12, 0.05), "prechorus": RoleVoice(0.46, 1.0), "chorus": RoleVoice(0.62, 0.84, -0.08),
    "bridge": RoleVoice(0.52, 0.9), "solo": RoleVoice(0.58, 2.4, 0.05), "theme": RoleVoice(0.46, 0.95),
    "head": RoleVoice(0.48, 1.0), "drop": RoleVoice(0.6, 1.0), "build": RoleVoice(0.5, 0.8),
    "breakdown": RoleVoice(0.4, 0.7), "intro": RoleVoice(0.45, 0.7), "interlude": RoleVoice(0.5, 0.8),
    "outro": RoleVoice(0.45, 0.7),
}  # fmt: skip


def phrase_bars(num_bars: int, bar_seconds: float) -> tuple[int, ...]:
    """Returns the lengths of a section's phrases, in bars: as even as the section and breath allow."""
    if num_bars <= 3:
        return (num_bars,)
    unit = 2 if num_bars <= 8 and bar_seconds >= 2.6 else 4
    if num_bars == 4 and bar_seconds >= 1.2:
        unit = 2
    if num_bars >= 32 and bar_seconds < 1.3:
        unit = 8
    full, rest = divmod(num_bars, unit)
    lengths = [unit] * full
    if rest == 1 and full:
        lengths[-1] += 1
    elif rest:
        lengths.append(rest)
    return tuple(lengths)


def shapes_of(count: int, *, through: bool = False) -> tuple[str, ...]:
    """Returns the form of so many phrases; long sections go round again.

    Args:
        count: of phrases.
        through: whether every phrase is new, as in a solo.
    """
    if through:
        return tuple("abcdefgh"[i % 8] for i in range(count))
    if count in SHAPES:
        return SHAPES[count]
    full, rest = divmod(count, 4)
    return SHAPES[4] * full + SHAPES[4][:rest]


def compose_section(
    model: MelodyModel, section: SectionPlan, setting: Setting, random: np.random.Generator, *, sparse: float = 1.0
) -> tuple[Line, ...]:
    """Returns the phrases of a section, written new.

    Args:
        model: learned weights.
        section: which.
        setting: of the song.
        random: draws.
        sparse: factor on density, where riffs carry the song.
    """
    return _SectionWriter(model, section, setting, random, sparse).write()


class _SectionWriter:
    """Writes phrases in order; each may look at those before it."""

    def __init__(
        self, model: MelodyModel, section: SectionPlan, setting: Setting, random: np.random.Generator, sparse: float
    ) -> None:
        self.model, self.section, self.setting, self.random = model, section, setting, random
        self.voice = VOICES[section.role]
        self.lengths = phrase_bars(section.num_bars, setting.bar_seconds)
        self.shapes = shapes_of(len(self.lengths), through=section.role == "solo")
        self.climax = self._climax_index()
        low, high = setting.style.melody.range
        lifts = [s.key_shift for s in setting.plan.sections if s.role == section.role]
        high = max(low + 7, high - max(0, *lifts, 0))
        span = high - low
        self.centre = low + self.voice.centre * span
        self.low = round(max(low, self.centre - max(7.0, 0.55 * span)))
        self.high = round(min(high, self.centre + max(7.0, 0.5 * span)))
        self.notes_per_bar = self._density() * sparse
        self.lines: list[Line] = []
        self.upbeats: dict[str, Slots] = {}
        self.rests = section.role in RESTING and len(self.lengths) > 1 and random.random() < REST_SHARE

    def _climax_index(self) -> int:
        if self.section.role == "chorus" or len(self.shapes) < 3:
            return len(self.shapes) - 1
        if self.section.role == "solo":
            return len(self.shapes) - 2
        return max((i for i, s in enumerate(self.shapes) if s[0] == "b"), default=len(self.shapes) - 1)

    def _density(self) -> float:
        book, bar = self.setting.style.melody, self.setting.bar_seconds
        usual = float(
            np.clip(
                NOTES_PER_SECOND[self.setting.group] * bar,
                0.45 * bar_quarters(self.setting),
                2.0 * bar_quarters(self.setting),
            )
        )
        wanted = usual * book.density * self.setting.plan.density * self.voice.density
        wanted *= LATIN_DENSITY if self.setting.style.family == "latin" else 1.0
        densest = DENSEST.get(self.section.role, 2.6)
        return float(np.clip(wanted, 0.55 * bar_quarters(self.setting), densest * bar_quarters(self.setting)))

    def write(self) -> tuple[Line, ...]:
        """Returns all phrases."""
        start = self.section.first_bar
        for i, (bars, shape) in enumerate(zip(self.lengths, self.shapes, strict=True)):
            self.lines.append(self._phrase(i, start, bars, shape))
            start += bars
        if len(self.lines) > 1:
            self.lines[self.climax] = with_one_top(self.lines, self.climax, self.setting)
        return tuple(embellished(line, self.setting, self.random) for line in self.lines)

    def _plan(self, i: int, first_bar: int, bars: int, shape: str) -> PhrasePlan:
        climax = i == self.climax and len(self.shapes) > 1
        last = i == len(self.shapes) - 1
        centre = self.centre + (1.5 if shape[0] == "b" else 0.0)
        answers = "'" in shape and (i % 2 == 1 or last)
        cap = self.high if climax or len(self.shapes) == 1 else max(self.low + 6, self.high - 2)
        return PhrasePlan(
            first_bar * self.setting.plan.bar_ticks, bars, shape,
            "full" if answers or last else "half", self.low, cap, centre,
            self.notes_per_bar, float(np.clip(self.setting.style.melody.syncopation + self.voice.syncopation, 0, 1)),
            climax, rest_bars=int(self._leaves_room(bars) or (last and self.rests and bars >= 4)),
        )  # fmt: skip

    def _phrase(self, i: int, first_bar: int, bars: int, shape: str) -> Line:
        plan = self._plan(i, first_bar, bars, shape)
        model, setting, random = self.model, self.setting, self.random
        source = next((x for x in self.lines if x.plan.shape == shape[0] and x.plan.num_bars == bars), None)
        upbeat = self._upbeat(shape[0])
        if source is None:
            unlike = self.lines[0].cells if self.lines else ()
            last = self.lines[-1] if self.lines else None
            return write_phrase(model, plan, setting, random, before=last, upbeat=upbeat, unlike=unlike)
        keep = 1.0 if shape == shape[0] else 0.5 if bars > 1 else 0.4
        new_rhythm = shape != shape[0] and random.random() < 0.7 and not self._leaves_room(bars)
        return with_new_ending(model, source, plan, setting, random, keep=keep, new_rhythm=new_rhythm, upbeat=upbeat)

    def _leaves_room(self, bars: int) -> bool:
        """Whether the phrase is a call that an instrument answers in its last bar, as in the blues."""
        return self.setting.style.melody.scale == "blues" and bars == 4 and self.section.role != "solo"

    def _upbeat(self, letter: str) -> Slots:
        """Returns the upbeat of all phrases of a letter, as far as the phrase before leaves room."""
        if letter not in self.upbeats:
            share = (0.2, 0.45, 0.5, 0.4)[self.setting.group] + 0.25 * self.setting.style.melody.swing_pickups
            self.upbeats[letter] = draw_upbeat(self.model.rhythm, self.setting, self.random, share)
        upbeat = self.upbeats[letter]
        if self.lines and upbeat:
            line = self.lines[-1]
            last = line.slots[-1][0] - line.plan.num_bars * self.setting.bar_steps
            if last + 3 > upbeat[0][0]:
                return ()
            self.lines[-1] = shortened(line, upbeat[0][0] - 1, self.setting)
        return upbeat


def with_one_top(lines: list[Line], climax: int, setting: Setting) -> Line:
    """Returns the climax phrase so that the section's highest note is in it and sounds once.

    Where it is not so already, one of its high notes is raised to the next one that its chord bears.
    """
    line = lines[climax]
    others = max((p for i, x in enumerate(lines) if i != climax for p in x.pitches), default=0)
    top = max(line.pitches)
    if top > others and line.pitches.count(top) == 1:
        return line
    floor = max(others, top if top >= others else 0)
    lift = lift_at(setting, line.plan.start_ticks)
    ceiling = setting.style.melody.range[1] + max(0, lift)
    tonic = setting.plan.key.tonic + lift
    options = []
    for i, ((step, length), pitch) in enumerate(zip(line.slots, line.pitches, strict=True)):
        if step < 0 or i == len(line.slots) - 1:
            continue
        harmony = setting.harmony_of(line.plan.start_ticks, step, length, lift)
        near = (line.pitches[i - 1] if i else pitch, line.pitches[i + 1])
        for raised in range(floor + 1, min(ceiling, floor + 4) + 1):
            degree = (raised - tonic) % 12
            leap = max(abs(raised - p) for p in near)
            if harmony.bias[degree] > -0.4 and leap <= 9:
                foreign = harmony.classes[degree] >= SCALE
                options.append((raised - pitch + 0.5 * leap + (2.0 if foreign and length >= 4 else 0.0), i, raised))
    if not options:
        return line
    _, index, raised = min(options)
    return replace(line, pitches=(*line.pitches[:index], raised, *line.pitches[index + 1 :]))


def bar_quarters(setting: Setting) -> float:
    """Returns quarters in a bar."""
    return setting.plan.bar_ticks / 960


def shortened(line: Line, end: int, setting: Setting) -> Line:
    """Returns a phrase whose last note ends by a step counted from the next phrase's first bar line."""
    start, length = line.slots[-1]
    room = end + line.plan.num_bars * setting.bar_steps - start
    return replace(line, slots=(*line.slots[:-1], (start, max(1, min(length, room)))))


def velocities(line: Line, setting: Setting, energy: float) -> Floats:
    """Returns a MIDI velocity for each note: the phrase swells to its top, beats and the climax speak louder."""
    n = len(line.slots)
    pitches = np.array(line.pitches, np.float64)
    place = (np.arange(n) + 1) / (n + 1)
    swell = 7.0 * np.sin(np.pi * place**0.8)
    height = 0.6 * (pitches - pitches.mean()) if n else pitches
    starts = np.array([s for s, _ in line.slots])
    beat = max(1, setting.plan.beat_ticks // 240)
    accents = np.where(starts % setting.bar_steps == 0, 6.0, np.where(starts % beat == 0, 2.0, -3.0))
    values = 76.0 + 16.0 * energy + swell + height + accents
    if line.plan.climax and n:
        values[int(pitches.argmax())] += 6.0
    if n:
        values[-1] -= 5.0
    return np.clip(np.round(values), 40, 120)
