"""What the voices sing of their own: held oohs and aahs, the words in parentheses as answers, and ad libs."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from songwright.compose.arrange.context import ChordTimeline, Context, LeadLine
from songwright.compose.arrange.vocal_harmony import FARTHEST, NEAREST, Backing
from songwright.compose.arrange.vocal_lead import section_of
from songwright.compose.vocals import SungLine, VocalPlan
from songwright.score.song import Note, Singer, Syllable
from songwright.score.theory import Chord, Key
from songwright.score.voice_leading import motion, parallel_outer
from songwright.score.voices import SINGERS, VOICE_TYPES

_SOUNDS: dict[str, dict[str, tuple[tuple[str, ...], int]]] = {
    "en": {"ooh": (("u:",), 0), "aah": (("A:",), 0), "oh": (("oU",), 0), "yeah": (("j", "e@"), 1)},
    "zh": {"ooh": (("u",), 0), "aah": (("A",), 0), "oh": (("o",), 0), "yeah": (("j", "iE"), 1)},
    "ru": {"ooh": (("u",), 0), "aah": (("A",), 0), "oh": (("o",), 0), "yeah": (("d", "A"), 1)},
}
"""espeak mnemonics, and which of them is the vowel; other languages sing the English ones."""

_PRINTED = {
    "zh": {"ooh": "呜", "aah": "啊", "oh": "哦", "yeah": "耶"},
    "ru": {"ooh": "у", "aah": "а", "oh": "о", "yeah": "да"},
}
_SHORTEST_MS = 140.0
"""No syllable of an answer is shorter."""

_BREATH_BARS = 2
_AD_LIB_SHAPES: tuple[tuple[int, ...], ...] = ((0, -1, -2), (0, 1, 0, -1), (-1, 0, -2), (0, -1, 0, -2, -3))
"""Steps of the pentatonic scale from the first note."""


@dataclass(frozen=True, slots=True)
class Oohs:
    """Held chords, voice by voice."""

    voices: tuple[tuple[Note, ...], ...] = ()
    singers: tuple[Singer, ...] = ()
    syllables: tuple[Syllable, ...] = ()


@dataclass(frozen=True, slots=True)
class AdLibs:
    """Short cries of the lead singer between its lines."""

    notes: tuple[Note, ...] = ()
    syllables: tuple[Syllable, ...] = ()


@dataclass
class _Words:
    """Hands out syllables with new ids, in one language."""

    language: str
    next_id: int
    next_line: int
    made: list[Syllable] = field(default_factory=list)

    def new(self, name: str, *, line: int) -> int:
        """Returns the id of a new syllable in a line counted from those that are new."""
        sounds, nucleus = _SOUNDS.get(self.language, _SOUNDS["en"])[name]
        text = _PRINTED.get(self.language, {}).get(name, name)
        number = self.next_id + len(self.made)
        spoken = self.language if self.language in _SOUNDS else "en"
        self.made.append(Syllable(number, text, text, 1, self.next_line + line, spoken, sounds, nucleus))
        return number


def language_of(vocals: VocalPlan) -> str:
    """Returns the language of most syllables; English where none says."""
    counted = Counter(s.language for s in vocals.syllables if s.language)
    return min(counted, key=lambda name: (-counted[name], name)) if counted else "en"


def write_oohs(context: Context, vocals: VocalPlan, seats: Sequence[Backing], free_id: int, free_line: int) -> Oohs:
    """Returns chords held by the backing voices where the style has them, one syllable a chord, voices led smoothly.

    In verses they begin with the second. They keep off the notes of the lead, breathe every two bars, and rest where
    nobody sings the lead.

    Args:
        context: of the arrangement.
        vocals: the lead.
        seats: backing singers.
        free_id: number of the first new syllable.
        free_line: number of the first new line.
    """
    book, plan = context.style.vocals, context.plan
    if not vocals.notes or not seats:
        return Oohs()
    singers, low, high = _choir(vocals, seats, book.ooh_voices)
    lead = LeadLine(vocals.notes)
    words = _Words(language_of(vocals), free_id, free_line)
    voices: list[list[Note]] = [[] for _ in singers]
    breaths = 0
    for section in plan.sections:
        if section.role not in book.oohs or (section.role == "verse" and section.occurrence == 0):
            continue
        start, end = plan.start_ticks(section), plan.end_ticks(section)
        if not lead.between(start, end):
            continue
        vowel = "aah" if book.vowel == "aah" and section.energy >= 0.45 else "ooh"
        velocity = round(min(96.0, max(40.0, 44.0 + 26.0 * book.effort + 24.0 * (section.energy - 0.5))))
        previous: tuple[int, ...] = ()
        for breath in range(start, end, _BREATH_BARS * plan.bar_ticks):
            reach = min(end, breath + _BREATH_BARS * plan.bar_ticks)
            held = _held_chords(context.chords, breath, reach, plan.beat_ticks)
            for i, (a, b, chord) in enumerate(held):
                previous = _voiced(chord, previous, lead.between(a, b), low, high, len(singers))
                syllable = words.new(vowel, line=breaths)
                length = b - a - (plan.beat_ticks // 2 if i == len(held) - 1 else 0)
                for voice, pitch in zip(voices, previous[::-1], strict=False):
                    voice.append(Note(a, length, pitch, velocity, 0, syllable))
            breaths += 1
    return Oohs(tuple(tuple(voice) for voice in voices), singers, tuple(words.made))


def _choir(vocals: VocalPlan, seats: Sequence[Backing], count: int) -> tuple[tuple[Singer, ...], int, int]:
    """Returns the singers, highest first, and the register all of them share: above a man's lead, else below."""
    pitches = sorted(n.pitch for n in vocals.notes)
    middle = pitches[len(pitches) // 2]
    gender = VOICE_TYPES[vocals.voice_type].gender if vocals.voice_type in VOICE_TYPES else "female"
    names = ("clara", "vera", "adam") if gender == "male" else ("vera", "adam", "leo")
    rest = [name for name in (*names, "iris", "rex") if name != vocals.singer.name]
    chosen = [Singer(name) for name in dict.fromkeys(rest)][:count]
    reach = [VOICE_TYPES[SINGERS[s.name].voice_type] for s in chosen]
    if gender == "male":
        low, high = max(middle + 1, 57), 74
    else:
        low, high = 52, max(66, min(69, middle - 2))
    low, high = max(low, max(v.low for v in reach)), min(high, min(v.high for v in reach))
    return tuple(chosen), min(low, high - 12), high


def _held_chords(chords: ChordTimeline, start: int, end: int, beat: int) -> list[tuple[int, int, Chord]]:
    """Returns the chords of a breath; those shorter than a beat and a half are sung over by the one before."""
    kept: list[tuple[int, int, Chord]] = []
    for a, b, chord in chords.within(start, end, merge=True):
        if kept and b - a < beat * 3 // 2:
            kept[-1] = (kept[-1][0], b, kept[-1][2])
        else:
            kept.append((a, b, chord))
    return kept


def _voiced(
    chord: Chord, previous: tuple[int, ...], lead: Sequence[Note], low: int, high: int, count: int
) -> tuple[int, ...]:
    """Returns chord tones, low to high, near the ones before and off the notes that the lead sings meanwhile."""
    pitches = [p for p in range(low, high + 1) if p % 12 in chord.pitch_classes]
    sung = Counter[int]()
    for note in lead:
        sung[note.pitch] += note.duration_ticks
    total = max(1, sum(sung.values()))
    wanted = {(chord.root + i) % 12 for i in (chord.third, chord.seventh) if i is not None}

    def cost(voices: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
        near = sum(share for p in voices for s, share in sung.items() if abs(p - s) in (1, 2)) / total
        moved = motion(previous, voices) if previous else abs(2 * sum(voices) / len(voices) - low - high)
        tight = sum(9.0 if b - a == 1 else 3.0 * (b - a == 2 or b - a > 9) for a, b in itertools.pairwise(voices))
        missing = 2.0 * len(wanted - {p % 12 for p in voices}) * (len(wanted) > 0)
        return moved + 9.0 * near + tight + missing + 3.0 * parallel_outer(previous, voices), voices

    options = [c for c in itertools.combinations(pitches, count) if len({p % 12 for p in c}) == len(c)]
    options = options or list(itertools.combinations(pitches, min(count, len(pitches))))
    return min(options, key=cost) if options else ()


def write_answers(context: Context, vocals: VocalPlan, seats: Sequence[Backing]) -> tuple[tuple[Note, ...], ...]:
    """Returns the words in parentheses as the backing voices sing them after their line, one voice or two.

    They stand in the room after the line; where that is too short they begin under its last note, and where even that
    is, so much earlier that every syllable is sung.
    """
    voices: list[list[Note]] = [[] for _ in seats[: context.style.vocals.answer_voices]]
    if not voices:
        return ()
    by_id = {s.id: s for s in vocals.syllables}
    for i, line in enumerate(vocals.lines):
        if not line.backing:
            continue
        until = vocals.lines[i + 1].start_ticks if i + 1 < len(vocals.lines) else line.room_ticks
        section = section_of(context, line)
        times = _answer_times(context, line, max(line.end_ticks, min(line.room_ticks, until)))
        sung = LeadLine(line.notes)
        anchors = [_register(vocals, seat) for seat in seats[: len(voices)]]
        velocity = round(min(110.0, 60.0 + 34.0 * context.style.vocals.effort + 22.0 * (section.energy - 0.6)))
        spoken = any(by_id.get(s.id, s).delivery != "sung" for s in line.backing)
        first: list[int] = []
        for voice, seat, anchor in zip(voices, seats, anchors, strict=False):
            wishes = _echo(line, anchor)
            pitches = _answer_pitches(context, times, wishes, seat, context.key_of(section), tuple(first))
            pitches = [pitches[0]] * len(pitches) if spoken else pitches
            first = first or pitches
            for (tick, length), pitch, syllable in zip(times, pitches, line.backing, strict=True):
                clear = _off_the_lead(pitch, sung.between(tick, tick + length), seat)
                level = velocity + (4 if syllable.stress == 1 else 0)
                voice.append(Note(tick, length, clear, level, 0, syllable.id))
    return tuple(tuple(voice) for voice in voices)


def _answer_times(context: Context, line: SungLine, until: int) -> list[tuple[int, int]]:
    """Returns (start, length) of each syllable of an answer."""
    beat = context.plan.beat_ticks
    parts = (1, 3, 6) if beat % 1440 == 0 else (1, 2, 4)
    shortest = context.ticks_of_ms(_SHORTEST_MS)
    steps = [beat // part for part in parts[1:] if beat // part >= shortest] or [beat]
    weights = [2 if s.stress == 1 and len(line.backing) <= 4 else 1 for s in line.backing]
    plain = [1] * len(line.backing)
    grid = steps[0]
    after = -(-line.end_ticks // grid) * grid
    under = line.notes[-1].start_ticks if line.notes else line.start_ticks
    for begin in (after, line.end_ticks, under):
        for step, sizes in itertools.product(steps, (weights, plain)):
            if begin + step * sum(sizes) <= until:
                return _laid(begin, [step * size for size in sizes], min(until, begin + step * sum(sizes) + beat))
    needed = steps[-1] * len(plain)
    begin = max(line.start_ticks, until - needed)
    step = max(1, min(steps[-1], (until - begin) // max(1, len(plain))))
    return _laid(begin, [step] * len(plain), max(until, begin + step * len(plain)))


def _laid(begin: int, lengths: list[int], until: int) -> list[tuple[int, int]]:
    starts = [begin + sum(lengths[:i]) for i in range(len(lengths))]
    ends = [*starts[1:], until]
    return [(start, max(1, end - start)) for start, end in zip(starts, ends, strict=True)]


def _register(vocals: VocalPlan, seat: Backing) -> int:
    pitches = sorted(n.pitch for n in vocals.notes)
    middle = pitches[len(pitches) // 2] if pitches else 60
    return min(seat.high - 3, max(seat.low + 5, middle + 4 * seat.side))


def _echo(line: SungLine, anchor: int) -> list[float]:
    """Returns the shape of the line's last syllables around another pitch, for as many as answer; the last comes down.

    Where more answer than were sung, the first pitch is repeated.
    """
    heads = [n for i, n in enumerate(line.notes) if i == 0 or n.syllable != line.notes[i - 1].syllable]
    tail = [n.pitch for n in heads[-len(line.backing) :]] or [anchor]
    tail = [tail[0]] * (len(line.backing) - len(tail)) + tail
    mean = sum(tail) / len(tail)
    shape = [anchor + max(-4.0, min(4.0, 0.7 * (pitch - mean))) for pitch in tail]
    return [*shape[:-1], min(shape[-1], anchor + 1.0)]


def _answer_pitches(
    context: Context,
    times: Sequence[tuple[int, int]],
    wishes: Sequence[float],
    seat: Backing,
    key: Key,
    first: tuple[int, ...],
) -> list[int]:
    """Returns pitches near those wished for: chord tones on beats, at rest and in the second voice, else of the key."""
    beat = context.plan.beat_ticks
    found: list[int] = []
    for i, (tick, length) in enumerate(times):
        chord = context.chords.at(tick)
        tones = set(chord.pitch_classes) if chord is not None else set(key.pitch_classes)
        free = tick % beat != 0 and length < beat and i < len(times) - 1
        rubbing = {(t + side) % 12 for t in tones for side in (1, -1)}
        allowed = tones | ({pc for pc in key.pitch_classes if pc not in rubbing} if free else set())
        options = [p for p in range(seat.low, seat.high + 1) if p % 12 in allowed] or [round(wishes[i])]

        def cost(pitch: int, i: int = i, tones: set[int] = tones) -> tuple[float, int]:
            apart = abs(pitch - first[i]) if first else NEAREST
            beside = 0.0 if not first or NEAREST <= apart <= FARTHEST else 8.0
            leap = 0.6 * max(0, abs(pitch - found[-1]) - 4) if found else 0.0
            return abs(pitch - wishes[i]) + 0.6 * (pitch % 12 not in tones) + beside + leap, pitch

        found.append(min(options, key=cost))
    return found


def _off_the_lead(pitch: int, lead: Sequence[Note], seat: Backing) -> int:
    """Returns the pitch, or one a third or fourth away where the lead sings right beside it."""
    options = [pitch, *(pitch + d for d in (-3, 3, -4, 4, -5, 5) if seat.low <= pitch + d <= seat.high)]
    return next((p for p in options if all(abs(p - n.pitch) not in (1, 2) for n in lead)), pitch)


def write_ad_libs(
    context: Context, vocals: VocalPlan, answered: Sequence[Note], free_id: int, free_line: int
) -> AdLibs:
    """Returns a few cries of the lead singer in the last gaps of the last chorus, and one after its end.

    Args:
        context: of the arrangement.
        vocals: the lead.
        answered: what the backing voices answer; there the lead keeps silent.
        free_id: number of the first new syllable.
        free_line: number of the first new line.
    """
    plan, climax = context.plan, context.plan.climax
    if climax is None:
        return AdLibs()
    beat = plan.beat_ticks
    taken = LeadLine([*vocals.notes, *answered])
    gaps: list[tuple[int, int]] = []
    for i, line in enumerate(vocals.lines):
        if section_of(context, line) is not climax:
            continue
        last = i + 1 == len(vocals.lines)
        until = (
            min(context.ring_start, line.end_ticks + plan.bar_ticks * 2) if last else vocals.lines[i + 1].start_ticks
        )
        begin = -(-(line.end_ticks + beat // 4) // context.part_ticks) * context.part_ticks
        if until - begin >= 2 * beat and not taken.between(begin, until):
            gaps.append((begin, min(until - beat // 2, begin + plan.bar_ticks)))
    words = _Words(language_of(vocals), free_id, free_line)
    notes: list[Note] = []
    for number, (begin, until) in enumerate(gaps[-context.style.vocals.ad_libs :]):
        notes.extend(_ad_lib(context, vocals, context.key_of(climax), begin, until, number, words))
    return AdLibs(tuple(notes), tuple(words.made))


def _ad_lib(
    context: Context, vocals: VocalPlan, key: Key, begin: int, until: int, number: int, words: _Words
) -> list[Note]:
    """Returns one cry: a pentatonic turn in the upper half of the voice on one syllable, the last note held."""
    random = context.random("voice", "ad lib", number)
    shape = _AD_LIB_SHAPES[int(random.integers(len(_AD_LIB_SHAPES)))]
    scale = {(key.tonic + i) % 12 for i in ((0, 3, 5, 7, 10) if key.is_minor else (0, 2, 4, 7, 9))}
    pitches = sorted(n.pitch for n in vocals.notes)
    upper = pitches[len(pitches) * 3 // 4]
    ladder = [p for p in range(pitches[0], pitches[-1] + 3) if p % 12 in scale]
    chord = context.chords.at(begin)
    tones = set(chord.pitch_classes) if chord is not None else scale
    starts = [i for i, p in enumerate(ladder) if p % 12 in tones] or list(range(len(ladder)))
    first = min(starts, key=lambda i: (abs(ladder[i] - upper), i))
    step = max(context.part_ticks, context.ticks_of_ms(_SHORTEST_MS))
    shape = shape[: max(1, (until - begin) // step)]
    syllable = words.new("yeah" if random.random() < 0.4 else "oh", line=number)
    made = []
    for i, move in enumerate(shape):
        pitch = ladder[min(len(ladder) - 1, max(0, first + move))]
        tick = begin + i * step
        end = tick + step if i < len(shape) - 1 else min(until, tick + 2 * context.plan.beat_ticks)
        made.append(Note(tick, max(1, end - tick), pitch, 88 - 3 * i, 0, syllable))
    return made
