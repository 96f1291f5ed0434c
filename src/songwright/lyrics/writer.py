"""The writer of lyrics: a sheet of words for a request, and the rest of a half-written one.

The embedded bank writes (`assemble`, `complete`); where a language model is configured, `llm_writer` puts its lines in
the place of the bank's, line by line, as far as they fit.
"""

from songwright.lyrics import llm_writer
from songwright.lyrics.assemble import Written, assemble, line_of
from songwright.lyrics.complete import complete_with_bank, missing
from songwright.lyrics.request import LyricRequest
from songwright.lyrics.sheet import LyricSection, LyricSheet


def write_lyrics(request: LyricRequest) -> LyricSheet:
    """Returns words for a request, without sounds: as many lines as each section asks for.

    Args:
        request: what is wanted.

    Raises:
        InputError: the language is not one the writer knows.
        MissingDependencyError: a language model is set but the package ``openai`` is not installed.
    """
    written = assemble(request)
    notes: tuple[str, ...] = ()
    if llm_writer.wanted():
        written, notes = llm_writer.rewrite(written, request)
    return _sheet(written, request, notes)


def complete_lyrics(sheet: LyricSheet, request: LyricRequest) -> LyricSheet:
    """Returns the sheet with missing lines written; given lines stay as they are.

    Missing are: all lines of a verse, prechorus, chorus or bridge that has none; lines of dots or question marks alone;
    what a verse is shorter than its longest sister.

    Args:
        sheet: as read.
        request: subject, moods, style and seed; its sections say how many lines an empty section gets.

    Raises:
        InputError: the language is not one the writer knows.
    """
    completed = complete_with_bank(sheet, request)
    if completed is sheet or not llm_writer.wanted():
        return completed
    open_lines = [[text is None for text in lines] for lines in missing(sheet, request)]
    texts = tuple(tuple(line.text for line in section.lines) for section in completed.sections)
    written = Written(sheet.title, texts, tuple(False for _ in texts))
    rewritten, notes = llm_writer.rewrite(written, request, may_change=open_lines)
    sections = []
    for section, lines, flags in zip(completed.sections, rewritten.sections, open_lines, strict=True):
        rows = tuple(
            line_of(text, request.language, old.delivery) if flag else old
            for old, text, flag in zip(section.lines, lines, flags, strict=True)
        )
        sections.append(LyricSection(section.role, rows, section.label, section.num_bars))
    return LyricSheet(tuple(sections), completed.language, completed.title, (*completed.notes, *notes))


def _sheet(written: Written, request: LyricRequest, notes: tuple[str, ...]) -> LyricSheet:
    sections = tuple(
        LyricSection(wanted.role, tuple(line_of(line, request.language, "rap" if rap else "sung") for line in lines))
        for wanted, lines, rap in zip(request.sections, written.sections, written.rapped, strict=True)
    )
    return LyricSheet(sections, request.language, written.title, notes)


__all__ = ["complete_lyrics", "write_lyrics"]
