"""Rows of text as sections of lines: `read_sections`. Tags, parentheses, repeats, ways of singing, credits.

Text without any tags is handed to `divide`; single tags are read in `tags`, formats with times in `rows`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from songwright.lyrics.divide import conclude_sections
from songwright.lyrics.rows import Row
from songwright.lyrics.sheet import Delivery, LyricLine, LyricSection, Word, join_words
from songwright.lyrics.tags import MAX_REPEATS, Tag, normal, parse_tag, parse_times, tag_words
from songwright.lyrics.words import Token, has_words, is_han, split_words, take_groups

MAX_LINES = 200
"""Sung lines of one song; more would not fit into a quarter of an hour."""

MAX_LINE = 4000
"""Characters of one row; more is no line of a song."""

_BRACKETS = re.compile(r"^[\[【［〔]([^\[\]【】［］〔〕]*)[\]】］〕]\s*[:：]?\s*(.*)$")
_INLINE = re.compile(r"[\[【［〔][^\[\]【】［］〔〕]*[\]】］〕]")
_STRAY = re.compile(r"[\[\]【】［］〔〕]")
_PAREN_LINE = re.compile(r"^[(（]([^()（）]*)[)）][\s:：]*$")
_PAREN_START = re.compile(r"^[(（]([^()（）]*)[)）]\s*(\S.*)$")
_COLON = re.compile(r"^([^:：]{1,40})[:：]\s*(.*)$")
_TAIL_TIMES = re.compile(r"(?:\s+|(?<=[^\w\s])|(?<=[\u3400-\u9fff]))([x×хХX✕]\d{1,2}|\d{1,2}[x×хХX✕])\s*[.!]?$")
_MARKDOWN = re.compile(r"^(?:#{1,6}\s+|>\s+)")
_BOLD = re.compile(r"^(\*\*|__)(?=\S)(.+?)(?<=\S)\1$")
_STAR = re.compile(r"^\*(?=\S)([^*]+)(?<=\S)\*$")
_BY = re.compile(
    r"^(lyrics|music|words|written|composed|produced|arranged)( (and|&) (music|lyrics|produced|composed))? by\b", re.I
)
_NUMBER = re.compile(r"[(（]?\d{1,2}[.)）、]")
_NUMBERED = re.compile(r"^\d{1,2}[.)]\s+(?=[^\W\d_])")
_BULLET = re.compile(r"^(?:[-–—•]\s+|[•●▪]\s*)")


@dataclass
class _Draft:
    """A section that is being read; without a tag it is concluded later."""

    tag: Tag | None
    blocks: list[list[LyricLine]] = field(default_factory=lambda: [[]])

    @property
    def lines(self) -> list[LyricLine]:
        return [line for block in self.blocks for line in block]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What the rows say.

    Attributes:
        sections: in order.
        title: if the text names one.
        notes: what the person should know.
    """

    sections: tuple[LyricSection, ...]
    title: str
    notes: tuple[str, ...]


def is_tag_row(text: str) -> bool:
    """Returns whether a row is a tag in brackets, of whatever meaning."""
    found = _BRACKETS.match(text)
    return found is not None and not found.group(2)


def read_sections(rows: Sequence[Row], language: str) -> Parsed:
    """Returns the sections, title and notes of a text.

    Args:
        rows: cleaned lines.
        language: decides where words end.
    """
    reader = _Reader(rows, language)
    for i, row in enumerate(rows):
        reader.read(i, row)
    return reader.finish()


