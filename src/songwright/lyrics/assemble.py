"""Turns a request into lines: which parts a song needs, frames with their slots filled, choruses that return.

How frames are chosen is in `plan`; sheets are made in `writer`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from songwright.lyrics.bank import SLOT, SUBJECT_SLOTS, Bank, Frame, load_bank
from songwright.lyrics.plan import Part, Plan, plan_song
from songwright.lyrics.request import LyricRequest, SectionRequest
from songwright.lyrics.sheet import Delivery, LyricLine, Word
from songwright.lyrics.wishes import Wishes, weigh
from songwright.lyrics.words import split_words
from songwright.seeding import generator

ROLE_OF = {
    "intro": "outro", "verse": "verse", "theme": "verse", "head": "verse", "solo": "bridge", "prechorus": "prechorus",
    "build": "prechorus", "chorus": "chorus", "drop": "chorus", "bridge": "bridge", "interlude": "bridge",
    "breakdown": "bridge", "outro": "outro",
}  # fmt: skip
"""Role of the bank for each role of the score."""
RAP_STYLES = ("hip_hop", "trap")
_TERSE = 0.7
"""How long a line of a repetitive song is beside the usual one."""
ARCHAIC = (("zh", "guofeng"),)
"""Languages and styles that ask for old words by themselves."""


@dataclass(frozen=True, slots=True)
class Written:
    """Words of a song.

    Attributes:
        title: of the song, from its hook; may be empty.
        sections: lines of each requested section.
        rapped: for each section, whether it is rapped.
    """

    title: str
    sections: tuple[tuple[str, ...], ...]
    rapped: tuple[bool, ...]


def assemble(request: LyricRequest) -> Written:
    """Returns lines for every section of a request, by the embedded bank.

    Raises:
        InputError: the language has no bank.
    """
    bank = load_bank(request.language)
    wishes = weigh(request, bank)
    roles = [_role(section, request, bank) for section in request.sections]
    keys = _keys(roles)
    archaic = "archaic" in request.traits or (request.language, request.style) in ARCHAIC
    plan = plan_song(_parts(request, roles, keys), bank, wishes, seed=request.seed, archaic=archaic)
    filled = _fill(plan, keys, bank, wishes, request.seed)
    chorus = next((plan.frames[key][0] for key in keys if key == "chorus"), None)
    sections = []
    for key, role, section in zip(keys, roles, request.sections, strict=True):
        lines = filled[key]
        if role == "chorus" and chorus and repeats(request):
            lines = hooked_lines(lines, chorus.hook, section.num_lines)
        elif role == "chorus" and chorus:
            twin = filled.get("chorus twin", lines)
            lines = chorus_lines(lines, twin, chorus.hook, section.num_lines)
        elif role in ("outro", "bridge") and chorus and chorus.hook and repeats(request):
            kept = section.num_lines // 2 if role == "bridge" else 0
            hook = filled["chorus"][chorus.hook[0]]
            lines = [*lines[:kept], *[hook] * (section.num_lines - kept)]
        elif role == "outro" and chorus:
            lines = _outro(lines, filled["chorus"], chorus.hook, section.num_lines)
        sections.append(tuple(lines[: section.num_lines]))
    title = _title(request, chorus)
    return Written(title, tuple(sections), tuple(role == "rap" for role in roles))


def _title(request: LyricRequest, chorus: Frame | None) -> str:
    """Returns the wanted title, else the chorus's; a Russian subject as it stands in a sentence is no title."""
    wanted, own = request.title.strip(), chorus.title.replace("{title}", "") if chorus else ""
    declined = request.language == "ru" and wanted.casefold() == request.subject.strip().casefold()
    return own if own and (declined or not wanted) else wanted


def chorus_lines(lines: Sequence[str], twin: Sequence[str], hook: Sequence[int], num_lines: int) -> list[str]:
    """Returns a chorus of any length: one line is the hook, five end with the last line again, eight have two halves.

    Args:
        lines: the chorus as written.
        twin: its second half, or the same again.
        hook: which lines are the hook.
        num_lines: wanted.
    """
    if num_lines == 1 and hook:
        return [lines[hook[0]]]
    if num_lines <= len(lines):
        return list(lines[:num_lines])
    found = [*lines]
    while num_lines - len(found) >= len(twin):
        found += twin
    rest = num_lines - len(found)
    return [*found, *(lines[len(lines) - rest :] if rest else ())]


def repeats(request: LyricRequest) -> bool:
    """Returns whether a song is wanted that says little, often: by its traits, or because it shall hypnotise."""
    return "repetitive" in request.traits or "hypnotic" in request.moods


