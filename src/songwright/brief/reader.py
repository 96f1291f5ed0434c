"""Reads free text in English, Chinese or Russian and makes the Brief of it.

The vocabulary is data (see `words`); finding things in the text is in `regions`, `numbers` and `scan`; what follows
from what was said is in `conclusions`.
"""

import re
from collections.abc import Iterable

from songwright.brief import conclusions
from songwright.brief.brief import Brief
from songwright.brief.draft import Draft
from songwright.brief.numbers import find_numbers
from songwright.brief.regions import mask, take_quotations
from songwright.brief.scan import Item, Scan, scan
from songwright.brief.text import language_of, lower, normalise, tokens_of
from songwright.brief.words import common, load, split, to_simplified

_LETTERED_FORM = re.compile(r"\b[A-D]{3,12}\b")
_FORM_OF_LETTERS = {"A": "verse", "B": "chorus", "C": "bridge", "D": "solo"}
_BARE_TEMPO = range(50, 221)
_MAX_LISTED = 40


def read_prompt(text: str) -> Brief:
    """Returns the Brief of a prompt in English, Chinese, Russian or a mixture of them.

    Args:
        text: what the person wrote, up to 20,000 characters.

    Raises:
        InputError: the text holds no word or is too long.
    """
    clean = normalise(text)
    regions = take_quotations(clean)
    draft = Draft()
    body = _read_numbers(regions.text, draft)
    body = _read_lettered_form(body, draft)
    found = scan(tokens_of(body, to_simplified()), body)
    subject = _read_items(found, clean, draft)
    _list_unknown(found, clean, draft)
    return conclusions.conclude(draft, text, language_of(clean), subject, regions.title, regions.lyrics)


def _read_numbers(text: str, draft: Draft) -> str:
    for finding in find_numbers(text):
        written = text[finding.start : finding.end].strip()
        if finding.value is None:
            possible = "a tempo is 20 to 400 bpm" if finding.name == "tempo_bpm" else "a length is 10 s to 15 min"
            draft.not_understood.append(written)
            draft.notes.append(f"'{written}' was left out: {possible}")
        else:
            draft.numbers.setdefault(finding.name, finding.value)
        text = mask(text, finding.start, finding.end)
    return text


def _read_lettered_form(text: str, draft: Draft) -> str:
    match = _LETTERED_FORM.search(text)
    if not match or set(match[0]) < {"A", "B"} or not {"A", "B"} <= set(match[0]):
        return text
    roles = [_FORM_OF_LETTERS[letter] for letter in match[0]]
    draft.said["form"] = ["verse", "verse", "bridge", "verse"] if match[0] == "AABA" else roles
    return mask(text, *match.span())


def _read_items(found: Scan, text: str, draft: Draft) -> str:
    """Puts every item into the draft; returns the subject as written."""
    first, last = found.subject or (0, 0)
    in_order = _form_indices(found.items)
    if len(in_order) >= 3:
        draft.said["form"] = [found.items[i].role for i in in_order]
    for index, item in enumerate(found.items):
        if first <= index < last:
            draft.soft_moods.extend(value for name, value in item.meaning.values if name in ("moods", "images"))
            _add_images(item, draft)
        elif item.kind == "meaning":
            _read_meaning(item, index in found.negated, _written(found, item, text), draft)
        elif item.kind == "section" and index not in in_order and item.role not in ("verse", "chorus"):
            draft.add("traits", f"no_{item.role}" if index in found.negated else item.role)
    for start, end in found.artists:
        draft.artists.append((text[start:end], ()))
    for token, word in found.corrections:
        written = text[token.start : token.end]
        draft.notes.append(f"'{written}' was read as '{_whole_word(token.script, word)}'")
    if last == first:
        return ""
    return text[found.tokens[found.items[first].first].start : found.tokens[found.items[last - 1].last - 1].end].strip()


def _form_indices(items: Iterable[Item]) -> list[int]:
    sections = [(i, item) for i, item in enumerate(items) if item.kind == "section" and item.role]
    return [i for i, _ in sections] if len(sections) >= 3 else []