class _Reader:
    """Goes through the rows once and keeps what is open.

    Args:
        rows: all rows.
        language: decides where words end.
    """

    def __init__(self, rows: Sequence[Row], language: str) -> None:
        self._rows = rows
        self._language = language
        self._drafts: list[_Draft] = [_Draft(None)]
        self._title = ""
        self._notes: dict[str, None] = {}
        self._count = 0
        self._cut = 0
        self._open_group = False
        tags = [
            _strict_tag(r.text) or (_bare_tag(r.text) if self._may_be_bare(i) else None) for i, r in enumerate(rows)
        ]
        names = [tag.kind for tag in tags if tag]
        self._only_choruses = "verse" not in names and "rap" not in names and names.count("chorus") >= 2

    def read(self, index: int, row: Row) -> None:
        """Takes one row."""
        if len(row.text) > MAX_LINE:
            self._note(f"a line of {len(row.text)} characters is sung up to {MAX_LINE}: divide it into lines")
            row = replace(row, text=row.text[:MAX_LINE].rsplit(" ", 1)[0])
        text = _MARKDOWN.sub("", row.text)
        heading = text != row.text and row.text.startswith("#")
        bold = _BOLD.match(text)
        if bold:
            text = bold.group(2)
        if text != row.text:
            row = replace(row, text=text, marks=())
        if not has_words(text):
            if not text.strip("-–—_*=~. ") or not text:
                self._blank()
            return
        if _NUMBER.fullmatch(text):
            self._blank()
            return
        if (numbered := _NUMBERED.match(text)) and (index == 0 or not self._rows[index - 1].text):
            row = _tail(row, text[numbered.end() :])
            text = row.text
        if self._is_header(text, heading=heading) or self._take_tag(index, row):
            return
        times = parse_times(text.strip("()（） ")) if len(text) < 24 else None
        if times and self._current.lines:
            self._repeat_block(times)
        else:
            self._take_line(row)

    @property
    def _current(self) -> _Draft:
        return self._drafts[-1]

    def _note(self, text: str) -> None:
        self._notes.setdefault(text)

    def _blank(self) -> None:
        self._open_group = False
        draft = self._current
        if draft.tag is None:
            if draft.blocks[-1]:
                draft.blocks.append([])
        elif (draft.tag.instrumental and not draft.lines) or (
            self._only_choruses and draft.tag.kind == "chorus" and draft.lines
        ):
            self._drafts.append(_Draft(None))

    def _is_header(self, text: str, *, heading: bool) -> bool:
        """Whether this row is a title or a credit before the first words."""
        if self._count or any(draft.tag for draft in self._drafts):
            return False
        found = _COLON.match(text)
        name = normal(found.group(1)) if found else ""
        if found and name in tag_words("title") and has_words(found.group(2)):
            self._title = self._title or _as_title(found.group(2))
            return True
        if heading and not self._title and parse_tag(text.strip("[]【】 :：")) is None:
            self._title = _as_title(text)
            return True
        if (found and name in tag_words("credits") and found.group(2)) or _BY.match(text):
            self._note(f"kept out of the singing: '{text[:60]}'")
            return True
        return False

    def _take_tag(self, index: int, row: Row) -> bool:
        """Takes a row that begins with a tag; what follows the tag on its line is read as a line."""
        found = _BRACKETS.match(row.text)
        if found:
            tag, rest = parse_tag(found.group(1)), found.group(2)
            if tag is None and rest and has_words(rest) and (way := _way(found.group(1))):
                self._take_line(_tail(row, rest), way)
            elif tag is None:
                self._unknown(found.group(1))
                if has_words(rest) and not self._take_tag(index, _tail(row, rest)):
                    self._take_line(_tail(row, rest))
            elif has_words(rest) and tag.delivery != "sung":
                self._take_line(_tail(row, rest), tag.delivery)
            else:
                self._open(tag, found.group(1))
                times = parse_times(rest.strip("()（） "))
                if times:
                    self._drafts[-1].tag = replace(tag, times=times)
                elif has_words(rest):
                    self._take_line(_tail(row, rest))
            return True
        tag = _strict_tag(row.text) or (_bare_tag(row.text) if self._may_be_bare(index) else None)
        if tag is not None:
            self._open(tag, row.text)
            return True
        start = _PAREN_START.match(row.text)
        if start and (way := _way(start.group(1))):
            self._take_line(_tail(row, start.group(2)), way)
            return True
        return self._take_named(row)

    def _take_named(self, row: Row) -> bool:
        """Takes a row such as ``Chorus: la la``, ``spoken: hello`` or ``男：你好``."""
        found = _COLON.match(row.text)
        if not found or not has_words(found.group(2)):
            return False
        name, rest = found.groups()
        if (way := _way(name)) is not None:
            self._take_line(_tail(row, rest), way)
            return True
        if normal(name) in tag_words("speakers"):
            self._note(f"who sings is not read from the lyrics: '{name.strip()}:' left out")
            self._take_line(_tail(row, rest))
            return True
        tag = parse_tag(name)
        if tag is None or tag.description or not tag.bare or tag.kind not in ("verse", "chorus", "prechorus", "bridge"):
            return False
        self._open(tag, name)
        self._take_line(_tail(row, rest))
        return True

    def _may_be_bare(self, index: int) -> bool:
        """Whether a row may be a tag without brackets: after a blank one, or if it can be nothing else."""
        text = self._rows[index].text
        if index == 0 or not self._rows[index - 1].text:
            return True
        tag = parse_tag(text) if len(text) <= 24 and (text[:1].isupper() or is_han(text[:1])) else None
        return tag is not None and tag.always and not tag.description

    def _open(self, tag: Tag, written: str) -> None:
        self._open_group = False
        if tag.description:
            self._note(
                f"[{' '.join(written.split())[:80]}] is read as {tag.role}; not followed: {tag.description[:80]}"
            )
        self._drafts.append(_Draft(tag))

    def _unknown(self, text: str) -> None:
        text = " ".join(text.split())
        if normal(text.strip("()")) and text:
            self._note(f"[{text[:60]}] is no section that is known: kept out of the singing")

    def _repeat_block(self, times: int) -> None:
        """Sings the open section (or stanza, where there are no tags) again."""
        draft = self._current
        if draft.tag is not None:
            draft.tag = replace(draft.tag, times=min(MAX_REPEATS, draft.tag.times * times))
            return
        block = next(block for block in reversed(draft.blocks) if block)
        for _ in range(times - 1):
            draft.blocks += [[self._kept(_untimed(line)) for line in block if self._has_room()]]
        draft.blocks.append([])

    def _has_room(self) -> bool:
        self._cut += self._count >= MAX_LINES
        return self._count < MAX_LINES

    def _kept(self, line: LyricLine) -> LyricLine:
        self._count += 1
        return line

    def _take_line(self, row: Row, delivery: Delivery | None = None) -> None:
        """Takes words that are sung, or lines where slashes divide a row."""
        parts = [p for p in re.split(r"(?:(?<=\s)|^)(?:/{1,2}|\|)(?=\s|$)", row.text) if has_words(p)]
        if len(parts) > 1:
            for i, part in enumerate(parts):
                self._take_one(Row(part.strip(), row.start_seconds if i == 0 else None), delivery)
        elif parts:
            self._take_one(row, delivery)

    def _take_one(self, row: Row, delivery: Delivery | None) -> None:
        bullet = _BULLET.match(row.text)
        if bullet:
            row = _tail(row, row.text[bullet.end() :])
        for aside in _INLINE.findall(row.text):
            self._unknown(aside[1:-1])
        text = _STRAY.sub(" ", _INLINE.sub(lambda m: " " * len(m.group()), row.text))
        text, groups, still_open = take_groups(text, inside=self._open_group)
        self._open_group = still_open
        times = 1
        backing: list[Word] = []
        for group in (found.replace("*", " ").lstrip(" :：").rstrip() for found in groups):
            if (asked := parse_times(group)) is not None:
                times = min(MAX_REPEATS, times * asked)
            elif normal(group.rstrip(":：")) in tag_words("speakers") and (
                is_han(group[:1]) or group.lower() in ("male", "female")
            ):
                self._note(f"who sings is not read from the lyrics: '({group})' left out")
            else:
                group, again = _take_tail(group)
                tokens = [token for token in split_words(group, self._language) if has_words(token.text)]
                backing += [Word(token.text) for token in tokens] * again
        text, again = _take_tail(text)
        times = min(MAX_REPEATS, times * again)
        text = re.sub(r"^[\s:：]+", lambda m: " " * len(m.group()), text)
        if _STAR.match(text.strip()):
            text, delivery = text.replace("*", " "), delivery or "spoken"
        tokens = [token for token in split_words(text, self._language) if has_words(token.text)]
        words = tuple(Word(token.text) for token in tokens)
        self._add(words, self._rejoined(tuple(backing)), row, tokens, delivery, times)

    def _rejoined(self, words: tuple[Word, ...]) -> tuple[Word, ...]:
        """Returns words from several parentheses as they are when they stand in one."""
        return tuple(Word(token.text) for token in split_words(join_words(words), self._language))

    def _add(
        self,
        words: tuple[Word, ...],
        backing: tuple[Word, ...],
        row: Row,
        tokens: list[Token],
        delivery: Delivery | None,
        times: int,
    ) -> None:
        draft = self._current
        block = draft.blocks[-1]
        if not words and backing and block:
            block[-1] = replace(block[-1], backing=self._rejoined(block[-1].backing + backing))
            return
        if not words and not backing:
            if times > 1 and draft.lines:
                self._repeat_block(times)
            return
        way: Delivery = delivery or (draft.tag.delivery if draft.tag else "sung")
        seconds = _word_seconds(tokens, row) if words else ()
        line = LyricLine(words or backing, backing if words else (), way, row.start_seconds, seconds)
        for i in range(times):
            if self._has_room():
                block.append(self._kept(line if i == 0 else _untimed(line)))

    def finish(self) -> Parsed:
        """Returns everything, empty sections filled, repeats sung out."""
        tagged = any(draft.tag for draft in self._drafts)
        sections: list[LyricSection] = []
        sung: dict[str, tuple[LyricLine, ...]] = {}
        for place, draft in enumerate(self._drafts):
            if draft.tag is None:
                blocks = [block for block in draft.blocks if block]
                if not blocks:
                    continue
                first = tagged and place == 0 and not self._only_choruses
                if (
                    tagged
                    and place == 0
                    and not self._title
                    and len(blocks[0]) == 1
                    and len(draft.blocks) > 1
                    and len(blocks) == 1
                ):
                    self._title = _as_title(blocks[0][0].text)
                    continue
                sections += conclude_sections(blocks) if not tagged else _untagged(blocks, first=first)
                continue
            sections += self._sections(draft.tag, tuple(draft.lines), sung)
        if self._cut:
            self._note(f"only the first {MAX_LINES} lines are sung: {self._cut} more would make the song too long")
        if sections and not any(section.lines for section in sections):
            self._note("no words in these lyrics: the song is instrumental")
        return Parsed(tuple(sections), self._title, tuple(self._notes))

    def _sections(
        self, tag: Tag, lines: tuple[LyricLine, ...], sung: dict[str, tuple[LyricLine, ...]]
    ) -> list[LyricSection]:
        if not lines and tag.kind == "end":
            return []
        if not lines and tag.repeats:
            earlier = sung.get(normal(tag.label)) or sung.get(tag.kind) or sung.get(tag.role, ())
            lines = tuple(self._kept(_untimed(line)) for line in earlier if self._has_room())
        if not lines and tag.role in ("verse", "prechorus", "chorus", "bridge") and not tag.instrumental:
            self._note(f"[{tag.label or tag.role}] has no words")
        if lines:
            sung[tag.kind] = sung[tag.role] = lines
            if tag.label:
                sung.setdefault(normal(tag.label), lines)
        found = [LyricSection(tag.role, lines, tag.label, tag.num_bars)]
        for _ in range(tag.times - 1):
            again = tuple(self._kept(_untimed(line)) for line in lines if self._has_room())
            if again or not lines:
                found.append(replace(found[0], lines=again))
        return found


