"""Prints how well the reader of prompts understands `tests/brief/prompts_*.jsonl`: precision, recall and F1.

Lines were written before the reader. It was tuned on lines 2, 4, 6… of each file; lines 1, 3, 5… are held out.
Run: ``python benchmarks/brief.py [--show en]`` (`--show` lists the mistakes in the tuning half only).
"""

import argparse
import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from songwright.brief.brief import Brief
from songwright.brief.conclusions import excluded_members, image_moods
from songwright.brief.reader import read_prompt
from songwright.brief.words import common

PROMPTS = Path(__file__).resolve().parents[1] / "tests" / "brief"
LANGUAGES = ("en", "zh", "ru")
ALWAYS_COUNTED = (
    "styles", "instruments", "excluded_instruments", "tempo_bpm", "key", "meter", "duration_seconds", "voice",
    "instrumental", "form", "era", "artist_hint",
)  # fmt: skip
"""Fields where a statement the prompt does not make counts as a mistake even if the expectation is silent."""


@dataclass(frozen=True)
class Count:
    """Right, wrongly added and missed values."""

    right: int = 0
    added: int = 0
    missed: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.right + other.right, self.added + other.added, self.missed + other.missed)

    @property
    def precision(self) -> float:
        """Share of found values that are right."""
        return self.right / max(self.right + self.added, 1)

    @property
    def recall(self) -> float:
        """Share of expected values that were found."""
        return self.right / max(self.right + self.missed, 1)

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        return 2 * self.right / max(2 * self.right + self.added + self.missed, 1)


def prompts(language: str) -> list[dict[str, Any]]:
    """Returns the lines of a language's file: ``prompt`` and ``expect``."""
    text = (PROMPTS / f"prompts_{language}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def halves(language: str) -> dict[str, list[dict[str, Any]]]:
    """Returns the tuning lines (even line numbers) and the held-out lines (odd ones)."""
    lines = prompts(language)
    return {"tuning": lines[1::2], "held out": lines[0::2]}


def compare(brief: Brief, expect: dict[str, Any]) -> tuple[Count, list[str]]:
    """Returns the count for one brief, and its mistakes in words."""
    total, mistakes = Count(), []
    for name in sorted({*expect, *ALWAYS_COUNTED}):
        wanted = _values(expect.get(name))
        if name not in expect and brief.origin(name) != "said":
            continue
        found = _values(getattr(brief, name))
        if name == "moods":
            implied = {mood for image in brief.images for mood in image_moods().get(image, ())}
            found = [mood for mood in found if mood in wanted or mood not in implied]
        if name == "excluded_instruments":
            found = [
                name for name in found if name in wanted or not any(name in family for family in _families(wanted))
            ]
        if name == "form":
            wanted, found = ([" ".join(map(str, values))] if values else [] for values in (wanted, found))
        count = Count(len(set(wanted) & set(found)), len(set(found) - set(wanted)), len(set(wanted) - set(found)))
        if count.added or count.missed:
            mistakes.append(f"{name}: expected {wanted}, found {found}")
        total += count
    return total, mistakes


def _families(names: list[str]) -> list[list[str]]:
    """Returns the families of instruments that the names stand for: "no guitar" means every guitar."""
    return [members for group in common()["excluded"] if not {*(members := excluded_members(group))}.isdisjoint(names)]


def _values(value: Any) -> list[Any]:
    if value is None or value == "" or value is False:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def score(lines: list[dict[str, Any]]) -> Count:
    """Returns the micro count over all fields of some lines."""
    return sum((compare(read_prompt(line["prompt"]), line["expect"])[0] for line in lines), Count())


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--show", choices=LANGUAGES, help="list the mistakes in this language's tuning half")
    shown = parser.parse_args().show
    if shown:
        for line in halves(shown)["tuning"]:
            brief = read_prompt(line["prompt"])
            mistakes = compare(brief, line["expect"])[1]
            if mistakes:
                print(f"{line['prompt']}\n    " + "\n    ".join(mistakes))
        return
    print(f"{'language':10}{'half':10}{'lines':>6}{'values':>8}{'precision':>11}{'recall':>8}{'F1':>7}")
    for language in LANGUAGES:
        for half, lines in halves(language).items():
            c = score(lines)
            values = c.right + c.missed
            print(f"{language:10}{half:10}{len(lines):6}{values:8}{c.precision:11.3f}{c.recall:8.3f}{c.f1:7.3f}")
    every = [line["prompt"] for language in LANGUAGES for line in prompts(language)]
    times = []
    for _ in range(5):
        start = time.perf_counter()
        for prompt in every:
            read_prompt(prompt)
        times.append((time.perf_counter() - start) / len(every))
    print(f"{1000 * statistics.median(times):.2f} ms a prompt (median of five runs over {len(every)}, one thread)")


if __name__ == "__main__":
    main()