def hooked_lines(lines: Sequence[str], hook: Sequence[int], num_lines: int) -> list[str]:
    """Returns a chorus that is its hook, with one other line in four.

    Args:
        lines: the chorus as written.
        hook: which lines are the hook.
        num_lines: wanted.
    """
    main = lines[hook[0]] if hook else lines[0]
    other = next((line for line in lines if line != main), main)
    return [other if index % 4 == 1 else main for index in range(num_lines)]


def _role(section: SectionRequest, request: LyricRequest, bank: Bank) -> str:
    """Returns the bank's role for a section; roles without frames are written as verses."""
    role = ROLE_OF[section.role]
    known = {role for frame in bank.frames for role in frame.roles}
    if role == "verse" and ("rap" in request.traits or request.style in RAP_STYLES) and "rap" in known:
        return "rap"
    if role == "outro" and not any(ROLE_OF[s.role] == "chorus" for s in request.sections):
        return "verse"
    return role if role in known else "verse"


def _keys(roles: Sequence[str]) -> list[str]:
    """Returns what each section sings: choruses, prechoruses and endings the same words, others each their own."""
    keys = []
    for index, role in enumerate(roles):
        returns = role in ("chorus", "prechorus", "outro")
        keys.append(role if returns else f"{role} {roles[: index + 1].count(role)}")
    return keys


def _parts(request: LyricRequest, roles: Sequence[str], keys: Sequence[str]) -> list[Part]:
    parts: dict[str, Part] = {}
    for key, role, section in zip(keys, roles, request.sections, strict=True):
        if section.num_lines < 1:
            continue
        old = parts.get(key)
        num_lines = max(section.num_lines, old.num_lines if old else 0)
        number = int(key.rsplit(" ", 1)[1]) - 1 if " " in key else 0
        first = next(s for s, r in zip(request.sections, roles, strict=True) if r == role)
        syllables = first.syllables * (_TERSE if repeats(request) and role != "rap" else 1.0)
        parts[key] = Part(key, role, num_lines, syllables, number, roles.count(role))
    return sorted(parts.values(), key=lambda part: part.role != "chorus")


def _outro(lines: Sequence[str], chorus: Sequence[str], hook: Sequence[int], num_lines: int) -> list[str]:
    """Returns an ending: lines of the chorus, then the couplet that lets the song go."""
    if num_lines < 2 or not lines:
        return chorus_lines(chorus, chorus, hook, num_lines)
    before = num_lines - len(lines)
    return [*(chorus_lines(chorus, chorus, hook, before) if before > 0 else ()), *lines]


def _fill(plan: Plan, keys: Sequence[str], bank: Bank, wishes: Wishes, seed: int) -> dict[str, list[str]]:
    """Returns the lines of each part with slots filled, no filler twice in the song."""
    frames = dict(plan.frames)
    if frames.get("chorus"):
        twin = _twin(frames["chorus"][0], bank)
        if twin:
            frames["chorus twin"] = (twin,)
    draws = generator(seed, "lyrics", "slots", bank.language)
    used: set[str] = set()
    filled: dict[str, list[str]] = {key: [] for key in keys}
    for key, chosen in frames.items():
        filled[key] = []
        for frame in chosen:
            for line in frame.lines:
                text = line
                for found in SLOT.finditer(line):
                    word = _filler(found[1], found[2] or "", bank, wishes, used, draws.random())
                    used.add(word)
                    text = text.replace(found[0], word, 1)
                filled[key].append(finish(text))
    return filled


def finish(text: str) -> str:
    """Returns a line as lyric sheets print it: a capital at its start, no comma or full stop at its end."""
    text = text.rstrip(" ,.;，。；、")
    return text[:1].upper() + text[1:]


def line_of(text: str, language: str, delivery: Delivery = "sung") -> LyricLine:
    """Returns a line of text as words."""
    return LyricLine(tuple(Word(token.text) for token in split_words(text, language)), delivery=delivery)


def _twin(frame: Frame, bank: Bank) -> Frame | None:
    """Returns another chorus with the same title and metre: its second half."""
    twins = [f for f in bank.frames if f.title == frame.title and f.metre == frame.metre and f.name != frame.name]
    return twins[0] if twins and len(twins[0].lines) == len(frame.lines) else None


def _filler(name: str, template: str, bank: Bank, wishes: Wishes, used: set[str], draw: float) -> str:
    if name == "title":
        return wishes.title
    if name in SUBJECT_SLOTS:
        return next(wishes.subject_for(name, template))
    entries = [entry for entry in bank.slots[name].entries if entry[0] not in used] or list(bank.slots[name].entries)
    worth: Mapping[str, float] = {text: 2.0 * wishes.weight(themes) for text, themes in entries}
    best = max(worth.values())
    good = [text for text, value in worth.items() if value >= best - 0.5]
    return good[int(draw * len(good))]