def _strict_tag(text: str) -> Tag | None:
    """Returns the tag of a row that is one by its brackets, parentheses, stars or colon."""
    found = _BRACKETS.match(text)
    if found:
        return parse_tag(found.group(1)) if not found.group(2) else None
    inner = _PAREN_LINE.match(text)
    if inner:
        tag = parse_tag(inner.group(1))
        return tag if tag is not None and not tag.description else None
    star = _STAR.match(text)
    if star:
        tag = parse_tag(star.group(1))
        return tag if tag is not None and tag.delivery != "sung" and not tag.description else None
    name = _COLON.match(text)
    if name and not has_words(name.group(2)):
        tag = parse_tag(name.group(1))
        return tag if tag is not None and not tag.description else None
    if name and name.group(2) and parse_times(name.group(2).strip("()（） ")):
        tag = parse_tag(name.group(1))
        return replace(tag, times=parse_times(name.group(2).strip("()（） ")) or 1) if tag is not None else None
    return None


def _bare_tag(text: str) -> Tag | None:
    """Returns the tag of a row that holds nothing but the name of a section, perhaps with a number or repeat."""
    if len(text) > 40 or text.endswith((",", "!", "?", "，", "！", "？", "…")):
        return None
    tag = parse_tag(text.strip(" ."))
    return (
        tag
        if tag is not None and tag.bare and (not tag.description or (tag.always and text.endswith((")", "）"))))
        else None
    )