def _add_images(item: Item, draft: Draft) -> None:
    for name, value in item.meaning.values:
        if name == "images":
            draft.add(name, value)


def _read_meaning(item: Item, negated: bool, written: str, draft: Draft) -> None:
    if item.meaning.artist:
        if negated:
            draft.refused.append(written)
        else:
            draft.artists.append((item.meaning.artist, item.meaning.values))
        return
    if negated and len(item.fields - {"excluded_instruments"}) > 1:
        draft.refused.append(written)
        return
    for name, value in item.meaning.values:
        if name == "instruments":
            wanted, other = ("excluded_instruments", name) if negated else (name, "excluded_instruments")
            draft.drop(other, value)
            draft.add(wanted, value)
            if item.meaning.substitute and not negated:
                draft.notes.append(f"'{written}' is not among the instruments: {value} plays its part")
        elif name == "voice":
            _read_voice(value, negated, written, draft)
        elif name == "era" and len(item.meaning.values) > 1:
            draft.era_hint = draft.era_hint or value
        elif name == "tempo_word" and negated:
            draft.said["tempo_word"] = ["medium"]
        elif negated:
            draft.drop(name, value)
            draft.refused.append(written)
        else:
            draft.add(name, value)


def _read_voice(value: str, negated: bool, written: str, draft: Draft) -> None:
    if value == "instrumental" or (value == "any" and negated) or (value == "choir" and negated):
        if value == "choir":
            draft.refused.append(written)
        else:
            draft.said["instrumental"] = [] if value == "instrumental" and negated else ["yes"]
    elif negated:
        draft.refused.append(written)
    else:
        draft.add("vocal", "yes")
        if value != "any":
            draft.add("voice", value)
        kind = voice_type_of(written)
        if kind:
            draft.add("voice_type", kind)


def voice_type_of(written: str) -> str:
    """Returns the voice type that a person named; empty if only a gender or nothing was said."""
    word = lower(written)
    for kind, listed in common()["voice_types"].items():
        if any(name in word for name in split(listed)):
            return str(kind)
    return ""


def _written(found: Scan, item: Item, text: str) -> str:
    return text[found.tokens[item.first].start : found.tokens[item.last - 1].end]


def _whole_word(language: str, key: str) -> str:
    """Returns the shortest word of the vocabulary that has this key (Russian keys are stems)."""
    return load(language).spellings.get(key, key)


def _list_unknown(found: Scan, text: str, draft: Draft) -> None:
    """Lists words nothing was made of; bare numbers beside a style are tempos."""
    first, last = found.subject or (0, 0)
    named = {i for start, end in found.artists for i, t in enumerate(found.tokens) if start <= t.start < end}
    previous: Item | None = None
    for index, item in enumerate(found.items):
        if item.kind == "unknown" and not first <= index < last and item.first not in named:
            word = _written(found, item, text)
            if _is_bare_tempo(found, index, word) and "tempo_bpm" not in draft.numbers:
                draft.numbers["tempo_bpm"] = float(word)
            elif (
                previous is not None and item.language == "zh" and previous.last == item.first and draft.not_understood
            ):
                draft.not_understood[-1] += word
                previous = item
                continue
            elif word not in draft.not_understood:
                draft.not_understood.append(word)
            previous = item
    del draft.not_understood[_MAX_LISTED:]


def _is_bare_tempo(found: Scan, index: int, word: str) -> bool:
    if not re.fullmatch(r"[0-9]{2,3}", word) or int(word) not in _BARE_TEMPO:
        return False
    before = found.items[index - 1] if index else None
    behind = found.items[index + 1] if index + 1 < len(found.items) else None
    closed = behind is None or behind.kind == "break"
    if before is None or before.kind == "break" or found.tokens[before.first].key == "at":
        return closed
    return closed and bool(before.fields & {"styles", "styles_weak", "tempo_word", "instruments", "moods", "traits"})
