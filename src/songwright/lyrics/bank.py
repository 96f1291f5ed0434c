"""Loads the banks of the embedded writer: metres, themes, slots, rhyme families and frames of one language.

The format is told in ``banks/format.md``. How frames become a song is decided in `writer` and `plan`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

from songwright.errors import DataError, InputError

LANGUAGES = ("en", "zh", "ru")
THEMES = (
    "love", "longing", "heartbreak", "night", "city", "rain", "sea", "summer", "winter", "spring", "autumn", "road",
    "home", "childhood", "friendship", "dance", "party", "hope", "strength", "loneliness", "work", "freedom", "dream",
    "stars", "nature", "memory", "war_peace", "faith", "humour", "time", "morning", "family",
)  # fmt: skip
ROLES = ("verse", "prechorus", "chorus", "bridge", "outro", "rap")
PLACES = ("opening", "middle", "closing")
PERSONS = ("i", "you", "we", "they", "none")
MOODS = ("bright", "dark", "neutral")
TENSES = ("present", "past", "any")
SUBJECT_SLOTS = ("subject", "subject_acc", "subject_loc")
"""Places for a word of the subject: as it is, and in Russian after "про" (accusative) or after "о" (prepositional)."""
SLOT = re.compile(r"\{([a-z_0-9]+)(?::([x._]+))?\}")
_FRAME_FIELDS = {
    "text", "metre", "roles", "place", "themes", "person", "mood", "tense", "scene", "threads", "scheme", "hook",
    "title", "archaic",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Metre:
    """A class of lines.

    Attributes:
        name: unique in its language.
        lines: templates, taken in turn by the lines of a section: ``x`` beat, ``.`` off the beat, ``_`` either,
            ``|`` a word must end here.
        scheme: rhyme scheme that most of its frames keep, for the record.
    """

    name: str
    lines: tuple[str, ...]
    scheme: str = ""

    @property
    def counts(self) -> tuple[int, ...]:
        """Syllables of each template."""
        return tuple(len(line.replace("|", "")) for line in self.lines)

    @property
    def mean(self) -> float:
        """Syllables of a line on average."""
        return sum(self.counts) / len(self.counts)

    def template(self, index: int) -> str:
        """Returns the template of a section's line number `index`."""
        return self.lines[index % len(self.lines)].replace("|", "")


@dataclass(frozen=True, slots=True)
class Frame:
    """One to four lines that belong together; see ``banks/format.md`` for what each field means."""

    name: str
    lines: tuple[str, ...]
    metre: str
    roles: tuple[str, ...]
    places: tuple[str, ...]
    themes: tuple[str, ...]
    person: str
    mood: str
    tense: str
    scenes: tuple[str, ...]
    threads: tuple[str, ...]
    scheme: str
    hook: tuple[int, ...]
    title: str
    archaic: bool

    def slots(self) -> Iterator[tuple[str, str]]:
        """Yields (name, wanted template or empty) of each slot, in order."""
        for line in self.lines:
            for found in SLOT.finditer(line):
                yield found[1], found[2] or ""


@dataclass(frozen=True, slots=True)
class Slot:
    """Words that may stand in one place of a frame.

    Attributes:
        template: metre that all entries have.
        entries: (text, themes).
    """

    name: str
    template: str
    entries: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Bank:
    """Everything the writer knows of one language."""

    language: str
    metres: Mapping[str, Metre]
    frames: tuple[Frame, ...]
    slots: Mapping[str, Slot]
    keywords: Mapping[str, tuple[str, ...]]
    related: Mapping[str, tuple[str, ...]]
    moods: Mapping[str, str]
    mood_themes: Mapping[str, tuple[str, ...]]
    style_themes: Mapping[str, tuple[str, ...]]
    exclusions: frozenset[frozenset[str]]
    stop_words: frozenset[str]
    families: Mapping[str, str] = field(default_factory=dict)

    @property
    def num_lines(self) -> int:
        """Lines of all frames."""
        return sum(len(frame.lines) for frame in self.frames)

    def clash(self, first: tuple[str, ...], second: tuple[str, ...]) -> bool:
        """Returns whether two sets of scenes cannot stand in one verse."""
        return any(frozenset((a, b)) in self.exclusions for a in first for b in second)