def _way(name: str) -> Delivery | None:
    """Returns the way of singing that a word such as ``spoken`` asks for."""
    tag = parse_tag(name) if len(name) < 24 else None
    if tag is not None and tag.delivery != "sung" and not tag.description:
        return tag.delivery
    return "sung" if normal(name) in tag_words("sung") else None


def _tail(row: Row, rest: str) -> Row:
    """Returns a row of which only the end is left, its marks moved with it."""
    cut = len(row.text) - len(rest)
    return replace(row, text=rest, marks=tuple((max(0, at - cut), seconds) for at, seconds in row.marks))


def _as_title(text: str) -> str:
    """Returns a title without brackets, which would end its own tag."""
    return " ".join(re.sub(r"[\[\]]", " ", text)[:200].split())


def _take_tail(text: str) -> tuple[str, int]:
    """Returns a text without marks such as ``x2`` at its end, and how often they ask for it."""
    times = 1
    while tail := _TAIL_TIMES.search(text.rstrip()):
        times = min(MAX_REPEATS, times * (parse_times(tail.group(1)) or 1))
        text = text[: tail.start()]
    return text, times


def _untimed(line: LyricLine) -> LyricLine:
    return replace(line, start_seconds=None, word_seconds=())


def _untagged(blocks: list[list[LyricLine]], *, first: bool) -> list[LyricSection]:
    """Returns stanzas without a tag in a text that has tags elsewhere: verses, or a short introduction."""
    if first and len(blocks) == 1 and len(blocks[0]) <= 2:
        return [LyricSection("intro", tuple(blocks[0]))]
    return [LyricSection("verse", tuple(block)) for block in blocks]


def _word_seconds(tokens: list[Token], row: Row) -> tuple[float, ...]:
    """Returns the start of each word: its stamp, or its share of the way between the stamps around it."""
    if not row.marks or not tokens:
        return ()
    marks = sorted(row.marks)
    if row.start_seconds is not None and marks[0][0] > tokens[0].at:
        marks.insert(0, (tokens[0].at, row.start_seconds))
    starts: list[float] = []
    for i, token in enumerate(tokens):
        reach = tokens[i - 1].at + len(tokens[i - 1].text) if i else 0
        own = [seconds for at, seconds in marks if reach <= at <= token.at]
        if own:
            starts.append(own[-1])
            continue
        before = [mark for mark in marks if mark[0] <= token.at]
        after = [mark for mark in marks if mark[0] > token.at]
        if before and after:
            share = (token.at - before[-1][0]) / (after[0][0] - before[-1][0])
            starts.append(round(before[-1][1] + share * (after[0][1] - before[-1][1]), 3))
        else:
            starts.append((before or after)[-1 if before else 0][1])
    return tuple(max(starts[: i + 1]) for i in range(len(starts)))
