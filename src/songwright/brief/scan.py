"""Walks through the tokens of a prompt and says what each is: a meaning, a cue, a filler, a break or unknown.

Also finds the subject and what is negated. What follows for the Brief is decided in `reader`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from songwright.brief.text import Token
from songwright.brief.words import Meaning, Phrase, Vocabulary, load

Kind = Literal["meaning", "cue", "ignored", "break", "unknown", "section"]
_HARD = frozenset(
    {"styles", "styles_weak", "instruments", "voice", "tempo_word", "era", "traits", "excluded_instruments", "meter"}
)
_MAX_FILLERS = 4
_NOTHING = Meaning()
_MAX_SUBJECT_ITEMS = 24


@dataclass(frozen=True, slots=True)
class Item:
    """Some tokens that belong together.

    Attributes:
        kind: what it is.
        first, last: indices of its first token and of the one after its last.
        meaning: what it says, if its kind is ``meaning``.
        cues: kinds of cue it may be.
        role: the section it names, if any.
        language: whose word it is; empty for a mark.
    """

    kind: Kind
    first: int
    last: int
    meaning: Meaning = _NOTHING
    cues: frozenset[str] = frozenset()
    role: str = ""
    language: str = ""

    @property
    def fields(self) -> frozenset[str]:
        """Which fields of the Brief it speaks of."""
        return frozenset(name for name, _ in self.meaning.values)


@dataclass(frozen=True)
class Scan:
    """A prompt's items with their readings.

    Attributes:
        tokens, items: the prompt.
        subject: range of items that are the subject, or None.
        negated: indices of items that are said not to be wanted.
        artists: names that no vocabulary knows, after a cue such as "in the style of".
        corrections: pairs of a mistyped word's token and the word it was read as.
    """

    tokens: Sequence[Token]
    items: Sequence[Item]
    subject: tuple[int, int] | None = None
    negated: frozenset[int] = frozenset()
    artists: tuple[tuple[int, int], ...] = ()
    corrections: tuple[tuple[Token, str], ...] = field(default_factory=tuple)


def scan(tokens: list[Token], text: str) -> Scan:
    """Returns what the tokens are.

    Args:
        tokens: from `text.tokens_of`.
        text: what they are tokens of; capitals tell names.
    """
    tokens, corrections = _corrected(tokens, text)
    items: list[Item] = []
    at = 0
    while at < len(tokens):
        item = _item_at(tokens, at, items)
        items.append(item)
        at = item.last
    items = _with_sections(tokens, items)
    subject = _subject(tokens, items)
    return Scan(
        tokens, items, subject, _negated(tokens, items), _unknown_artists(tokens, items, text), tuple(corrections)
    )


def _corrected(tokens: Sequence[Token], text: str) -> tuple[list[Token], list[tuple[Token, str]]]:
    """Returns the tokens with typing mistakes mended, and which; names inside a sentence are left alone."""
    fixed: list[Token] = []
    corrections: list[tuple[Token, str]] = []
    seen: dict[str, str | None] = {}
    words = [token for token in tokens if token.script in ("en", "ru")]
    titled = 2 * sum(text[token.start].isupper() for token in words) > len(words)
    for index, token in enumerate(tokens):
        starts = index == 0 or tokens[index - 1].is_break
        is_name = text[token.start].isupper() and not starts and not titled
        if token.script in ("en", "ru") and len(token.key) > 3 and not is_name:
            if token.key not in seen:
                seen[token.key] = load(token.script).corrected(token.key, token.end - token.start)
            word = seen[token.key]
            if word:
                corrections.append((token, word))
                token = replace(token, key=word)
        fixed.append(token)
    return fixed, corrections


def _item_at(tokens: Sequence[Token], at: int, before: Sequence[Item]) -> Item:
    """Returns the longest thing that starts at a token; a meaning wins over a cue of the same length."""
    token = tokens[at]
    if token.is_break:
        return Item("break", at, at + 1)
    vocabulary = load(token.script)
    longest = 1
    while longest < vocabulary.longest and at + longest < len(tokens) and tokens[at + longest].script == token.script:
        longest += 1
    after_artist_cue = bool(before) and "artist" in before[-1].cues
    for length in range(longest, 0, -1):
        keys = tuple(t.key for t in tokens[at : at + length])
        role = vocabulary.sections.get(keys, "")
        cues = frozenset(kind for kind, phrases in vocabulary.cues.items() if keys in phrases)
        meaning = vocabulary.cued_artists.get(keys) if after_artist_cue else None
        meaning = meaning or vocabulary.meaning(keys)
        if meaning and _is_plain_noun(tokens, at, keys, vocabulary):
            meaning = _NOTHING
        if meaning and not (cues and not meaning.values):
            kind: Kind = "meaning" if meaning.values or meaning.artist else "unknown"
            return Item(kind, at, at + length, meaning, cues, role, token.script)
        if cues or role:
            return Item("cue" if cues else "section", at, at + length, _NOTHING, cues, role, token.script)
        if keys in vocabulary.ignored:
            return Item("ignored", at, at + length, language=token.script)
    return Item("unknown", at, at + 1, language=token.script)


def _is_plain_noun(tokens: Sequence[Token], at: int, keys: Phrase, vocabulary: Vocabulary) -> bool:
    """Whether a style word such as "house" stands where only a noun can: after "my", before no musical word."""
    ambiguous = vocabulary.ambiguous
    if len(keys) > 1 or keys[0] not in ambiguous["words"] or at == 0 or tokens[at].joined:
        return False
    if tokens[at - 1].key not in ambiguous["determiners"]:
        return False
    for token in tokens[at + 1 : at + 4]:
        known = vocabulary.phrases.get((token.key,))
        musical = known is not None and any(name in _HARD for name, _ in known.values)
        if musical or token.key in ambiguous["music_nouns"]:
            return False
    return True


def _with_sections(tokens: Sequence[Token], items: list[Item]) -> list[Item]:
    """Turns runs of section names into form: three in a row, or two that touch."""
    runs: list[list[int]] = []
    gap = _MAX_FILLERS
    for index, item in enumerate(items):
        if item.role:
            if gap <= 2 and runs:
                runs[-1].append(index)
            else:
                runs.append([index])
            gap = 0
        elif item.kind in ("break", "ignored") or "lists" in item.cues:
            gap += 1
        else:
            gap = _MAX_FILLERS
    form = set()
    for run in runs:
        roles = {items[i].role for i in run}
        if len(run) >= 3 and roles & {"verse", "chorus", "head", "theme", "drop"}:
            form.update(run)
    return [replace(x, kind="section", meaning=_NOTHING) if i in form else x for i, x in enumerate(items)]


def _subject(tokens: Sequence[Token], items: Sequence[Item]) -> tuple[int, int] | None:
    """Returns the range of items behind the first "about" that is about something."""
    for index, item in enumerate(items):
        if item.kind != "cue":
            continue
        mark = tokens[items[index + 1].first].key if index + 1 < len(items) else ""
        if "subject_framed" in item.cues:
            start, end = index + 1, _frame_end(items, index + 1)
        elif item.cues & {"subject", "subject_comma"} or ("subject_colon" in item.cues and mark == ":"):
            start = end = index + 1 + (mark == ":" or (mark == "," and "subject_comma" in item.cues))
            while (
                end < len(items) and end - start < _MAX_SUBJECT_ITEMS and not _ends_subject(tokens, items, start, end)
            ):
                end += 1
        else:
            continue
        if end > start:
            return start, end
    return None


def _frame_end(items: Sequence[Item], start: int) -> int:
    """Returns where "以…为主题" closes; `start` if it does not."""
    for at in range(start, min(start + _MAX_SUBJECT_ITEMS, len(items))):
        if "frame_end" in items[at].cues:
            return at
        if items[at].kind == "break":
            break
    return start


def _ends_subject(tokens: Sequence[Token], items: Sequence[Item], start: int, at: int) -> bool:
    item = items[at]
    if item.kind == "break":
        goes_on = at > start and at + 1 < len(items) and "relative" in items[at + 1].cues
        return not (goes_on and tokens[item.first].key == ",")
    if item.language == "zh":
        return at > start and _ends_chinese_subject(tokens, items, at)
    if item.kind != "cue" or at == start:
        return False
    following = _next_wish(items, at + 1)
    if "artist" in item.cues and (item.last - item.first > 1 or (following is not None and following.meaning.artist)):
        return True
    if "subject_end" not in item.cues and "not" not in item.cues:
        return False
    if following is None:
        return "not" not in item.cues
    return bool(following.fields & _HARD) or bool(following.meaning.artist)


def _next_wish(items: Sequence[Item], at: int) -> Item | None:
    """Returns the next item behind fillers, moods included; None if a break comes first, itself if unknown."""
    for item in items[at : at + _MAX_FILLERS]:
        if item.kind == "break":
            return None
        if item.kind in ("unknown", "section") or (item.kind == "meaning" and item.fields - {"moods", "energy"}):
            return item
    return Item("unknown", at, at)


def _ends_chinese_subject(tokens: Sequence[Token], items: Sequence[Item], at: int) -> bool:
    """Whether "的" leads to the song itself: only wishes and fillers follow it, and no image first."""
    if not tokens[items[at].first].joined:
        return True
    if tokens[items[at].first].key != "的":
        return False
    rest: list[Item] = []
    for item in items[at + 1 :]:
        if item.kind == "break":
            break
        rest.append(item)
    first = next((item for item in rest if item.kind == "meaning"), None)
    plain = all(item.kind in ("meaning", "ignored", "cue") for item in rest)
    return bool(rest) and plain and not (first is not None and first.fields & {"images"} and rest[0] is first)


def _negated(tokens: Sequence[Token], items: Sequence[Item]) -> frozenset[int]:
    """Returns the meanings in reach of a "no", lists included ("no drums or bass")."""
    found: set[int] = set()
    waiting, linked, fillers = False, False, 0
    listed: frozenset[str] = frozenset()
    for index, item in enumerate(items):
        if item.kind == "cue" and "not" in item.cues:
            if "not_after" in item.cues and _closes(items, index) and index and items[index - 1].kind == "meaning":
                found.add(index - 1)
            waiting, linked, fillers, listed = True, False, 0, frozenset()
        elif item.kind in ("meaning", "section"):
            inside = waiting or (linked and bool(item.fields & listed))
            if inside:
                found.add(index)
            waiting, linked, listed = False, False, item.fields if inside else frozenset()
        elif item.kind == "break":
            mark = tokens[item.first].key
            waiting, linked = False, bool(listed) and _list_goes_on(mark, items[index + 1 : index + 3], listed)
        elif item.kind == "unknown":
            waiting, linked = False, False
        else:
            linked = bool(listed) and ("lists" in item.cues or (linked and item.kind == "ignored"))
            fillers += 1
            waiting = waiting and fillers <= _MAX_FILLERS and "not_end" not in item.cues
    return frozenset(found)


def _list_goes_on(mark: str, rest: Sequence[Item], listed: frozenset[str]) -> bool:
    """Whether a mark stands in a list: "no drums, bass or guitar", but not "no drums, bass and guitar"."""
    if mark in ("、", "/"):
        return True
    return mark == "," and len(rest) == 2 and bool(rest[0].fields & listed) and "or" in rest[1].cues


def _closes(items: Sequence[Item], index: int) -> bool:
    return index + 1 >= len(items) or items[index + 1].kind == "break"


def _unknown_artists(tokens: Sequence[Token], items: Sequence[Item], text: str) -> tuple[tuple[int, int], ...]:
    """Returns places in the text of names behind an artist cue that no vocabulary knows."""
    found = []
    for index, item in enumerate(items[:-1]):
        if "artist_unknown" in item.cues:
            names = []
            for following in items[index + 1 : index + 5]:
                token = tokens[following.first]
                if following.kind not in ("unknown", "ignored") or not text[token.start].isupper():
                    break
                names.append(following)
            if names and names[0].kind == "unknown":
                found.append((tokens[names[0].first].start, tokens[names[-1].last - 1].end))
    return tuple(found)
