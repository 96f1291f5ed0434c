"""The drummer: grooves by section and energy, variation, fills, crashes, joints, the last hit.

Writes what is on the page, with the dynamics of a player of the style; when each stroke really falls is `feel`'s.
Patterns are read in `drum_patterns`, velocities come from `grooves`, the choice of devices from `transitions`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from songwright.compose.arrange.drum_patterns import (
    TIMEKEEPERS,
    Hit,
    choose_groove,
    choose_variation,
    fill_hits,
    fill_ticks,
    pattern_bars,
)
from songwright.compose.arrange.drummer import Bars, Drummer, Groove
from songwright.compose.arrange.grooves import velocities
from songwright.compose.arrange.transitions import Joint, joints
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Part, Pattern, Style
from songwright.score.drums import DRUMS, drum_group
from songwright.score.song import TICKS_PER_QUARTER, Note
from songwright.seeding import generator

ACOUSTIC_KITS = ("standard_kit", "room_kit", "power_kit", "jazz_kit", "brush_kit", "orchestra_kit")
FEET = ("kick", "kick_2", "pedal_hat")
_FREE = ("clap", "tambourine", "cowbell")  # overdubbed: no hand of the drummer's
_HAND_ORDER = (
    "crash", "crash_2", "china", "splash", "snare", "snare_2", "rim", "high_tom", "mid_tom", "mid_tom_2", "low_tom",
    "floor_tom", "floor_tom_2", "ride_bell", "ride", "ride_2", "open_hat", "closed_hat",
)  # fmt: skip
_GRACE_SECONDS = 0.028
_LIFT = 0.05
"""How much harder the climax of a style that builds is struck, beside what its energy says."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What every step of the writing needs to know.

    `words` are from the first to the last stressed syllable of lines; `played` are patterns, by their place in the
    part, that a drummer plays otherwise than the book has them.
    """

    plan: SongPlan
    style: Style
    part: Part
    sections: Mapping[str, float]
    seed: int
    words: Sequence[tuple[int, int]] = ()
    played: Mapping[int, Bars] = field(default_factory=dict)

    def free_from(self, start: int, end: int) -> int:
        """Returns from where between two ticks a fill covers no words but a pick-up; `end` where they last so long."""
        before = end - self.plan.beat_ticks
        return max([start, *(min(last, end) for first, last in self.words if first < before and last > start)])

    def intensity(self, section: SectionPlan) -> float:
        """Energy of a section as this player feels it."""
        value = self.sections[section.label] + 0.25 * (self.plan.density - 1.0)
        if self.busier(section):
            value += 0.12
        return min(1.0, max(0.0, value))

    def gain(self, section: SectionPlan) -> float:
        """Returns how hard a section is played."""
        lift = _LIFT if self.style.builds and section is self.plan.climax else 0.0
        return _gain(self.intensity(section)) + lift

    def busier(self, section: SectionPlan) -> bool:
        """Whether this is the last chorus of a style whose drummer opens up there."""
        return "busier_drums" in self.style.devices.last_chorus and section is self.plan.climax


def write_drums(
    plan: SongPlan,
    style: Style,
    part: Part,
    sections: Mapping[str, float],
    *,
    seed: int,
    words: Sequence[tuple[int, int]] = (),
    take_seed: int | None = None,
    drummer: Drummer | None = None,
) -> tuple[Note, ...]:
    """Returns the notes of a drum part.

    Args:
        plan: the form.
        style: the style book, for devices and feel.
        part: of kind ``drums``; its first instrument is the kit.
        sections: label → intensity (energy with lifts) of the sections in which the part plays.
        seed: of the song.
        words: (start, end) of the words of each sung line, which no fill covers.
        take_seed: of grooves, fills and small turns; the song's own by default.
        drummer: plays the grooves in a way of their own; None for the book's.
    """
    job = _Job(plan, style, part, sections, seed if take_seed is None else take_seed, words)
    if drummer is not None:
        grooves = _grooves(job)
        played = drummer.play(plan, style, part, grooves, seed=job.seed)
        job = replace(job, played={groove.number: bars for groove, bars in zip(grooves, played, strict=True)})
    hits: list[Hit] = []
    for section in plan.sections:
        if section.label in sections:
            hits.extend(_section(job, section))
    for joint in joints(plan, style, seed=seed):
        hits = _join(job, hits, joint)
    hits = _finish(job, hits)
    return notes_of(hits, plan, style, part, seed=seed)


def _grooves(job: _Job) -> list[Groove]:
    """Returns the grooves that the sections of a song use, in order of appearance."""
    found: dict[int, Groove] = {}
    for section in job.plan.sections:
        if section.label in job.sections:
            intensity = job.intensity(section)
            pattern = choose_groove(job.part, job.plan, section, intensity, job.seed)
            if pattern is not None:
                number = job.part.pattern.index(pattern)
                found.setdefault(number, Groove(number, pattern_bars(pattern, job.plan), intensity))
    return list(found.values())


def groove_bars(
    plan: SongPlan,
    part: Part,
    section: SectionPlan,
    intensity: float,
    seed: int,
    played: Mapping[int, Bars] | None = None,
) -> list[list[Hit]]:
    """Returns each bar of a section in its groove, with the variation in every fourth and eighth bar.

    Args:
        plan: the form.
        part: the player.
        section: which.
        intensity: its energy as the player feels it.
        seed: decides the pattern.
        played: bars of patterns, by their place in the part, that are played otherwise than they are written.
    """
    groove = choose_groove(part, plan, section, intensity, seed)
    if groove is None:
        return [[] for _ in range(section.num_bars)]
    main = (played or {}).get(part.pattern.index(groove)) or pattern_bars(groove, plan)
    variation = choose_variation(part, plan, section, intensity, groove, seed)
    other = pattern_bars(variation, plan) if variation else None
    start = plan.start_ticks(section)
    random = generator(seed, "variation", section.role, part.id)
    plays = [variation is not None and random.random() < variation.probability for _ in range(2)]
    bars = []
    for index in range(section.num_bars):
        bar = main[index % len(main)]
        if other and ((index % 8 == 3 and plays[0]) or (index % 8 == 7 and plays[1])):
            bar = other[-1]
        shift = start + index * plan.bar_ticks
        bars.append([replace(h, tick=h.tick + shift) for h in bar])
    return bars


def _section(job: _Job, section: SectionPlan) -> list[Hit]:
    """Returns a section's groove with its inner variation: small turns, fills and crashes every eight bars."""
    plan, intensity = job.plan, job.intensity(section)
    gain = job.gain(section)
    bars = groove_bars(plan, job.part, section, intensity, job.seed, job.played)
    bars = [[replace(h, gain=h.gain * gain) for h in bar] for bar in bars]
    if section.role == "build" and not any(p.sections and "build" in p.sections for p in job.part.pattern):
        return _build_roll(job, section)
    if not job.style.feel.programmed:
        bars = [_loosened(job, section, index, bar) for index, bar in enumerate(bars)]
    random = generator(job.seed, "drums", job.part.id, section.role)
    has_variation = any(not p.fill and p.probability < 1.0 for p in job.part.pattern)
    every = 4 if job.busier(section) else 8
    for index, bar in enumerate(bars):
        last = index == section.num_bars - 1
        if index % 4 == 3 and not last and not has_variation:
            bars[index] = bar = _turn(bar, plan, int(random.integers(3)))
        if index % every == every - 1 and not last and intensity >= 0.35:
            end = plan.start_ticks(section) + (index + 1) * plan.bar_ticks
            short = plan.beat_ticks if intensity < 0.7 else 2 * plan.beat_ticks
            bars[index] = _with_fill(job, bar, end, short, intensity, f"{section.label} {index}")
        if index and index % every == 0 and intensity >= 0.75 and not job.style.feel.programmed:
            bars[index] = [*bar, *_crash(job, section, index)]
    if plan.density < 0.8:
        bars = [[h for h in bar if h.mark != "g"] for bar in bars]
    if job.part.instruments[0] in ACOUSTIC_KITS:
        bars = [[*bar, *_left_foot(bar, plan)] for bar in bars]
    return [h for bar in bars for h in bar]


