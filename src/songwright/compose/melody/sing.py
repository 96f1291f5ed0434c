"""The tune of a song with words: each line a phrase, each role's tune written once for all its words.

Verse lines at the same place share a tune, choruses have one tune, the same words within a section the same notes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import numpy as np

from songwright.compose.lyric_form import PlacedLine
from songwright.compose.melody.features import SCALE, Floats
from songwright.compose.melody.hook import hook_cost, rhythm_cost
from songwright.compose.melody.model import MelodyModel, TuneNetwork, load_model
from songwright.compose.melody.phrase_plan import STEP_TICKS, PhrasePlan, Setting
from songwright.compose.melody.phrases import STRICT, Line, fitted_guide, lift_at, moved, write_phrase
from songwright.compose.melody.pitch import Guide
from songwright.compose.melody.rhythm import Rhythm, Slots
from songwright.compose.melody.sections import VOICES, RoleVoice, shapes_of, velocities, with_one_top
from songwright.compose.melody.word_lines import WordLine, word_line
from songwright.compose.melody.words_pitch import (
    Sung,
    speech_pitches,
    spoken_rhythm,
    with_melismas,
    word_bend,
)
from songwright.compose.melody.words_rhythm import (
    HABIT_NOISE,
    LIGHT_ENDS,
    OTHER_LIGHT_ENDS,
    RhythmWishes,
    Span,
    breath_steps,
    upbeat_room,
    word_rhythm,
)
from songwright.compose.plan import Phrase, SectionPlan, SongPlan
from songwright.compose.style import Style
from songwright.compose.vocals import SungLine
from songwright.score.song import ChordSpan, Note, Syllable
from songwright.score.voices import VOICE_TYPES, VoiceType
from songwright.seeding import generator

RHYTHM_CANDIDATES = 12
PITCH_CANDIDATES = {"chorus": 6, "drop": 6}
"""Tunes drawn for a new line; three for roles that are not listed."""
ADAPTED = 6.0
"""Cost of a semitone away from the shared tune on notes that only other words brought."""
TONAL = 1.3
"""The same on all notes where the words have tones, so that single notes give way to them."""
ABOVE, BELOW = 3, 2
"""Semitones that a tune may go beyond the tessitura."""
ROLE_ROOM = 9.0


@dataclass(frozen=True)
class Tune:
    """A line's notes: `line` as the models know it, and the syllable of each note."""

    line: Line
    sung: Sung
    words: WordLine


def voiced(style: Style, voice: VoiceType) -> Style:
    """Returns the style book with its tunes in the range where a voice sings."""
    low, high = max(voice.low, voice.tessitura[0] - BELOW), min(voice.high, voice.tessitura[1] + ABOVE)
    return replace(style, melody=replace(style.melody, range=(low, high)))


