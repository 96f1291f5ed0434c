"""Prints the longest run of words that the writer's banks share with open texts: hymns, songs, ballads, old poems.

English and Russian runs are counted in words, Chinese ones in characters. Sources are folders of text, ABC, MusicXML,
MuseScore or JSON files; all words in them count, whatever their language.

Usage: python benchmarks/lyric_originality.py FOLDER [FOLDER ...]
"""

import argparse
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from songwright.lyrics.bank import LANGUAGES, SLOT, load_bank

SUFFIXES = {".txt", ".abc", ".xml", ".musicxml", ".mxl", ".mscx", ".json", ".krn", ".md"}
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
SYLLABLE = re.compile(r"<(?:lyric|Lyrics)\b.*?</(?:lyric|Lyrics)>", re.DOTALL)
LARGEST = 40_000_000
LIMIT = 6


def units(text: str, language: str) -> list[str]:
    """Returns the words of a text, or its characters in Chinese."""
    if language == "zh":
        return re.findall(r"[\u3400-\u9fff]", text)
    return [word.lower().replace("’", "'") for word in WORD.findall(text)]


def read(path: Path) -> str:
    """Returns the words of a file; empty if it cannot be read."""
    if path.stat().st_size > LARGEST:
        return ""
    if path.suffix == ".mxl":
        try:
            with zipfile.ZipFile(path) as archive:
                names = [n for n in archive.namelist() if n.endswith(".xml") and "META-INF" not in n]
                text = " ".join(archive.read(name).decode("utf-8", "replace") for name in names)
        except zipfile.BadZipFile:
            return ""
    else:
        text = path.read_bytes().decode("utf-8", "replace")
    if path.suffix in (".xml", ".musicxml", ".mxl", ".mscx"):
        return from_score(text)
    if path.suffix == ".abc":
        lines = [line.partition(":")[2] for line in text.splitlines() if re.match(r"[wW]:", line)]
        return re.sub(r"[|*~]", " ", re.sub(r"\s*-\s*", "", " ".join(lines)).replace("_", " "))
    return text


def from_score(text: str) -> str:
    """Returns the verses of a score, syllables joined to words, each verse for itself."""
    verses: dict[str, str] = {}
    for block in SYLLABLE.findall(text):
        number = re.search(r'number="([^"]+)"|<no>(\d+)</no>', block)
        words = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", block))
        goes_on = re.search(r"<syllabic>(begin|middle)</syllabic>", block) is not None
        key = (number[1] or number[2]) if number else "1"
        verses[key] = verses.get(key, "") + words + ("" if goes_on else " ")
    return " . ".join(verses.values())


def files(folders: list[Path]) -> Iterator[Path]:
    """Yields all readable files of the folders in order."""
    for folder in folders:
        yield from sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in SUFFIXES)


def main() -> None:
    """Prints a row for each language: what was compared, and the longest shared run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    folders = parser.parse_args().folders
    ours = {language: own_lines(language) for language in LANGUAGES}
    best: dict[str, tuple[int, str, str]] = dict.fromkeys(LANGUAGES, (0, "", ""))
    runs = {language: shingles(lines, 3) for language, lines in ours.items()}
    count, total = 0, dict.fromkeys(LANGUAGES, 0)
    for path in files(folders):
        text = read(path)
        count += 1
        for language in LANGUAGES:
            theirs = units(text, language)
            total[language] += len(theirs)
            found = longest(theirs, ours[language], runs[language], best[language][0])
            if found:
                best[language] = (len(found), " ".join(found), str(path.relative_to(path.parents[1])))
    print(f"{count} files")
    print(f"{'language':10}{'our units':>10}{'their units':>13}{'longest':>9}  run, where")
    for language in LANGUAGES:
        size, run, where = best[language]
        print(f"{language:10}{len(ours[language]):10}{total[language]:13}{size:9}  {run!r} {where}")
    if any(best[language][0] > LIMIT for language in ("en", "ru")):
        raise SystemExit(f"a run is longer than {LIMIT} words")


def own_lines(language: str) -> list[str]:
    """Returns the units of all frames, one frame after the other with a mark between."""
    found: list[str] = []
    for frame in load_bank(language).frames:
        found += [*units(SLOT.sub(" ", " ".join(frame.lines)), language), f"|{frame.name}"]
    return found


def shingles(words: list[str], size: int) -> dict[tuple[str, ...], list[int]]:
    """Returns where each run of `size` words begins."""
    places: dict[tuple[str, ...], list[int]] = {}
    for i in range(len(words) - size + 1):
        places.setdefault(tuple(words[i : i + size]), []).append(i)
    return places


def longest(
    theirs: list[str], ours: list[str], places: dict[tuple[str, ...], list[int]], beat: int
) -> list[str] | None:
    """Returns the longest common run if it is longer than `beat`, else None."""
    best: list[str] | None = None
    for j in range(len(theirs) - 2):
        for i in places.get((theirs[j], theirs[j + 1], theirs[j + 2]), ()):
            size = 3
            while i + size < len(ours) and j + size < len(theirs) and ours[i + size] == theirs[j + size]:
                size += 1
            if size > beat:
                beat, best = size, ours[i : i + size]
    return best


if __name__ == "__main__":
    main()