def _gain(intensity: float) -> float:
    """Returns how hard a section is played."""
    return 0.74 + 0.3 * intensity


def _loosened(job: _Job, section: SectionPlan, index: int, bar: list[Hit]) -> list[Hit]:
    """Returns a bar whose ghost notes a drummer's left hand has left out here and added there, never the same twice."""
    ghosts = [h for h in bar if h.drum == "snare" and h.mark == "g"]
    if not ghosts:
        return bar
    random = generator(job.seed, "ghosts", job.part.id, section.role, index)
    beat, grid = job.plan.beat_ticks, ghosts[0].step_ticks
    kept = [h for h in bar if h not in ghosts or random.random() > 0.2]
    taken = {h.tick for h in bar if h.drum in ("snare", "rim", "clap")}
    gaps = [h.tick + grid * side for h in bar if h.drum == "snare" and h.mark in "xX" for side in (-2, 1, 3)]
    start = job.plan.start_ticks(section) + index * job.plan.bar_ticks
    for tick in sorted(set(gaps) - taken):
        inside = start < tick < start + job.plan.bar_ticks and tick % beat
        if inside and random.random() < 0.22 * min(1.3, job.plan.density):
            kept.append(replace(ghosts[0], tick=tick))
    return kept


def _left_foot(bar: list[Hit], plan: SongPlan) -> list[Hit]:
    """Returns the hat's pedal on every second beat of a bar in which the right hand has left the hat for the ride."""
    drums = {h.drum for h in bar}
    if not drums & {"ride", "ride_bell"} or drums & {"pedal_hat", "closed_hat", "open_hat"}:
        return []
    start = bar[0].tick // plan.bar_ticks * plan.bar_ticks
    return [
        Hit(tick, "pedal_hat", "o")
        for tick in range(start + plan.beat_ticks, start + plan.bar_ticks, 2 * plan.beat_ticks)
    ]


