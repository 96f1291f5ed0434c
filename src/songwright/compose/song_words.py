"""The words of a song before it has notes: read, completed or written, sounded, and the sections they make.

Reading, writing and sounding are in `lyrics`; here is what a composer asks of them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from songwright.brief.brief import Brief
from songwright.compose.form import choose_key, plan_form
from songwright.compose.lyric_form import (
    CRAMPED,
    LANGUAGE_RATES,
    PHRASE_SECONDS,
    PHRASE_SECONDS_SPOKEN,
    RATES,
    SUNG_SHARE,
    UNITS,
    FormFrame,
)
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Style
from songwright.errors import InputError
from songwright.lyrics.read import read_lyrics
from songwright.lyrics.request import LyricRequest, SectionRequest
from songwright.lyrics.sheet import LyricLine, LyricSection, LyricSheet
from songwright.score.theory import Key, pitch_class
from songwright.score.voices import VOICE_TYPES
from songwright.seeding import generator

WORDED = ("verse", "prechorus", "chorus", "bridge", "theme", "head", "drop")
"""Roles that have words when the program writes them; theme, head and drop only where there is no other refrain."""
RAP_STYLES = ("hip_hop", "trap")
RAP_ROLES = ("verse",)
FEWEST, MOST = {"sung": 4.0, "rap": 8.0}, {"sung": 11.0, "rap": 12.0}
"""Syllables in a line that the writer is asked for."""
MOST_CHARACTERS = 10.0
"""The same of a sung line in Mandarin."""
MOST_LINES = 8


@dataclass(frozen=True, slots=True)
class SongWords:
    """Words ready to be laid out.

    Attributes:
        sheet: sounded.
        frame: tempo and key, and whether the form was planned before the words.
        notes: what the person should know.
    """

    sheet: LyricSheet
    frame: FormFrame | None
    notes: tuple[str, ...] = ()


def song_words(brief: Brief, style: Style, voice_type: str) -> SongWords:
    """Returns the words of a song: those of the brief, completed where parts are empty, or newly written ones.

    Args:
        brief: lyrics, language, subject, moods.
        style: decides the form that new words are written for, and whether verses are rapped.
        voice_type: whose range the key suits where nobody said one.

    Raises:
        InputError: the lyrics hold nothing that can be sung.
        SpeechError: espeak failed while sounds were looked up.
    """
    from songwright.lyrics.phonetics import sound_out

    given = read_lyrics(brief.lyrics, language=brief.lyrics_language) if brief.lyrics.strip() else None
    if given is None:
        return _written(brief, style, voice_type)
    notes = list(given.notes)
    sheet = given
    if is_half_written(given):
        from songwright.lyrics.writer import complete_lyrics

        plan = plan_form(brief, style)
        sheet = complete_lyrics(given, request_for(brief, style, plan, language=given.language))
        sheet = replace(sheet, notes=tuple(note for note in sheet.notes if "no words" not in note))
        notes = []
    sheet = sound_out(_delivered(sheet, brief, style))
    notes += [note for note in sheet.notes if note not in notes]
    if not any(line.syllables for line in sheet.lines()):
        raise InputError("the lyrics hold nothing that can be sung: expected lines of words, found only tags or signs")
    return SongWords(sheet, None, tuple(notes))


def is_half_written(sheet: LyricSheet) -> bool:
    """Returns whether a sheet leaves a sung part empty that has no words anywhere in it, e.g. ``[chorus]`` alone."""
    filled = {section.role for section in sheet.sections if section.lines}
    empty = {section.role for section in sheet.sections if not section.lines}
    return bool((empty & {"verse", "prechorus", "chorus", "bridge"}) - filled)


def voiced_key(brief: Brief, style: Style, voice_type: str) -> Key:
    """Returns the song's key: what was said, else one of the style's whose tonic lies well for the voice.

    A tune rests well where its tonic is near the bottom of the tessitura (the tune above it) or near its middle (the
    tune around it).
    """
    key = choose_key(brief, style)
    if brief.origin("key") == "said" or brief.key.strip():
        return key
    low, high = VOICE_TYPES[voice_type].tessitura

    def far(tonic: int) -> float:
        homes = [p for p in range(low - 6, high + 1) if p % 12 == tonic]
        return float(min(min(abs(p - low - 1), abs(p - (low + high) / 2 - 1)) for p in homes))

    usual = sorted({pitch_class(name) for name in style.tonics})
    near = [tonic for tonic in usual if far(tonic) <= 2.0] or sorted(range(12), key=far)[:3]
    random = generator(brief.seed, "words", "key", style.name)
    return Key(near[int(random.integers(len(near)))], key.mode)


# --- words that the program writes -----------------------------------------------------------------------------------


def _written(brief: Brief, style: Style, voice_type: str) -> SongWords:
    from songwright.lyrics.phonetics import sound_out
    from songwright.lyrics.writer import write_lyrics

    plan = plan_form(brief, style)
    request = request_for(brief, style, plan)
    sheet = write_lyrics(request)
    merged = _merged(plan, sheet, request)
    sheet = sound_out(_delivered(replace(sheet, sections=merged), brief, style))
    frame = FormFrame(
        plan.tempo_bpm, voiced_key(brief, style, voice_type), True, tuple(section.energy for section in plan.sections)
    )
    return SongWords(sheet, frame, sheet.notes)


def request_for(brief: Brief, style: Style, plan: SongPlan, *, language: str = "") -> LyricRequest:
    """Returns what the writer is asked for: lines of each sung section, all of a role alike, and their length.

    Args:
        brief: subject, moods, language.
        style: of the song.
        plan: its form.
        language: of words that are already there; empty takes the brief's.
    """
    language = language or brief.lyrics_language or brief.language
    bar_seconds = plan.bar_ticks / 960 * 60 / plan.tempo_bpm
    rows = []
    for section in worded(plan):
        rap = _raps(section.role, brief, style)
        phrase = PHRASE_SECONDS_SPOKEN if rap else PHRASE_SECONDS
        unit, lines = _unit(section, plan, bar_seconds, phrase, most=16 if rap else MOST_LINES)
        delivery = "rap" if rap else "sung"
        rate = RATES[delivery] * LANGUAGE_RATES.get(language, 1.0) * (0.9 if section.role == "chorus" else 1.0)
        wanted = rate * unit * bar_seconds * SUNG_SHARE * min(1.3, max(0.8, style.melody.density))
        most = MOST_CHARACTERS if language == "zh" and not rap else MOST[delivery]
        syllables = min(max(wanted, FEWEST[delivery]), most)
        rows.append(SectionRequest(section.role, lines, round(syllables, 1), unit))
    traits = (*brief.traits, "rap") if any(_raps(s.role, brief, style) for s in worded(plan)) else brief.traits
    title = brief.title if brief.origin("title") == "said" else ""
    return LyricRequest(
        language=language, subject=brief.subject, title=title, moods=brief.moods, images=brief.images,
        style=style.name, prompt=brief.prompt, sections=tuple(rows), traits=tuple(dict.fromkeys(traits)),
        seed=int(generator(brief.seed, "words", "lyrics", style.name, brief.prompt).integers(1 << 31)),
    )  # fmt: skip


def worded(plan: SongPlan) -> tuple[SectionPlan, ...]:
    """Returns the sections of a planned form that get words."""
    roles = {s.role for s in plan.sections}
    unsung = {"theme", "head", "drop"} if "chorus" in roles else {"drop"} if roles & {"theme", "head"} else set()
    sung = [s for s in plan.sections if s.role in WORDED and s.role not in unsung]
    body = [s for s in sung if s.num_bars >= 2]
    return tuple(body or [max(plan.sections, key=lambda s: s.num_bars)])


def _unit(section: SectionPlan, plan: SongPlan, bar_seconds: float, phrase: float, *, most: int) -> tuple[int, int]:
    """Returns bars of a line of about `phrase` seconds, and how many lines the sections of this role have words for."""
    cramped = 0.0 if phrase == PHRASE_SECONDS_SPOKEN else CRAMPED
    unit = min(UNITS, key=lambda u: (abs(math.log(u * bar_seconds / phrase)) + cramped * (u == 1), u))
    bars = [s.num_bars for s in plan.sections if s.role == section.role]
    length = min(bars) if section.role in ("chorus", "drop", "prechorus", "theme", "head") else section.num_bars
    while max(bars) // unit > most and 2 * unit in UNITS and length // (2 * unit) >= 2:
        unit *= 2  # slow and long: lines over more bars rather than half a section without words
    while unit > 1 and length // unit < 2:
        unit //= 2
    lines = max(1, min(most, length // unit))
    return unit, lines - (lines % 2 if lines > 2 else 0)


def _merged(plan: SongPlan, sheet: LyricSheet, request: LyricRequest) -> tuple[LyricSection, ...]:
    """Returns the sections of the plan with their words; what is longer than its words sings them again."""
    written = [section for section in sheet.sections if section.lines]
    sung = worded(plan)
    by_role: dict[str, list[LyricSection]] = {}
    for section in written:
        by_role.setdefault(section.role, []).append(section)
    counts: dict[str, int] = {}
    units = {s.label: row.chosen_bars for s, row in zip(sung, request.sections, strict=True)}
    found = []
    for place in plan.sections:
        rows = by_role.get(place.role, [])
        if place not in sung or not rows:
            found.append(LyricSection(place.role, (), place.label, place.num_bars))
            continue
        seen = counts.get(place.role, 0)
        counts[place.role] = seen + 1
        lines = rows[min(seen, len(rows) - 1)].lines
        times = max(1, place.num_bars // (len(lines) * units[place.label]))
        repeats = times if place.role in ("chorus", "drop", "theme", "head") else 1
        found.append(LyricSection(place.role, lines * repeats, place.label, place.num_bars))
    return tuple(found)


def _raps(role: str, brief: Brief, style: Style) -> bool:
    if "sung" in brief.traits:
        return False
    return role in RAP_ROLES and (style.name in RAP_STYLES or "rap" in brief.traits)


def _delivered(sheet: LyricSheet, brief: Brief, style: Style) -> LyricSheet:
    """Returns the sheet with the verses of hip-hop rapped, unless its lines say how they are delivered."""
    if any(line.delivery != "sung" for line in sheet.lines()):
        return sheet
    sections = [
        replace(s, lines=_rapped(s.lines)) if s.lines and _raps(s.role, brief, style) else s for s in sheet.sections
    ]
    return replace(sheet, sections=tuple(sections))


def _rapped(lines: Sequence[LyricLine]) -> tuple[LyricLine, ...]:
    return tuple(replace(line, delivery="rap") for line in lines)
