"""Writes docs/styles/*.md: the groove, bass and comping of every style book, printed from the book itself.

Usage: python docs/make_style_pages.py [--check]
"""

import argparse
import sys
from pathlib import Path

from songwright.compose.style import Part, Pattern, Style, load_style, style_names

FOLDER = Path(__file__).parent / "styles"
KINDS = {
    "drums": "Drums",
    "percussion": "Percussion",
    "bass": "Bass",
    "comp": "Comping",
    "arpeggio": "Arpeggios",
    "riff": "Riffs",
    "counter": "Counter-lines",
}

WHERE = {"last_chorus": "in the last chorus", "chorus": "in choruses", "all": "throughout"}


def pages() -> dict[str, str]:
    """Returns every page by file name."""
    made = {f"{name}.md": page(load_style(name)) for name in style_names()}
    rows = ["# Styles", "", "Printed from the style books by `python docs/make_style_pages.py`.", ""]
    rows += ["| style | tempo | metre | what carries it |", "|---|---|---|---|"]
    for name in style_names():
        style = load_style(name)
        low, usual, high = style.tempo_bpm
        rows.append(
            f"| [{style.title}]({name}.md) | {low:g}–{high:g}, usually {usual:g} "
            f"| {', '.join(style.meters)} | {style.lead} |"
        )
    made["README.md"] = "\n".join(rows) + "\n"
    return made


def page(style: Style) -> str:
    """Returns one style's page."""
    low, usual, high = style.tempo_bpm
    feel = (
        "on the grid"
        if style.feel.programmed
        else f"timing and dynamics of Groove MIDI's {style.feel.groove_midi or '(none)'}"
    )
    swing = f", swing {style.feel.swing:g} of a triplet on the {style.feel.swing_unit}ths" if style.feel.swing else ""
    rows = [
        f"# {style.title}",
        "",
        f"`--style {style.name}` · {low:g}–{high:g} bpm (usually {usual:g}) · {', '.join(style.meters)} · "
        f"{', '.join(f'{mode} {share:.0%}' for mode, share in style.modes.items())} · {feel}{swing}.",
        "",
        f"Forms: {' / '.join(' '.join(f'{role}·{bars}' for role, bars, _ in form.parsed()) for form in style.form)}.",
        "",
        "Progressions that name it:",
        "",
        *[
            f"- {idiom.mode}: `{idiom.chords}`" + (f" ({', '.join(idiom.sections)})" if idiom.sections else "")
            for idiom in style.harmony.idioms
        ],
        "",
        *_voices(style),
        "",
        "In patterns `X` is an accent, `x` plain, `o` soft, `g` a ghost, `r` and `t` two and three strokes; "
        "numbers are degrees of the chord.",
    ]
    for kind, title in KINDS.items():
        parts = style.parts_of(kind)
        if parts:
            rows += ["", f"## {title}"]
        for part in parts:
            rows += ["", f"### {part.id}", "", _about(part), "", "```text", *_patterns(part), "```"]
    return "\n".join(rows) + "\n"


def _voices(style: Style) -> list[str]:
    """Returns what the style does around a lead voice, as sentences."""
    book = style.vocals
    if not (book.harmony == book.second_harmony == "none"):
        second = f", a second {WHERE[book.second_harmony]}" if book.second_harmony != "none" else ""
        harmony = f"a harmony {WHERE[book.harmony]}{second}"
    else:
        harmony = "no harmonies"
    double = {"none": "no double", "ends": "a double of the last words of lines"}.get(
        book.double, f"a double {WHERE.get(book.double, '')}"
    )
    oohs = f"{book.vowel}s of {book.ooh_voices} voices in {', '.join(book.oohs)}" if book.oohs else "no oohs"
    cries = f", up to {book.ad_libs} ad libs" if book.ad_libs else ""
    return [
        f"With a voice: {harmony}; {double}; {oohs}{cries}. Answers in parentheses by "
        f"{'two voices' if book.answer_voices == 2 else 'one voice'}; instruments fill "
        f"{book.fills:.0%} of the rests between lines; the voice stands {book.level_db:+g} dB over the band."
    ]


def _about(part: Part) -> str:
    where = f" in {', '.join(part.sections)}" if part.sections else ""
    return f"{' or '.join(part.instruments).replace('_', ' ')}, energy {part.energy[0]:g}–{part.energy[1]:g}{where}"


def _patterns(part: Part) -> list[str]:
    rows: list[str] = []
    for pattern in part.pattern:
        rows += [_heading(pattern)]
        width = max((len(drum) for drum in pattern.lanes), default=0)
        rows += [f"{drum:<{width}} {_barred(lane, pattern.grid)}" for drum, lane in pattern.lanes.items()]
        rows += [pattern.line] if pattern.line else []
        rows += [f"composed: {pattern.generator}"] if pattern.generator else []
        rows += [""]
    return rows[:-1]


def _heading(pattern: Pattern) -> str:
    where = f" {', '.join(pattern.sections)}" if pattern.sections else ""
    return f"{'fill' if pattern.fill else 'energy'} {pattern.energy[0]:g}-{pattern.energy[1]:g}, {pattern.meter}{where}"


def _barred(lane: str, grid: int) -> str:
    return "|".join(lane[i : i + grid] for i in range(0, len(lane), grid))


def main() -> int:
    """Writes the pages, or with --check says whether they are what the books say."""
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is out of date")
    check = args.parse_args().check
    made = pages()
    stale = [
        name
        for name, text in made.items()
        if not (FOLDER / name).is_file() or (FOLDER / name).read_text("utf-8") != text
    ]
    stale += [path.name for path in FOLDER.glob("*.md") if path.name not in made]
    if check:
        sys.stdout.write("".join(f"out of date: {name}\n" for name in stale))
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.md"):
        path.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