def _crash(job: _Job, section: SectionPlan, index: int) -> list[Hit]:
    if "crash" not in job.style.devices.impacts:
        return []
    tick = job.plan.start_ticks(section) + index * job.plan.bar_ticks
    return [Hit(tick, "crash_2", "x"), Hit(tick, "kick", "x")]


def _turn(bar: list[Hit], plan: SongPlan, kind: int) -> list[Hit]:
    """Returns a bar with a small change at its end: an opened hat, a kick before the bar line, or a ghost note."""
    if not bar:
        return bar
    start = bar[0].tick // plan.bar_ticks * plan.bar_ticks
    beat = plan.beat_ticks
    third = beat * 2 // 3 if beat == 1440 else beat // 2
    last = start + plan.bar_ticks - beat + third
    if kind == 0:
        return [replace(h, drum="open_hat") if h.drum == "closed_hat" and h.tick == last else h for h in bar]
    if kind == 1 and not any(h.drum == "kick" and h.tick >= last for h in bar):
        return [*bar, Hit(last, "kick", "x")]
    grid = beat // 6 if beat == 1440 else beat // 4
    ghost = start + plan.bar_ticks - grid
    if any(h.drum == "snare" for h in bar) and not any(h.drum == "snare" and h.tick >= last for h in bar):
        return [*bar, Hit(ghost, "snare", "g")]
    return bar


def _build_roll(job: _Job, section: SectionPlan) -> list[Hit]:
    """Returns a build without a pattern of its own: kick quarters and a snare that doubles its pace, ever louder."""
    plan, hits = job.plan, []
    start, end = plan.start_ticks(section), plan.end_ticks(section)
    total = end - start
    tick = start
    while tick < end:
        done = (tick - start) / total
        if tick % plan.beat_ticks == 0 and done < 0.75:
            hits.append(Hit(tick, "kick", "X"))
        step = plan.beat_ticks if done < 0.5 else plan.beat_ticks // 2 if done < 0.75 else plan.beat_ticks // 4
        hits.append(Hit(tick, "snare", "x", step, 0.55 + 0.5 * done))
        tick += step
    return hits


