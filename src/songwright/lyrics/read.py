"""Files and texts of lyrics as a `LyricSheet`, and back: `read_lyrics`, `read_lyrics_file`, `to_text`.

Formats with times are taken apart in `rows`, tags in `tags`, sections in `plain`, text without tags in `divide`.
"""

from dataclasses import replace
from pathlib import Path

from songwright.errors import DataError, InputError
from songwright.lyrics.clean import decode, split_lines
from songwright.lyrics.divide import divide_long_lines
from songwright.lyrics.language import check_language, detect_language, is_right_to_left
from songwright.lyrics.plain import is_tag_row, read_sections
from songwright.lyrics.rows import Row, read_rows
from songwright.lyrics.sheet import Delivery, LyricLine, LyricSection, LyricSheet, Word, join_words
from songwright.lyrics.tags import parse_tag

__all__ = ["divide_long_lines", "read_lyrics", "read_lyrics_file", "to_text"]

MAX_BYTES = 1_000_000


def read_lyrics(text: str, *, language: str = "") -> LyricSheet:
    """Returns the words of a song from text with section tags, LRC, SRT, or text without anything.

    Args:
        text: the lyrics.
        language: code of the main language; empty finds it out.

    Raises:
        InputError: there is not one line of words or tag in it, or it is longer than a million characters.
    """
    if len(text) > MAX_BYTES:
        raise InputError(f"lyrics of {len(text)} characters; expected at most {MAX_BYTES}: give one song")
    found = read_rows(split_lines(text))
    rows = found.rows
    sung = "\n".join(row.text for row in rows if not is_tag_row(row.text))
    code = check_language(language or _known(found.ids.get("language", "")) or detect_language(sung))
    parsed = read_sections(rows, code)
    if not parsed.sections:
        raise InputError("no words in these lyrics: write at least one line to sing, or a tag such as [instrumental]")
    notes = list(parsed.notes)
    if found.has_dropped:
        notes.append("emoji and control characters are left out")
    if is_right_to_left(sung):
        notes.append(
            "these lyrics are written from right to left: they are sung, but notes in the score run left to right"
        )
    return LyricSheet(parsed.sections, code, found.ids.get("title", "") or parsed.title, tuple(notes))


def _known(code: str) -> str:
    try:
        return check_language(code) if code else ""
    except InputError:
        return ""


def read_lyrics_file(path: Path | str, *, language: str = "") -> LyricSheet:
    """Returns the words of a song from a file: plain text, LRC or SRT in UTF-8, UTF-16, GB 18030 or Windows-1251.

    Raises:
        DataError: it cannot be opened, is larger than a megabyte, is no text, or holds no words.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(path, f"{path.stat().st_size} bytes; lyrics of one song have at most {MAX_BYTES}")
        data = path.read_bytes()
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror or error}") from error
    try:
        return read_lyrics(decode(data), language=language)
    except InputError as error:
        raise DataError(path, str(error)) from error


def to_text(sheet: LyricSheet) -> str:
    """Returns the sheet as text with tags, with time stamps where lines have times.

    What `read_lyrics` gave is given again when the text is read, but for the notes; sounds are not written. Times are
    written to the millisecond.
    """
    rows: list[str] = [f"[ti:{sheet.title}]", ""] if sheet.title else []
    for section in sheet.sections:
        rows += [*_section_rows(section, sheet.language), ""]
    text = "\n".join(rows).rstrip() + "\n"
    try:
        again = read_lyrics(text).language
    except InputError:
        again = ""
    return text if again in ("", sheet.language) else f"[la:{sheet.language}]\n{text}"


def _section_rows(section: LyricSection, language: str) -> list[str]:
    name = section.label or section.role
    tag = parse_tag(name)
    if tag is None or tag.role != section.role or tag.label != section.label:
        name = section.role
        tag = parse_tag(name)
    length = f" {section.num_bars} bars" if section.num_bars else ""
    empty = ", instrumental" if tag is not None and tag.repeats and not section.lines else ""
    usual: Delivery = tag.delivery if tag is not None else "sung"
    return [f"[{name}{length}{empty}]", *(_line_row(line, usual, language) for line in section.lines)]


def _line_row(line: LyricLine, usual: Delivery, language: str) -> str:
    """Returns a line as it is read: with its way of singing where that is another, or where it looks like a tag."""
    stamp = f"[{clock(line.start_seconds, 3)}]" if line.start_seconds is not None else ""
    words = line.text
    if stamp and len(line.word_seconds) == len(line.words) and line.words:
        words = stamped_words(line.words, line.word_seconds, 3)
    backing = f" ({join_words(line.backing)})" if line.backing else ""
    way = (
        f"[{line.delivery}] "
        if line.delivery != usual or not _is_plain(f"{line.text}{backing}", line, language)
        else ""
    )
    return f"{stamp}{way}{words}{backing}"


def _is_plain(text: str, line: LyricLine, language: str) -> bool:
    """Whether a line alone on its row is read as it is."""
    sections = read_sections((Row("[verse]"), Row("la"), Row(text)), language).sections
    found = [(each.words, each.backing, each.delivery) for section in sections for each in section.lines[1:]]
    return len(sections) == 1 and found == [(line.words, line.backing, "sung")]


def stamped_words(words: tuple[Word, ...], seconds: tuple[float, ...], digits: int) -> str:
    """Returns words as in enhanced LRC: each after its own time in angle brackets."""
    text = ""
    for i, (word, start) in enumerate(zip(words, seconds, strict=True)):
        glued = join_words(words[i - 1 : i + 1]) == words[i - 1].text + word.text if i else True
        text += f"{'' if glued else ' '}<{clock(start, digits)}>{word.text}"
    return text


def clock(seconds: float, digits: int) -> str:
    """Returns a time as in LRC: ``01:02.50``."""
    units = round(max(0.0, seconds) * 10**digits)
    minutes, rest = divmod(units, 60 * 10**digits)
    return f"{minutes:02d}:{rest // 10**digits:02d}.{rest % 10**digits:0{digits}d}"


def without_times(sheet: LyricSheet) -> LyricSheet:
    """Returns the sheet without the times that its file set."""
    return replace(
        sheet,
        sections=tuple(
            replace(s, lines=tuple(replace(line, start_seconds=None, word_seconds=()) for line in s.lines))
            for s in sheet.sections
        ),
    )