@lru_cache(maxsize=8)
def load_bank(language: str) -> Bank:
    """Returns the bank of a language.

    Raises:
        InputError: the language has no bank.
        DataError: a file of the bank is broken.
    """
    if language not in LANGUAGES:
        raise InputError(
            f"the built-in writer knows {', '.join(LANGUAGES)}, not {language!r}: give the words with --lyrics, "
            "or set SONGWRIGHT_LLM_MODEL"
        )
    tables = [*_tables("common"), *_tables(language)]
    merged: dict[str, dict[str, Any]] = {}
    frames: list[Frame] = []
    for name, table in tables:
        defaults = table.get("defaults", {})
        for index, row in enumerate(table.get("frame", [])):
            frames.append(_frame(f"{name}:{index + 1}", {**defaults, **row}))
        for key, value in table.items():
            if isinstance(value, dict) and key != "defaults":
                merged.setdefault(key, {}).update(value)
    return Bank(
        language=language,
        metres={n: Metre(n, tuple(row["lines"]), row.get("scheme", "")) for n, row in _get(merged, "metre").items()},
        frames=tuple(frames),
        slots={n: _slot(n, row) for n, row in _get(merged, "slot").items()},
        keywords={theme: _words(text) for theme, text in _get(merged, "keywords").items()},
        related={theme: _words(text) for theme, text in _get(merged, "related").items()},
        moods={mood: tone for tone, text in _get(merged, "moods").items() for mood in _words(text)},
        mood_themes={mood: _words(text) for mood, text in _get(merged, "mood_themes").items()},
        style_themes={style: _words(text) for style, text in _get(merged, "style_themes").items()},
        exclusions=_exclusions(_get(merged, "scenes")),
        stop_words=frozenset(_words(_get(merged, "stop").get("words", ""))),
        families={word: name for name, text in _get(merged, "rhymes").items() for word in _words(text)},
    )


def problems(bank: Bank) -> list[str]:
    """Returns what is wrong with a bank, one line each; metre of English and stress are left to the tests."""
    found = []
    seen: dict[str, Frame] = {}
    for frame in bank.frames:
        found += [f"{frame.name}: {problem}" for problem in _frame_problems(bank, frame)]
        for line in frame.lines:
            key = re.sub(r"\W+", " ", line.casefold()).strip()
            other = seen.setdefault(key, frame)
            if other is not frame and not (frame.title and frame.title == other.title):
                found.append(f"{frame.name}: the line {line!r} is also in {other.name}")
    for slot in bank.slots.values():
        for text, themes in slot.entries:
            found += [f"slot {slot.name}: unknown theme {theme!r}" for theme in themes if theme not in THEMES]
            count = count_letters(text, bank.language)
            if count is not None and count != len(slot.template):
                found.append(f"slot {slot.name}: {text!r} has {count} syllables, not {len(slot.template)}")
    for table in (bank.keywords, bank.related, bank.mood_themes, bank.style_themes):
        for name, words in table.items():
            unknown = set() if table is bank.keywords else set(words) - set(THEMES)
            if unknown or (table in (bank.keywords, bank.related) and name not in THEMES):
                found.append(f"{name}: unknown themes {sorted(unknown) or name}")
    return found


def count_letters(text: str, language: str) -> int | None:
    """Returns syllables told by the letters alone (Chinese, Russian), slots left out; None where they do not tell."""
    plain = SLOT.sub("", text)
    if language == "zh":
        return len(re.findall(r"[\u3400-\u9fff]", plain))
    if language == "ru":
        return len(re.findall(r"[аеёиоуыэюя]", plain.lower()))
    return None


