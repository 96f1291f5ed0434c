"""Words divided: text without tags into verses and choruses, and long lines into lines that can be sung.

The form follows from what returns: a stanza that comes again is the chorus; a short one that always leads into it is
the prechorus; what stands alone late and looks different is the bridge.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from songwright.errors import InputError
from songwright.lyrics.sheet import LyricLine, LyricSection, LyricSheet, Word
from songwright.lyrics.words import is_han
from songwright.score.song import SectionRole

_LONG_STANZA = 12
_STANZA = 4
_ALIKE = 0.6
_VOWELS = re.compile(
    "[aeiouyàâäáãåæèéêëìíîïòóôöõøœùúûüýÿąęıő]+|[аеёиоуыэюяіїє]|[\u3041-\u3096\u30a1-\u30fa\uac00-\ud7af]|[αεηιουωάέήίόύώ]+"
)


@dataclass(frozen=True, slots=True)
class _Block:
    """A stanza as it is compared.

    Attributes:
        lines: as read.
        keys: the lines without capitals and punctuation.
        parts: how often each word of each line is in it.
    """

    lines: tuple[LyricLine, ...]
    keys: tuple[str, ...]
    parts: Counter[str]


def conclude_sections(blocks: Sequence[Sequence[LyricLine]]) -> list[LyricSection]:
    """Returns sections with roles for stanzas that carry no tags.

    Args:
        blocks: the lines between blank lines; none empty.
    """
    stanzas = [list(block) for block in blocks]
    if len(stanzas) >= 6 and all(len(block) == 1 for block in stanzas):
        stanzas = [[line for block in stanzas for line in block]]
    if len(stanzas) == 1 and len(stanzas[0]) >= _LONG_STANZA:
        stanzas = _cut(stanzas[0])
    found = [_block(lines) for lines in _parted(stanzas)]
    return [LyricSection(role, block.lines) for role, block in zip(_roles(found), found, strict=True)]


def _key(line: LyricLine) -> str:
    return " ".join(key for word in line.words if (key := re.sub(r"[\W_]", "", word.text.casefold())))


def _block(lines: Sequence[LyricLine]) -> _Block:
    keys = tuple(_key(line) for line in lines)
    return _Block(tuple(lines), keys, Counter(word for key in keys for word in key.split()))


def _cut(lines: list[LyricLine]) -> list[list[LyricLine]]:
    """Returns one long stanza in pieces: around the longest passage that returns, and in fours elsewhere."""
    keys = [_key(line) for line in lines]
    places = _returning(keys)
    pieces: list[list[LyricLine]] = []
    at = 0
    for start, end in [*places, (len(lines), len(lines))]:
        rest = lines[at:start]
        while rest:
            size = _STANZA if len(rest) != _STANZA + 1 and len(rest) != _STANZA + 2 else len(rest)
            pieces.append(rest[:size])
            rest = rest[size:]
        if end > start:
            pieces.append(lines[start:end])
        at = end
    return pieces


def _returning(keys: Sequence[str]) -> list[tuple[int, int]]:
    """Returns where the longest passage of two to eight lines stands that comes at least twice."""
    for size in range(8, 1, -1):
        seen: dict[tuple[str, ...], list[int]] = {}
        for start in range(len(keys) - size + 1):
            passage = tuple(keys[start : start + size])
            if len(set(passage)) > 1 or size == 2:
                places = seen.setdefault(passage, [])
                if not places or start >= places[-1] + size:
                    places.append(start)
        most = max(seen.values(), key=lambda places: (len(places), -places[0]), default=[])
        if len(most) >= 2 and len(most) * size < len(keys):
            return [(start, start + size) for start in most]
    return []


def _parted(stanzas: list[list[LyricLine]]) -> list[list[LyricLine]]:
    """Returns the stanzas, those cut in two that begin or end with another whole one."""
    keyed = [([_key(line) for line in stanza], stanza) for stanza in stanzas]
    wholes = {tuple(keys) for keys, _ in keyed if len(keys) >= 2}
    sizes = sorted({len(whole) for whole in wholes}, reverse=True)
    out: list[list[LyricLine]] = []
    for keys, stanza in keyed:
        size = next((n for n in sizes if n <= len(keys) - 2 and tuple(keys[-n:]) in wholes), 0)
        head = next((n for n in sizes if n <= len(keys) - 2 and tuple(keys[:n]) in wholes), 0)
        at = len(keys) - size if size else head
        out += [stanza[:at], stanza[at:]] if at else [stanza]
    return out


def _alike(a: _Block, b: _Block) -> bool:
    """Whether two stanzas are one that returns, exactly or nearly: the same lines or words for the greater part."""
    if a.keys == b.keys:
        return True
    longer, shorter = max(len(a.lines), len(b.lines)), min(len(a.lines), len(b.lines))
    if shorter * 2 < longer:
        return False
    same_lines = sum((Counter(a.keys) & Counter(b.keys)).values())
    if same_lines >= _ALIKE * longer:
        return True
    words = sum((a.parts & b.parts).values())
    in_place = sum(x == y for x, y in zip(a.keys, b.keys, strict=False))
    return in_place * 2 >= longer and words >= 0.7 * max(1, max(a.parts.total(), b.parts.total()))


def _groups(blocks: Sequence[_Block]) -> list[int]:
    """Returns for each stanza the number of the first that it is like."""
    firsts: list[int] = []
    out: list[int] = []
    for i, block in enumerate(blocks):
        match = next((f for f in firsts if _alike(blocks[f], block)), None)
        if match is None:
            firsts.append(i)
        out.append(i if match is None else match)
    return out


def _roles(blocks: Sequence[_Block]) -> list[SectionRole]:
    groups = _groups(blocks)
    counts = Counter(groups)
    returning = [g for g in counts if counts[g] > 1 and not _is_frame(g, groups, blocks)]
    if not returning:
        return _roles_by_shape(blocks)
    chorus = max(returning, key=lambda g: (counts[g], _leads_into(g, groups), len(blocks[g].lines) > 2, g))
    before = [groups[i - 1] for i, g in enumerate(groups) if g == chorus and i]
    if len(set(before)) == 1 and len(before) == counts[chorus] and counts[before[0]] == counts[chorus]:
        lead = before[0]
    else:
        lead = -1
    roles: list[SectionRole] = []
    for group in groups:
        role: SectionRole = "chorus" if group == chorus else "prechorus" if group == lead else "verse"
        after = [groups[i + 1] for i, g in enumerate(groups) if g == group and i + 1 < len(groups)]
        if role == "verse" and counts[group] > 1 and chorus in after and len(blocks[group].lines) <= 3:
            role = "prechorus"
        elif role == "verse" and group in returning and _follows(group, chorus, groups):
            role = "chorus"
        roles.append(role)
    return _refined(blocks, groups, roles)


def _leads_into(group: int, groups: Sequence[int]) -> bool:
    """Whether this stanza comes straight after another returning one each time: the chorus follows its prechorus."""
    before = {groups[i - 1] for i, g in enumerate(groups) if g == group and i and groups[i - 1] != group}
    return len(before) == 1 and groups.count(next(iter(before))) > 1


def _follows(group: int, chorus: int, groups: Sequence[int]) -> bool:
    return all(i and groups[i - 1] in (chorus, group) for i, g in enumerate(groups) if g == group)


def _is_frame(group: int, groups: Sequence[int], blocks: Sequence[_Block]) -> bool:
    """Whether a stanza only opens and closes the song, while another one returns inside it."""
    places = [i for i, g in enumerate(groups) if g == group]
    others = Counter(g for g in groups if g != group)
    return places == [0, len(groups) - 1] and len(blocks) > 3 and any(n > 1 for n in others.values())


def _refined(blocks: Sequence[_Block], groups: Sequence[int], roles: list[SectionRole]) -> list[SectionRole]:
    """Returns the roles with introduction, prechoruses of changing words, bridge and ending found among the verses."""
    out = list(roles)
    sizes = [len(blocks[i].lines) for i, role in enumerate(roles) if role == "verse"]
    usual = max(sizes, default=0)
    last = len(blocks) - 1
    for i, role in enumerate(roles):
        if role != "verse":
            continue
        size = len(blocks[i].lines)
        short = size * 2 <= usual
        if i == 0 and short and last > 1:
            out[i] = "intro"
        elif i == last and ((short and "chorus" in roles[:i]) or (groups[i] == 0 and size <= 2)):
            out[i] = "outro"
        elif short and i < last and roles[i + 1] == "chorus" and roles[i - 1] == "verse":
            out[i] = "prechorus"
        elif roles[:i].count("chorus") >= 2 and roles[i - 1] == "chorus" and i < last and not _is_verse(i, blocks, out):
            out[i] = "bridge"
    return out


def _is_verse(index: int, blocks: Sequence[_Block], roles: Sequence[SectionRole]) -> bool:
    """Whether a stanza has the shape of the first verse: as many lines, of about the same length."""
    first = next((i for i, role in enumerate(roles) if role == "verse"), index)
    return first != index and _same_shape(blocks[first], blocks[index], 0.25)


def _same_shape(a: _Block, b: _Block, tolerance: float) -> bool:
    mine, other = _mean_length(a), _mean_length(b)
    return len(a.lines) == len(b.lines) and abs(mine - other) <= tolerance * max(mine, other)


def _mean_length(block: _Block) -> float:
    return sum(estimate_syllables(line.words) for line in block.lines) / max(1, len(block.lines))


def _roles_by_shape(blocks: Sequence[_Block]) -> list[SectionRole]:
    """Returns roles where nothing returns: a stanza that repeats its own lines or how they begin is a chorus.

    Without one all are verses.
    Two stanzas of different shape are verse and chorus.
    """
    if len(blocks) > 1:
        for repeats in (_repeats_line, _repeats_opening):
            own = [repeats(block) for block in blocks]
            if any(own) and 2 * sum(own) <= len(own):
                return ["chorus" if mine else "verse" for mine in own]
    if len(blocks) == 2 and min(len(b.lines) for b in blocks) > 1 and not _same_shape(blocks[0], blocks[1], 0.2):
        return ["verse", "chorus"]
    return ["verse"] * len(blocks)


def _repeats_line(block: _Block) -> bool:
    return len(set(block.keys)) < len(block.keys)


def _repeats_opening(block: _Block) -> bool:
    """Whether half of the lines, and no less than two, begin with the same two words, or two words come three times."""
    openings = Counter(tuple(key.split()[:2]) for key in block.keys)
    pairs = Counter(pair for key in block.keys for pair in pairwise(key.split()) if not is_han(pair[0][:1]))
    return max(openings.values()) >= max(2, len(block.keys) / 2) or max(pairs.values(), default=0) >= 3


def estimate_syllables(words: Sequence[Word]) -> int:
    """Returns about how many syllables words have: their own where sounds are known, else by letters."""
    return sum(len(word.syllables) or _estimate(word.text) for word in words)


def _estimate(text: str) -> int:
    han = sum(map(is_han, text))
    plain = text.casefold()
    vowels = len(_VOWELS.findall(plain))
    if re.search(r"[a-z]{2}[^aeiouyl\W]e\W*$", plain) and vowels > 1:
        vowels -= 1
    digits = sum(c.isdigit() for c in text)
    return max(1, han + vowels + digits) if any(c.isalnum() for c in text) else 0


def divide_long_lines(sheet: LyricSheet, most_syllables: int) -> LyricSheet:
    """Returns the sheet with longer lines divided at punctuation, or between words, into parts of like length.

    Works with the syllables of words, or an estimate where their sounds are not known. A single word is never divided;
    no word is lost. Backing words stay with the last part; times of words go with them.

    Args:
        sheet: any sheet.
        most_syllables: of one line, at least 1.

    Raises:
        InputError: `most_syllables` is below 1.
    """
    if most_syllables < 1:
        raise InputError(f"most_syllables is {most_syllables}; expected 1 or more")
    sections = tuple(
        replace(section, lines=tuple(part for line in section.lines for part in _divided(line, most_syllables)))
        for section in sheet.sections
    )
    return replace(sheet, sections=sections)


def _divided(line: LyricLine, most: int) -> list[LyricLine]:
    counts = [estimate_syllables((word,)) for word in line.words]
    total = sum(counts)
    if total <= most or len(counts) < 2:
        return [line]
    ends = _best_ends(line.words, counts, most)
    parts: list[LyricLine] = []
    start = 0
    for end in ends:
        seconds = line.word_seconds[start:end]
        begin = line.start_seconds if start == 0 else seconds[0] if seconds else None
        backing = line.backing if end == len(counts) else ()
        parts.append(LyricLine(line.words[start:end], backing, line.delivery, begin, seconds))
        start = end
    return parts


def _best_ends(words: Sequence[Word], counts: Sequence[int], most: int) -> list[int]:
    """Returns where the parts of a line end: the cheapest way by dynamic programming.

    A part costs its distance from the ideal length; a cut between words that no sign divides costs more.
    """
    ideal = sum(counts) / -(-sum(counts) // most)
    sums = [0]
    for count in counts:
        sums.append(sums[-1] + count)
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(counts) + 1):
        options: list[tuple[float, int]] = []
        for start in range(end - 1, -1, -1):
            size = sums[end] - sums[start]
            if size > most and end - start > 1:
                break
            cost = best[start][0] + ((size - ideal) / ideal) ** 2 + 0.05
            options.append((cost + (0.0 if end == len(counts) else _cut_cost(words[end - 1].text)), start))
        best.append(min(options))
    ends: list[int] = []
    at = len(counts)
    while at:
        ends.append(at)
        at = best[at][1]
    return ends[::-1]


def _cut_cost(text: str) -> float:
    tail = text.rstrip("\"'”’»）)")[-1:]
    if tail in ".!?;:。！？；：…—–":
        return 0.0
    return 0.05 if tail in ",，、-" else 0.6