class SongSinger:
    """Writes every sung line of a song."""

    def __init__(
        self, plan: SongPlan, lines: Sequence[PlacedLine], style: Style, chords: tuple[ChordSpan, ...], voice_type: str,
        seed: int, *, heed_tones: bool = True, network: TuneNetwork | None = None,
    ) -> None:  # fmt: skip
        self.plan, self.lines, self.seed, self.heed_tones = plan, lines, seed, heed_tones
        self.voice = VOICE_TYPES[voice_type]
        self.setting = Setting(plan, voiced(style, self.voice), chords)
        self.model: MelodyModel = load_model(self.setting.metre).judged_by(network)
        self.words = [word_line(placed.line) for placed in lines]
        self.tunes: list[Tune] = []
        self.first: dict[tuple[str, int], int] = {}
        self.noises: dict[tuple[str, str], Floats] = {}
        lifts = [s.key_shift for s in plan.sections]
        self.lift_room = max(0, *lifts, 0)

    def sing(self) -> tuple[Tune, ...]:
        """Returns the tune of every line, in order."""
        start = 0
        while start < len(self.lines):
            section = self.lines[start].section
            end = start
            while end < len(self.lines) and self.lines[end].section == section:
                end += 1
            self._section(start, end)
            start = end
        self._vary_last_chorus()
        return tuple(self.tunes)

    # --- sections ---------------------------------------------------------------------------------------------------

    def _section(self, start: int, end: int) -> None:
        section = self.plan.sections[self.lines[start].section]
        shapes = shapes_of(end - start)
        fresh = (section.role, 0) not in self.first
        for i in range(start, end):
            position = i - start
            source = self._shared(section.role, position)
            if source is not None:
                self.tunes.append(self._again(i, self.tunes[source], section))
            else:
                self.tunes.append(self._new(i, start, shapes, section))
                self.first[section.role, position] = i
        if fresh and end - start > 1:
            self._raise_top(start, end, section)

    def _shared(self, role: str, position: int) -> int | None:
        """Returns the earlier line whose tune this place of the role shares; longer verses go round again."""
        if (role, position) in self.first:
            return self.first[role, position]
        known = [place for r, place in self.first if r == role]
        earlier = bool(known) and self.first[role, known[0]] < len(self.tunes) and self._is_again(role)
        return self.first[role, position % (max(known) + 1)] if earlier else None

    def _is_again(self, role: str) -> bool:
        """Whether the section now being written is not the first of its role."""
        now = self.lines[len(self.tunes)].section
        first = min(self.lines[i].section for (r, _), i in self.first.items() if r == role)
        return now != first

    def _peers(self, i: int) -> list[WordLine]:
        """Returns the words that will share the tune of a line: those at the same place of the role's sections."""
        placed = self.lines[i]
        role = self.plan.sections[placed.section].role
        return [
            self.words[k]
            for k, other in enumerate(self.lines)
            if k != i and other.position == placed.position and self.plan.sections[other.section].role == role
        ]

    # --- one line ---------------------------------------------------------------------------------------------------

    def _span(self, i: int) -> Span:
        """Returns where a line may be sung: from its upbeat to the next line's, less the breath."""
        setting, placed, words = self.setting, self.lines[i], self.words[i]
        bar = setting.bar_steps
        first = placed.first_bar * bar
        taken = 0
        if self.tunes:
            last = self.tunes[-1].line
            taken = last.plan.start_ticks // STEP_TICKS + sum(last.slots[-1]) + breath_steps(setting)
        upbeat = max(0, min(upbeat_room(words.syllables, setting, words.delivery), first - taken))
        steps = placed.num_bars * bar
        tail = 0
        if i + 1 < len(self.lines):
            following = self.lines[i + 1]
            gap = (following.first_bar - placed.first_bar - placed.num_bars) * bar
            tail = upbeat_room(self.words[i + 1].syllables, setting, self.words[i + 1].delivery) - gap
        end = steps - max(0, tail) - breath_steps(setting)
        end -= min(2 * words.backing, steps // 3)
        return Span(upbeat, max(end, steps // 2), steps)

    def _rhythm(self, i: int, letter: str, role: str, source: Tune | None) -> Slots:
        """Returns the onsets and lengths of a line's syllables."""
        words, span = self.words[i], self._span(i)
        if words.delivery == "spoken":
            return spoken_rhythm(words, 0, span.end)
        base = self.setting.style.melody.syncopation + VOICES.get(role, RoleVoice(0.5, 1.0)).syncopation
        like = source.sung.onsets if source is not None else ()
        same = _same_beginning(source.words, words) if source is not None else 0
        light = LIGHT_ENDS.get(words.languages[-1], OTHER_LIGHT_ENDS) if words.delivery == "sung" else 0.0
        wishes = RhythmWishes(
            words.delivery, float(np.clip(base, 0, 1)), self.noises.get((role, letter)), like, same,
            light_end=bool(generator(self.seed, "words", "end", role, letter).random() < light),
        )  # fmt: skip
        model = self.model.rhythm
        if (role, letter) in self.noises or words.delivery == "rap":
            return word_rhythm(model, words.syllables, span, self.setting, wishes)
        random = generator(self.seed, "words", "rhythm", role, letter)
        shape = (self.setting.bar_steps, 2 * self.setting.cell_steps + 1)
        best: tuple[float, Floats, Slots] | None = None
        before = self.tunes[-1].sung.slots if self.tunes and self.lines[i].position else ()
        for _ in range(RHYTHM_CANDIDATES):
            noise = random.normal(0.0, HABIT_NOISE, shape)
            slots = word_rhythm(model, words.syllables, span, self.setting, replace(wishes, noise=noise))
            cost = rhythm_cost(slots, words.syllables, self.setting, wishes.syncopation, before)
            if best is None or cost < best[0]:
                best = (cost, noise, slots)
        assert best is not None
        self.noises[role, letter] = best[1]
        return best[2]

    def _plan(self, i: int, start: int, shapes: Sequence[str], section: SectionPlan) -> PhrasePlan:
        """Returns what is decided about a new line's melody."""
        placed, position, shape = self.lines[i], i - start, shapes[i - start]
        low, high = self.setting.style.melody.range
        high = max(low + 7, high - self.lift_room)
        voice = VOICES.get(section.role, RoleVoice(0.45, 1.0))
        centre = low + voice.centre * (high - low)
        climax = len(shapes) > 1 and position == _climax(shapes, section.role)
        last = position == len(shapes) - 1
        ceiling = round(min(high, centre + max(6.0, 0.5 * (high - low))))
        floor = round(max(low, centre - ROLE_ROOM))
        top = ceiling if climax or len(shapes) == 1 else max(floor + 6, ceiling - 2)
        answers = ("'" in shape and position % 2 == 1) or last
        full = answers and not self.words[i].question and not (section.role == "prechorus" and last)
        return PhrasePlan(
            placed.first_bar * self.plan.bar_ticks, placed.num_bars, shape, "full" if full else "half", floor, top,
            centre + (1.2 if shape[0] == "b" else 0.0), climax=climax,
        )  # fmt: skip

    def _new(self, i: int, start: int, shapes: Sequence[str], section: SectionPlan) -> Tune:
        """Returns a line's tune, new or made from one of the same letter or words in its section."""
        words, shape = self.words[i], shapes[i - start]
        same = next((k for k in range(start, i) if self.words[k].key == words.key and words.key), None)
        if same is not None:
            return self._again(i, self.tunes[same], section)
        plan = self._plan(i, start, shapes, section)
        source = self._source(i, start, shapes)
        letter = shapes[source - start][0] if source is not None else shape[0]
        slots = self._rhythm(i, letter, section.role, self.tunes[source] if source is not None else None)
        random = generator(self.seed, "words", "melody", section.role, i - start)
        if words.delivery != "sung":
            return self._speech(words, plan, slots)
        sung = with_melismas(slots, words, self.setting, random, peak=plan.climax)
        guide = None
        if source is not None:
            shared = _same_beginning(self.words[source], words)
            keep = 1.0 if shape == shape[0] else 0.5
            if shared:
                after = sung.slots[max(k for k, owner in enumerate(sung.owners) if owner < shared)][0] + 1
                keep = max(keep, after / (plan.num_bars * self.setting.bar_steps))
            guide = self._guide(self.tunes[source], words, sung, plan, keep)
        before = self.tunes[-1].line if self.tunes else None
        bend = word_bend(words, sung, self._peers(i), tones=self.heed_tones)
        tries = PITCH_CANDIDATES.get(section.role, 3)
        best: tuple[float, Line] | None = None
        for _ in range(tries):
            line = write_phrase(
                self.model,
                plan,
                self.setting,
                random,
                before=before,
                rhythm=Rhythm((), sung.slots),
                guide=guide,
                bend=bend,
            )
            cost = hook_cost(line, words, sung, self.setting, tones=self.heed_tones)
            if best is None or cost < best[0]:
                best = (cost, line)
        assert best is not None
        return Tune(best[1], sung, words)

    def _source(self, i: int, start: int, shapes: Sequence[str]) -> int | None:
        """Returns the line of its section that a line takes up: one of the same beginning, else its letter's."""
        alike = [k for k in range(start, i) if _same_beginning(self.words[k], self.words[i]) >= 2]
        if alike:
            return max(alike, key=lambda k: (_same_beginning(self.words[k], self.words[i]), -k))
        return next((k for k in range(start, i) if shapes[k - start] == shapes[i - start][0]), None)

    def _speech(self, words: WordLine, plan: PhrasePlan, slots: Slots) -> Tune:
        pitches = speech_pitches(words, plan, slots, self.setting, self.voice)
        return Tune(Line(plan, slots, pitches), Sung(slots, tuple(range(len(slots)))), words)

    def _again(self, i: int, source: Tune, section: SectionPlan) -> Tune:
        """Returns a tune sung to other words or elsewhere: its own notes, but for what the syllables ask."""
        words, placed = self.words[i], self.lines[i]
        start = placed.first_bar * self.plan.bar_ticks
        random = generator(self.seed, "words", "again", i)
        span = self._span(i)
        if words.key == source.words.key and self._fits(source, span, placed):
            line = moved(self.model, source.line, start, self.setting, random)
            return Tune(self._cut(line, span), source.sung, words)
        shift = lift_at(self.setting, start) - lift_at(self.setting, source.line.plan.start_ticks)
        old = source.line.plan
        plan = replace(
            old, start_ticks=start, num_bars=placed.num_bars, low=old.low + shift, high=old.high + shift,
            centre=old.centre + shift, cadence="half" if words.question else old.cadence,
        )  # fmt: skip
        slots = self._rhythm(i, source.line.plan.shape[0], section.role, source)
        if words.delivery != "sung":
            return self._speech(words, plan, slots)
        sung = _with_melismas_of(slots, words, source, span)
        guide = self._guide(source, words, sung, plan, 1.0)
        bend = word_bend(words, sung, (), tones=self.heed_tones)
        before = self.tunes[-1].line if self.tunes else None
        line = write_phrase(
            self.model, plan, self.setting, random, before=before, rhythm=Rhythm((), sung.slots), guide=guide, bend=bend
        )
        return Tune(line, sung, words)

    def _fits(self, source: Tune, span: Span, placed: PlacedLine) -> bool:
        """Whether a tune can stand here note for note."""
        first, last = source.line.slots[0][0], source.line.slots[-1][0]
        return -first <= span.upbeat and last + 1 < span.end + 2 and source.line.plan.num_bars == placed.num_bars

    def _cut(self, line: Line, span: Span) -> Line:
        start, length = line.slots[-1]
        return replace(line, slots=(*line.slots[:-1], (start, max(1, min(length, max(span.end, start + 1) - start)))))

    def _guide(self, source: Tune, words: WordLine, sung: Sung, plan: PhrasePlan, keep: float) -> Guide:
        """Returns the source's pitches for the notes of other words: at the same place, else by the same syllable."""
        line = source.line
        shift = lift_at(self.setting, plan.start_ticks) - lift_at(self.setting, line.plan.start_ticks)
        at = {s: p + shift for (s, _), p in zip(line.slots, line.pitches, strict=True)}
        firsts = _first_pitches(source, shift)
        equal = len(words.syllables) == len(source.words.syllables)
        starts = [s for s, _ in line.slots]
        wanted: dict[int, tuple[int, float]] = {}
        tonal = self.heed_tones and any(words.directions) and words.key != source.words.key
        strict = TONAL if tonal else STRICT
        end = line.plan.num_bars * self.setting.bar_steps * keep
        for k, (slot, owner) in enumerate(zip(sung.slots, sung.owners, strict=True)):
            if slot[0] >= end:
                continue
            begins = k == 0 or sung.owners[k - 1] != owner
            if equal and begins:
                wanted[k] = (firsts[owner], strict)
            elif slot[0] in at:
                wanted[k] = (at[slot[0]], strict)
            elif begins:
                j = max(0, int(np.searchsorted(starts, slot[0], side="right")) - 1)
                wanted[k] = (line.pitches[j] + shift, min(ADAPTED, strict))
        if keep == 1.0 and wanted and not words.question and plan.shape == line.plan.shape:
            wanted[len(sung.slots) - 1] = (line.pitches[-1] + shift, STRICT)
        moved_line = replace(line, pitches=tuple(p + shift for p in line.pitches))
        return Guide(fitted_guide(moved_line, plan, self.setting, wanted, sung.slots))

    # --- the whole --------------------------------------------------------------------------------------------------

    def _raise_top(self, start: int, end: int, section: SectionPlan) -> None:
        """Gives the section's climax line its highest note."""
        lines = [tune.line for tune in self.tunes[start:end]]
        sung = [k for k in range(len(lines)) if self.words[start + k].delivery == "sung"]
        climax = next((k for k in sung if lines[k].plan.climax), None)
        if climax is None or section.role not in ("chorus", "drop", "bridge", "verse"):
            return
        keys = [self.words[start + k].key for k in range(len(lines))]
        if keys.count(keys[climax]) > 1:
            return  # the same words keep the same notes
        style = self.setting.style
        low, high = style.melody.range
        roof = high - self.lift_room if section.role in ("chorus", "drop") else max(low + 8, high - self.lift_room - 2)
        bounded = Setting(
            self.plan, replace(style, melody=replace(style.melody, range=(low, roof))), self.setting.chords
        )
        raised = with_one_top([lines[k] for k in sung], sung.index(climax), bounded)
        self.tunes[start + climax] = replace(self.tunes[start + climax], line=raised)

    def _vary_last_chorus(self) -> None:
        """Lets the last chorus end higher than those before it, where it is sung more than once."""
        places = [i for i, line in enumerate(self.lines) if self.plan.sections[line.section].role == "chorus"]
        if not places or len({self.lines[i].section for i in places}) < 2 or self.words[places[-1]].delivery != "sung":
            return
        tune = self.tunes[places[-1]]
        line = tune.line
        shift = lift_at(self.setting, line.plan.start_ticks)
        harmony = self.setting.harmony_of(line.plan.start_ticks, *line.slots[-1], shift)
        tonic = self.plan.key.tonic + shift
        before = line.pitches[-2] if len(line.pitches) > 1 else line.pitches[-1]
        high = self.setting.style.melody.range[1]
        reach = range(line.pitches[-1] + 3, min(high, before + 9) + 1)
        homes = [p for p in reach if harmony.classes[(p - tonic) % 12] < SCALE]
        if homes and len(tune.sung.slots) > 1 and tune.sung.owners[-1] != tune.sung.owners[-2]:
            best = min(homes, key=lambda p: ((p - tonic) % 12 != 0, abs(p - line.pitches[-1] - 5)))
            raised = replace(line, pitches=(*line.pitches[:-1], best))
            self.tunes[places[-1]] = replace(tune, line=raised)


def _same_beginning(one: WordLine, other: WordLine) -> int:
    """Returns how many syllables at the beginning of two lines belong to the same whole words."""
    count = 0
    words = zip(one.key.split(), other.key.split(), strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], words))
    for syllable in other.syllables:
        if same <= 0:
            break
        count += 1
        same -= syllable.ends_word
    return min(count, len(one.syllables))


def _climax(shapes: Sequence[str], role: str) -> int:
    """Returns which line holds the section's highest note."""
    if role in ("chorus", "drop") or len(shapes) < 3:
        return len(shapes) - 1
    return max((k for k, shape in enumerate(shapes) if shape[0] == "b"), default=len(shapes) - 1)


def _first_pitches(tune: Tune, shift: int) -> list[int]:
    """Returns the first pitch of each syllable."""
    owners = tune.sung.owners
    return [
        p + shift for k, p in enumerate(tune.line.pitches) if k == 0 or owners[k] != owners[k - 1]
    ]  # fmt: skip


def _with_melismas_of(slots: Slots, words: WordLine, source: Tune, span: Span) -> Sung:
    """Returns the notes with the melismas of the shared tune, where the new words can bear them."""
    groups: dict[int, list[tuple[int, int]]] = {}
    for slot, owner in zip(source.sung.slots, source.sung.owners, strict=True):
        groups.setdefault(owner, []).append(slot)
    split = {rows[0][0]: rows for rows in groups.values() if len(rows) > 1}
    notes: list[tuple[int, int]] = []
    owners: list[int] = []
    for i, (start, length) in enumerate(slots):
        rows = split.get(start)
        if rows and words.syllables[i].is_open and start + length > rows[-1][0]:
            ends = [s for s, _ in rows[1:]] + [start + length]
            parts = [(s, e - s) for (s, _), e in zip(rows, ends, strict=True)]
        else:
            parts = [(start, length)]
        notes.extend(parts)
        owners.extend([i] * len(parts))
    return Sung(tuple(notes), tuple(owners))


def sung_notes(tune: Tune, setting: Setting, section: SectionPlan, first_id: int) -> tuple[Note, ...]:
    """Returns a line's notes with the ids of their syllables.

    Args:
        tune: the line.
        setting: of the song.
        section: where it lies.
        first_id: of its first syllable.
    """
    loud = velocities(tune.line, setting, section.energy)
    start = tune.line.plan.start_ticks
    return tuple(
        Note(start + step * STEP_TICKS, length * STEP_TICKS, pitch, int(loud[k]), 0, first_id + tune.sung.owners[k])
        for k, ((step, length), pitch) in enumerate(zip(tune.line.slots, tune.line.pitches, strict=True))
    )


def line_syllables(tune: Tune, first_id: int, index: int) -> tuple[Syllable, ...]:
    """Returns a line's syllables for the score, with fresh ids."""
    words = tune.words
    return tuple(
        Syllable(
            first_id + k, words.texts[k], words.words[k], s.stress, index, words.languages[k], s.phonemes, s.nucleus,
            s.tone, words.delivery,  # type: ignore[arg-type]  # checked where the sheet was read
        )
        for k, s in enumerate(words.sheet)
    )  # fmt: skip


def phrase_of(tune: Tune, setting: Setting) -> Phrase:
    """Returns how the line is breathed."""
    phrase = tune.line.phrase(setting)
    stresses = tuple(int(s.stress >= 0.5) for s in tune.words.syllables)
    return replace(phrase, syllables=len(stresses), stresses=stresses)


def with_rooms(lines: Sequence[SungLine], end_ticks: int) -> tuple[SungLine, ...]:
    """Returns the lines with the place where the next one begins."""
    starts = [line.start_ticks for line in lines[1:]] + [end_ticks]
    return tuple(replace(line, room_ticks=max(line.end_ticks, s)) for line, s in zip(lines, starts, strict=True))