def _frame_problems(bank: Bank, frame: Frame) -> Iterator[str]:
    for name, values, known in (
        ("role", frame.roles, ROLES),
        ("place", frame.places, PLACES),
        ("theme", frame.themes, THEMES),
        ("person", (frame.person,), PERSONS),
        ("mood", (frame.mood,), MOODS),
        ("tense", (frame.tense,), TENSES),
        ("metre", (frame.metre,), tuple(bank.metres)),
    ):
        yield from (f"{name} {value!r} is not one of {', '.join(known)}" for value in values if value not in known)
    if not 1 <= len(frame.lines) <= 4:
        yield f"has {len(frame.lines)} lines; 1 to 4 are allowed"
    if len(frame.scheme) != len(frame.lines):
        yield f"its scheme {frame.scheme!r} is not as long as its {len(frame.lines)} lines"
    if any(not 1 <= index + 1 <= len(frame.lines) for index in frame.hook):
        yield "its hook points outside its lines"
    if "chorus" in frame.roles and len(frame.lines) > 1 and not (frame.hook and frame.title):
        yield "a chorus needs hook and title"
    for name, template in frame.slots():
        if name in (*SUBJECT_SLOTS, "title"):
            if not template:
                yield f"{{{name}}} needs a template, such as {{{name}:.x}}"
        elif name not in bank.slots:
            yield f"slot {name!r} is not defined"
    if frame.metre in bank.metres:
        yield from _count_problems(bank, frame, bank.metres[frame.metre])


def _count_problems(bank: Bank, frame: Frame, metre: Metre) -> Iterator[str]:
    for index, line in enumerate(frame.lines):
        count = count_letters(line, bank.language)
        if count is None:
            continue
        for found in SLOT.finditer(line):
            template = found[2] or (bank.slots[found[1]].template if found[1] in bank.slots else "")
            count += len(template)
        wanted = len(metre.template(index))
        if count != wanted:
            yield f"line {index + 1} {line!r} has {count} syllables, its metre wants {wanted}"


def _frame(name: str, row: dict[str, Any]) -> Frame:
    unknown = set(row) - _FRAME_FIELDS
    if unknown or "text" not in row or "metre" not in row:
        raise DataError(name, f"a frame needs text and metre and may not hold {sorted(unknown)}")
    lines = tuple(line.strip() for line in row["text"].strip().splitlines())
    return Frame(
        name=name,
        lines=lines,
        metre=row["metre"],
        roles=_words(row.get("roles", "verse")),
        places=_words(row.get("place", "middle")),
        themes=_words(row.get("themes", "")),
        person=row.get("person", "none"),
        mood=row.get("mood", "neutral"),
        tense=row.get("tense", "any"),
        scenes=_words(row.get("scene", "")),
        threads=_words(row.get("threads", "")),
        scheme=row.get("scheme", {1: "x", 2: "aa", 3: "aaa", 4: "xaxa"}.get(len(lines), "")),
        hook=tuple(number - 1 for number in row.get("hook", ())),
        title=row.get("title", ""),
        archaic=bool(row.get("archaic", False)),
    )


def _slot(name: str, row: dict[str, Any]) -> Slot:
    entries = [
        (text.strip(), _words(themes))
        for themes, texts in row.items()
        if themes not in ("template", "comment")
        for text in texts.split(",")
        if text.strip()
    ]
    return Slot(name, row["template"], tuple((text, tuple(t for t in ts if t != "any")) for text, ts in entries))


def _exclusions(table: Mapping[str, Any]) -> frozenset[frozenset[str]]:
    return frozenset(frozenset((scene, other)) for scene, text in table.items() for other in _words(text))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _get(merged: Mapping[str, dict[str, Any]], name: str) -> dict[str, Any]:
    return merged.get(name, {})


def _tables(folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    root = resources.files("songwright.lyrics").joinpath("banks").joinpath(folder)
    for path in sorted(root.iterdir(), key=lambda p: p.name):
        if path.name.endswith(".toml"):
            try:
                yield f"{folder}/{path.name}", tomllib.loads(path.read_text(encoding="utf-8"))
            except tomllib.TOMLDecodeError as error:
                raise DataError(f"{folder}/{path.name}", f"is not TOML: {error}") from error
