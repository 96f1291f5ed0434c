"""How the band makes room for a voice: leads rest under lines and answer between them, others thin out and step aside.

What the voices sing is decided before (`vocal_lead`, `backing`); here the instruments' side of it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from songwright.compose.arrange.context import Context, LeadLine, Player, Room, Stint
from songwright.compose.arrange.vocal_fills import answer
from songwright.compose.arrange.vocal_lead import section_of
from songwright.compose.vocals import SungLine, VocalPlan
from songwright.score.instruments import instrument
from songwright.score.song import Note

_FIRST_TIME = 0.5
_CHORUS = 0.75
"""Shares of the style's `fills`: less in the first verse, where the words are new, and where harmonies are sung."""

_SHORTEST_BEATS = 0.8
_WORDLESS = ("interlude", "solo")
_HOOK_SHARE = 0.3
_FILL_VELOCITY = 84


def make_room(
    context: Context, players: Collection[Player], melody: Iterable[Note], vocals: VocalPlan, heard: Sequence[Note]
) -> Room:
    """Returns the voices as the band hears them, the tune left to instruments, and their fills between the lines.

    Args:
        context: of the arrangement, without a room.
        players: of the song.
        melody: the tune of the whole song; what carries syllables, or lies under a line, is not for instruments.
        vocals: who sings what when.
        heard: notes of the lead voice, answers and ad libs.
    """
    pitches = sorted(n.pitch for n in vocals.notes) or [64]
    room = Room(
        lines=vocals.lines,
        voices=LeadLine(heard),
        tune=LeadLine(instrumental(context, melody, vocals.lines)),
        fills=LeadLine(()),
        low=pitches[len(pitches) // 10],
        high=pitches[-1 - len(pitches) // 10],
        stressed=frozenset(s.id for s in vocals.syllables if s.stress == 1),
    )
    leads = [(player, stint) for player in players if player.part.kind == "lead" for stint in player.stints]
    fills: list[Note] = []
    for player, stint in leads:
        fills.extend(_fills(context, room, player, stint, vocals))
        fills.extend(_quotes(context, room, player, stint, vocals))
    return replace(room, fills=LeadLine(fills))


def instrumental(context: Context, melody: Iterable[Note], lines: Sequence[SungLine]) -> list[Note]:
    """Returns the notes of a tune that nobody sings and that do not reach into a line, with a breath before it."""
    breath = context.plan.beat_ticks // 4
    kept: list[Note] = []
    for note in melody:
        if note.syllable is not None:
            continue
        if any(line.start_ticks <= note.start_ticks < line.end_ticks for line in lines):
            continue
        following = min((line.start_ticks for line in lines if line.start_ticks > note.start_ticks), default=None)
        length = (
            note.duration_ticks if following is None else min(note.end_ticks, following - breath) - note.start_ticks
        )
        if length >= min(breath, note.duration_ticks):
            kept.append(replace(note, duration_ticks=length))
    return kept


def _fills(context: Context, room: Room, player: Player, stint: Stint, vocals: VocalPlan) -> list[Note]:
    """Returns a lead instrument's answers in one section: its last words once more, or the hook."""
    plan = context.plan
    start, end = context.span_of(stint)
    key = context.key_of(stint.section)
    bounds = _bounds(player)
    inside = [line for line in vocals.lines if section_of(context, line) is stint.section]
    hook = _hook(context, vocals)
    found: list[Note] = []
    for index, line in enumerate(inside):
        begin, stop = gap_after(context, room, line)
        begin, stop = max(begin, start), min(stop, end)
        if stop - begin < _SHORTEST_BEATS * plan.beat_ticks or not _is_taken(
            context, stint, index, len(inside), stop - begin
        ):
            continue
        random = context.random("fill", stint.section.role, player.part.id, index)
        quotes = hook if len(hook) >= 3 and random.random() < _HOOK_SHARE else list(line.notes)
        said = quotes[:5] if quotes is hook else _last_words(line.notes)
        if len(said) >= 2:
            stop = min(stop, begin + plan.bar_ticks)
            found.extend(answer(context, said, begin, stop, bounds, key, _FILL_VELOCITY))
    return found


def _quotes(context: Context, room: Room, player: Player, stint: Stint, vocals: VocalPlan) -> list[Note]:
    """Returns the hook played every two bars in an interlude that has no tune of its own."""
    plan = context.plan
    start, end = context.span_of(stint)
    sung = any(section_of(context, line) is stint.section for line in vocals.lines)
    if stint.section.role not in _WORDLESS or sung or room.tune.between(start, end):
        return []
    lines = [line for line in vocals.lines if line.role in ("chorus", "drop")] or list(vocals.lines)
    found: list[Note] = []
    for number, begin in enumerate(range(start, end - plan.bar_ticks + 1, 2 * plan.bar_ticks)):
        said = list(lines[number % min(2, len(lines))].notes[:8])
        voices = [n.start_ticks for n in room.voices.between(begin, end)]
        stop = min([begin + 2 * plan.bar_ticks - plan.beat_ticks // 2, *voices])
        if len(said) >= 2:
            key = context.key_of(stint.section)
            low, high = _bounds(player)
            bounds = (low + 4, min(high + 4, instrument(player.instrument).high)) if number % 2 else (low, high)
            found.extend(answer(context, said, begin, stop, bounds, key, _FILL_VELOCITY))
    return found


def _bounds(player: Player) -> tuple[int, int]:
    """Returns the middle octave and a half of a lead's register."""
    what = instrument(player.instrument)
    low, high = max(player.part.register[0], what.low), min(player.part.register[1], what.high)
    middle = (low + high) // 2
    return max(what.low, middle - 9), min(what.high, middle + 9)


def _last_words(notes: Sequence[Note]) -> list[Note]:
    """Returns the last notes of a line that a short answer quotes; of a melisma only its first and last."""
    plain = [n for i, n in enumerate(notes) if i in (0, len(notes) - 1) or n.syllable != notes[i - 1].syllable]
    return plain[-5:]


def _hook(context: Context, vocals: VocalPlan) -> list[Note]:
    """Returns the first notes of the first chorus."""
    for line in vocals.lines:
        if line.role in ("chorus", "drop"):
            return list(line.notes[:5])
    return []


def gap_after(context: Context, room: Room, line: SungLine) -> tuple[int, int]:
    """Returns where instruments may answer a line: from the half beat after it to shortly before the next."""
    half = context.part_ticks
    begin = -(-line.end_ticks // half) * half
    after = [n.start_ticks for n in room.voices.notes if n.start_ticks >= line.end_ticks]
    backing = [n.end_ticks for n in room.voices.between(line.end_ticks, max(line.end_ticks + 1, line.room_ticks))]
    if backing and line.backing:
        begin = max(begin, -(-max(backing) // half) * half)
        after = [tick for tick in after if tick >= begin]
    stop = min(after, default=context.ring_start) - half // 4
    return begin, min(stop, context.ring_start)


def _is_taken(context: Context, stint: Stint, index: int, count: int, length: int) -> bool:
    """Whether an instrument answers after a line: always in long rests, else as often as the style has it.

    The choice depends on the role of the section, so that it returns with it; first verses are left emptier.
    """
    plan = context.plan
    if length >= plan.bar_ticks * 7 // 4:
        return True
    share = context.style.vocals.fills
    if stint.section.role == "verse" and stint.section.occurrence == 0:
        share *= _FIRST_TIME if index < count - 1 else 1.0
    elif stint.section.role in ("chorus", "drop") and context.style.vocals.harmony != "none":
        share *= _CHORUS
    share *= 1.2 if index % 2 else 0.85
    return bool(context.random("fill", stint.section.role, index).random() < share)


def words_of(context: Context, room: Room) -> tuple[tuple[int, int], ...]:
    """Returns (start, end) of each line's words: from its first syllable to shortly after its last stressed one."""
    found = []
    for line in room.lines:
        onsets = [n.start_ticks for n in line.notes if n.syllable in room.stressed]
        onsets = onsets or [n.start_ticks for n in line.notes]
        if onsets:
            found.append((line.start_ticks, onsets[-1] + context.plan.beat_ticks // 4))
    return tuple(found)