def _with_fill(job: _Job, hits: list[Hit], end: int, length: int, intensity: float, scope: str) -> list[Hit]:
    """Returns hits whose last part before `end` is replaced by a fill of about `length` ticks.

    Feet that the fill does not use go on; in quiet music the hand on hat or ride goes on too beside a light fill.
    """
    room = end - job.free_from(end - length, end)
    if room < min(length, job.plan.beat_ticks // 2):
        return hits
    fill = _choose_fill(job, room, intensity, scope)
    if fill is None:
        return hits
    start = job.free_from(max(0, end - min(fill_ticks(fill, job.plan), 2 * job.plan.bar_ticks)), end)
    gain = _gain(intensity)
    new = [
        replace(h, tick=end + h.tick, gain=gain * (1.05 + 0.15 * h.tick / (end - start)))
        for h in fill_hits(fill, job.plan)
        if end + h.tick >= start
    ]
    used = {h.drum for h in new}
    going_on = set(FEET[:2]) if not used & set(FEET[:2]) else set()
    if not used & {"pedal_hat", "open_hat"}:
        going_on.add("pedal_hat")
    strokes = sum(h.drum not in FEET for h in new)
    if intensity < 0.6 and used <= {"snare", "rim", *FEET} and strokes * job.plan.beat_ticks <= 3 * (end - start):
        going_on.update(TIMEKEEPERS)
    kept = [h for h in hits if not start <= h.tick < end or h.drum in going_on]
    return sorted([*kept, *new])


def _choose_fill(job: _Job, length: int, intensity: float, scope: str) -> Pattern | None:
    fills = [p for p in job.part.pattern if p.fill]
    compound = job.plan.beat_ticks == 1440

    def cost(pattern: Pattern) -> float:
        miss = max(pattern.energy[0] - intensity, intensity - pattern.energy[1], 0.0)
        wrong = abs(math.log2(fill_ticks(pattern, job.plan) / length))
        foreign = 2.0 if (pattern.meter in ("6/8", "9/8", "12/8")) != compound else 0.0
        luck = generator(job.seed, "fill", job.part.id, scope, job.part.pattern.index(pattern)).random()
        return foreign + 3.0 * miss + 0.8 * wrong + 0.7 * luck

    return min(fills, key=cost, default=None)


def _join(job: _Job, hits: list[Hit], joint: Joint) -> list[Hit]:
    """Returns hits with what happens before, on and after one bar line."""
    plan = job.plan
    plays_before, plays_after = joint.before.label in job.sections, joint.after.label in job.sections
    device = next((d for d in joint.devices if d not in ("riser", "reverse_swell")), "")
    before = job.intensity(joint.before) if plays_before else 0.0
    after = job.intensity(joint.after) if plays_after else 0.0
    if plays_before and plays_after:
        hits = _lead_in(job, hits, joint, device, max(before, min(after, before + 0.3)))
    elif plays_after and device in ("fill", "pickup", "snare_roll") and after >= 0.45:
        hits = _with_fill(job, hits, joint.tick, plan.beat_ticks * (2 if after > 0.7 else 1), after, joint.after.label)
    elif plays_before and device == "fill":
        hits = _with_fill(job, hits, joint.tick, plan.beat_ticks, before, joint.after.label)
    if plays_after and joint.rises:
        hits = _impact(hits, joint, 0.5 + 0.5 * after, alternate=joint.after.occurrence % 2 == 1)
    elif plays_before and not plays_after and before >= 0.6 and "crash" in job.style.devices.impacts:
        hits = [*hits, Hit(joint.tick, "crash", "x"), Hit(joint.tick, "kick", "x")]
    return hits


def _lead_in(job: _Job, hits: list[Hit], joint: Joint, device: str, intensity: float) -> list[Hit]:
    plan, tick = job.plan, joint.tick
    beats = max(1, plan.bar_ticks // plan.beat_ticks)
    if device == "silence":
        return [h for h in hits if not tick - plan.beat_ticks <= h.tick < tick]
    if device == "drum_stop":
        start = tick - plan.bar_ticks
        kept = [h for h in hits if not start < h.tick < tick]
        return _with_fill(job, kept, tick, plan.beat_ticks, intensity, joint.after.label)
    if device == "snare_roll":
        return _snare_roll(job, hits, tick, plan.bar_ticks * (2 if joint.importance > 0.75 else 1))
    if device == "pickup":
        return _with_fill(job, hits, tick, plan.beat_ticks, intensity, joint.after.label)
    if device == "fill":
        share = 0.25 if joint.importance < 0.3 else 0.5 if joint.importance < 0.6 else 1.0
        length = max(plan.beat_ticks, round(beats * share) * plan.beat_ticks)
        return _with_fill(job, hits, tick, length, intensity, joint.after.label)
    return hits


def _snare_roll(job: _Job, hits: list[Hit], end: int, length: int) -> list[Hit]:
    """Returns hits with a crescendo on the snare before a bar line: eighths, then sixteenths, then faster."""
    beat = job.plan.beat_ticks
    start = -(-job.free_from(max(0, end - length), end) // (beat // 2)) * (beat // 2)
    if end - start < beat:
        return _with_fill(job, hits, end, beat, 0.5, "roll")
    length = end - start
    kept = [h for h in hits if not start <= h.tick < end or h.drum in FEET]
    tick = start
    while tick < end:
        done = (tick - start) / length
        step = beat // 2 if done < 0.5 else beat // 4
        last = end - tick <= beat // 2
        kept.append(Hit(tick, "snare", "r" if last else "x", step, 0.45 + 0.75 * done))
        tick += step
    return sorted(kept)


def _impact(hits: list[Hit], joint: Joint, gain: float, *, alternate: bool) -> list[Hit]:
    """Returns hits with a crash or splash on the first beat, in place of what the hand would have played there."""
    name = next((i for i in joint.impacts if i in ("crash", "splash")), "")
    if not name:
        return hits
    if name == "crash" and alternate:
        name = "crash_2"
    kept = [h for h in hits if h.tick != joint.tick or h.drum not in (*TIMEKEEPERS, "crash", "crash_2")]
    new = [Hit(joint.tick, name, "X" if joint.importance > 0.4 else "x", gain=gain)]
    if not any(h.tick == joint.tick and h.drum == "kick" for h in hits):
        new.append(Hit(joint.tick, "kick", "x", gain=gain))
    return [*kept, *new]


def _finish(job: _Job, hits: list[Hit]) -> list[Hit]:
    """Returns hits that end with one stroke on the first beat of the final ring, unless the song fades away."""
    plan = job.plan
    if job.style.devices.ending == "fade" or plan.tail_bars < 1:
        return hits
    tail = (plan.num_bars - plan.tail_bars) * plan.bar_ticks
    last = plan.sections[-1]
    kept = [h for h in hits if h.tick < tail]
    if last.label not in job.sections or not hits:
        return kept
    intensity = job.intensity(last)
    if last.num_bars > plan.tail_bars and intensity >= 0.35:
        kept = _with_fill(job, kept, tail, plan.beat_ticks * (2 if intensity > 0.6 else 1), intensity, "ending")
    cymbal = "crash" if "none" not in job.style.devices.impacts and intensity >= 0.3 else "ride"
    quiet = 0.75 + 0.25 * intensity
    return [*kept, Hit(tail, cymbal, "x", gain=quiet), Hit(tail, "kick", "x", gain=quiet)]


def notes_of(hits: list[Hit], plan: SongPlan, style: Style, part: Part, *, seed: int) -> tuple[Note, ...]:
    """Returns hits as notes: rolls and flams written out, hands counted, velocities of a player of the style."""
    if part.kind == "drums" and part.instruments[0] in ACOUSTIC_KITS:
        hits = _playable(hits)
    strokes = _strokes(hits, plan)
    loudness = velocities(strokes, plan, style, part, seed=seed)
    merged: dict[tuple[int, int], int] = {}
    for hit, velocity in zip(strokes, loudness, strict=True):
        key = (hit.tick, DRUMS[hit.drum])
        merged[key] = max(merged.get(key, 1), velocity)
    following: dict[int, int] = {}
    notes = []
    for (tick, pitch), velocity in sorted(merged.items(), reverse=True):
        length = 2 * TICKS_PER_QUARTER if drum_group(pitch) == "cymbals" else TICKS_PER_QUARTER // 4
        if pitch in (DRUMS["open_hat"], DRUMS["open_triangle"]):
            length = TICKS_PER_QUARTER // 2
        length = max(1, min(length, following.get(pitch, tick + length) - tick))
        following[pitch] = tick
        notes.append(Note(tick, length, pitch, velocity))
    return tuple(reversed(notes))


def _strokes(hits: list[Hit], plan: SongPlan) -> list[Hit]:
    """Returns hits with rolls written as their strokes and flams with their grace note."""
    grace = max(20, round(_GRACE_SECONDS * plan.tempo_bpm / 60 * TICKS_PER_QUARTER))
    out = []
    for hit in sorted(hits):
        if hit.mark in "rt":
            count = 2 if hit.mark == "r" else 3
            for i in range(count):
                tick = hit.tick + i * hit.step_ticks // count
                out.append(replace(hit, tick=tick, mark="x", gain=hit.gain * (0.95 if i == 0 else 0.82)))
        elif hit.mark == "f":
            if hit.tick >= grace:
                out.append(replace(hit, tick=hit.tick - grace, mark="g", gain=hit.gain))
            out.append(replace(hit, mark="x"))
        else:
            out.append(hit)
    return out


def _playable(hits: list[Hit]) -> list[Hit]:
    """Returns hits that two hands and two feet can play: at each tick at most two strokes of the hands."""
    by_tick: dict[int, dict[str, Hit]] = {}
    for hit in hits:
        drums = by_tick.setdefault(hit.tick, {})
        if hit.drum not in drums or hit.mark == "X":
            drums[hit.drum] = hit
    out: list[Hit] = []
    for _, drums in sorted(by_tick.items()):
        if "open_hat" in drums:
            drums.pop("closed_hat", None)
            drums.pop("pedal_hat", None)
        hands = sorted((d for d in drums if d not in FEET and d not in _FREE), key=_hand_rank)
        dropped = set(hands[2:])
        out.extend(h for d, h in sorted(drums.items()) if d not in dropped)
    return out


def _hand_rank(drum: str) -> int:
    return _HAND_ORDER.index(drum) if drum in _HAND_ORDER else len(_HAND_ORDER)
