"""A blind page for people: twenty pairs of short excerpts, one by each composer, for the same briefs.

    python benchmarks/ab_page.py -o FOLDER [--composer FOLDER] [--pairs 20] [--seed 0] [--candidates 8]
    python benchmarks/ab_page.py --decode answers.json --key FOLDER/key.json

`FOLDER/page` can be given to listeners: ``index.html`` and the audio, with nothing in it that says who is who.
`FOLDER/key.json` stays here; with it the answers that the page saves are decoded. Excerpts run from the end of a verse
into a chorus, are cut at bar lines of the score, rendered by the program and brought to the same loudness.

The page is for people to use. Its answers say what those listeners preferred on that day, and are not a measurement
that the documents of this program quote.
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from composers import LEARNED, STATISTICAL, Composer, composers, instrumental, songs_of
from songwright.audio.files import encode, read_audio
from songwright.audio.loudness import integrated_lufs, true_peak_dbtp
from songwright.compose.learned.critic_edits import excerpt
from songwright.engines.score import make_players
from songwright.perform.render import render_song
from songwright.perform.soundfonts import find_soundfont
from songwright.score.song import Control, PitchBend, Song, Track
from songwright.seeding import generator

STYLES = (
    "pop", "rock", "folk", "jazz", "funk", "soul", "country", "disco", "rnb", "mandarin_ballad", "blues", "reggae",
    "bossa_nova", "lofi", "house", "synthwave", "gospel", "waltz", "punk", "guofeng",
)  # fmt: skip
"""One pair each, in this order, then from the start again."""

EXCERPT_SECONDS = 20.0
BEFORE_SHARE = 0.4
"""Of the excerpt, before the chorus begins."""

LOUDNESS_LUFS = -16.0
PEAK_DBTP = -1.0
FADE_SECONDS = 0.15
TEMPLATE = Path(__file__).with_suffix(".html")

TEXTS: dict[str, dict[str, str]] = {
    "en": {
        "title": "A or B?",
        "intro": "Two computer programs wrote short pieces of music for the same wish. Which one do you like better?",
        "how": "Listen to both takes of a pair, as often as you like, then choose. Each pair is a new toss of the coin "
        "which program is A. Your choices stay in this browser until you save them.",
        "pair": "Pair",
        "choice_a": "A is better",
        "choice_b": "B is better",
        "choice_same": "no difference",
        "done": "Answered:",
        "save": "Save answers",
        "clear": "Start again",
        "after": "Send the saved file answers.json to whoever gave you this page.",
    },
    "zh": {
        "title": "A 还是 B？",
        "intro": "两个计算机程序按照同样的要求各写了一小段音乐。你更喜欢哪一段？",
        "how": "请把每一对的两段都听一听，可以反复听，然后作出选择。每一对中哪个程序是 A 都是随机的。"
        "在保存之前，你的选择只留在这个浏览器里。",
        "pair": "第几对：",
        "choice_a": "A 更好",
        "choice_b": "B 更好",
        "choice_same": "没有差别",
        "done": "已回答：",
        "save": "保存答案",
        "clear": "重新开始",
        "after": "请把保存的文件 answers.json 发给给你这个页面的人。",
    },
    "ru": {
        "title": "А или Б?",
        "intro": "Две компьютерные программы написали короткие отрывки музыки по одному и тому же заданию. "
        "Какой отрывок вам нравится больше?",
        "how": "Послушайте оба отрывка каждой пары, сколько угодно раз, затем выберите. Какая из программ звучит под "
        "буквой A, каждый раз решает случай. Ответы остаются в этом браузере, пока вы их не сохраните.",
        "pair": "Пара",
        "choice_a": "лучше A",
        "choice_b": "лучше B",
        "choice_same": "нет разницы",
        "done": "Отвечено:",
        "save": "Сохранить ответы",
        "clear": "Начать заново",
        "after": "Отправьте сохранённый файл answers.json тому, кто дал вам эту страницу.",
    },
}


def main() -> int:
    """Writes the page and its key, or decodes answers."""
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="new folder for the page and the key")
    args.add_argument("--composer", type=Path, metavar="FOLDER", help="exported composer; default: the one built in")
    args.add_argument("--pairs", type=int, default=20)
    args.add_argument("--seed", type=int, default=0, help="decides the songs and who is A")
    args.add_argument("--candidates", type=int, default=1, help="songs of each from which the critic takes one")
    args.add_argument("--decode", type=Path, metavar="FILE", help="answers that the page saved")
    args.add_argument("--key", type=Path, metavar="FILE", help="key.json of that page")
    options = args.parse_args()
    if options.decode:
        if options.key is None:
            args.error("--decode needs --key FOLDER/key.json")
        key, answers = (json.loads(path.read_text(encoding="utf-8")) for path in (options.key, options.decode))
        for row in decode(answers, key):
            print("\t".join(row))
        return 0
    if options.output is None:
        args.error("give -o FOLDER")
    who = composers(options.composer)
    if len(who) < 2:
        return 1
    build(options.output, who, options.pairs, options.seed, options.candidates)
    return 0


def build(folder: Path, who: Sequence[Composer], count: int, seed: int, candidates: int) -> None:
    """Writes ``page/index.html``, the excerpts and ``key.json`` into a new folder."""
    page = folder / "page"
    page.mkdir(parents=True)
    key = make_key(seed, count)
    for pair in key["pairs"]:
        brief = instrumental(pair["style"], pair["seed"])
        songs = {c.name: songs_of(brief, c, candidates)[-1] for c in who}
        takes = {name: rendered(around_chorus(song)) for name, song in songs.items()}
        for letter, wave in zip("ab", same_loudness([takes[pair["a"]], takes[pair["b"]]]), strict=True):
            write_take(page / audio_name(pair["number"], letter), wave)
        print(f"pair {pair['number']} of {count}", file=sys.stderr)
    (page / "index.html").write_text(page_html(key), encoding="utf-8")
    (folder / "key.json").write_text(json.dumps(key, indent=1) + "\n", encoding="utf-8")


def make_key(seed: int, count: int) -> dict[str, Any]:
    """Returns who is A and who is B in every pair, and which brief they answered."""
    random = generator(seed, "ab_page")
    pairs = []
    for i in range(count):
        first, second = (STATISTICAL, LEARNED) if random.random() < 0.5 else (LEARNED, STATISTICAL)
        song = int(random.integers(2**31))
        pairs.append({"number": i + 1, "style": STYLES[i % len(STYLES)], "seed": song, "a": first, "b": second})
    return {"format": "songwright.ab-key", "page": f"{int(random.integers(2**40)):010x}", "pairs": pairs}


def audio_name(number: int, letter: str) -> str:
    """Returns the file of a take; it says nothing of who made it."""
    return f"pair-{number:02d}-{letter}.mp3"


def page_html(key: Mapping[str, Any]) -> str:
    """Returns the page: of the key only its id, numbers and styles."""
    pairs = [
        {
            "number": pair["number"],
            "style": pair["style"].replace("_", " "),
            **{letter: audio_name(pair["number"], letter) for letter in "ab"},
        }
        for pair in key["pairs"]
    ]
    page = json.dumps({"id": key["page"], "pairs": pairs}, ensure_ascii=False)
    html = TEMPLATE.read_text(encoding="utf-8")
    return html.replace("/*PAGE*/null", page).replace("/*TEXTS*/null", json.dumps(TEXTS, ensure_ascii=False))


def decode(answers: Mapping[str, Any], key: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Returns (pair, style, composer that was chosen or ``no difference``) of every answer.

    Raises:
        SystemExit: the answers are of another page.
    """
    if answers.get("page") != key["page"]:
        raise SystemExit(f"these answers are of page {answers.get('page')}, the key is of page {key['page']}")
    found = []
    for pair in key["pairs"]:
        said = answers["answers"].get(str(pair["number"]))
        if said is not None:
            found.append((str(pair["number"]), pair["style"], "no difference" if said == "same" else pair[said]))
    return found


def around_chorus(song: Song) -> Song:
    """Returns about twenty seconds of a song across the first edge from a verse into a chorus, cut at bar lines.

    Styles without choruses give what stands for them; else the edge into the second section.
    """
    lines = [*song.bar_starts(), song.duration_ticks]
    edge = chorus_edge(song)
    start_seconds = song.seconds_at(edge) - BEFORE_SHARE * EXCERPT_SECONDS
    first = min(range(len(lines)), key=lambda i: abs(song.seconds_at(lines[i]) - start_seconds))
    end_seconds = song.seconds_at(lines[first]) + EXCERPT_SECONDS
    last = min(range(len(lines)), key=lambda i: abs(song.seconds_at(lines[i]) - end_seconds))
    return with_players(excerpt(song, lines[first], lines[max(last, first + 1)]), song, lines[first])


def chorus_edge(song: Song) -> int:
    """Returns the tick at which the first chorus (or what stands for it) begins."""
    for wanted in (("chorus", "drop"), ("head", "theme", "solo", "verse")):
        starts = [s.start_ticks for s in song.sections if s.role in wanted and s.start_ticks > 0]
        if starts:
            return starts[0]
    return song.sections[1].start_ticks if len(song.sections) > 1 else 0


def with_players(part: Song, whole: Song, start: int) -> Song:
    """Returns the excerpt with the controls, bends, fader moves and throws of the song, moved to its beginning."""
    tracks = []
    for track, old in zip(part.tracks, whole.tracks, strict=True):
        end = part.duration_ticks
        held = [(0, gain) for tick, gain in old.mix.automation if tick < start][-1:]
        moves = [(tick - start, gain) for tick, gain in old.mix.automation if start <= tick < start + end]
        throws = tuple((a - start, z - start) for a, z in old.mix.throws if a >= start and z <= start + end)
        mix = replace(old.mix, automation=(*held, *moves), throws=throws)
        tracks.append(replace(track, mix=mix, controls=_controls(old, start, end), bends=_bends(old, start, end)))
    return replace(part, tracks=tuple(tracks))


def _controls(track: Track, start: int, length: int) -> tuple[Control, ...]:
    held = {c.controller: c.value for c in track.controls if c.tick < start}
    inside = [replace(c, tick=c.tick - start) for c in track.controls if start <= c.tick < start + length]
    return (*(Control(0, number, value) for number, value in sorted(held.items())), *inside)


def _bends(track: Track, start: int, length: int) -> tuple[PitchBend, ...]:
    inside = [replace(b, tick=b.tick - start) for b in track.bends if start <= b.tick < start + length]
    return tuple(inside)


def rendered(song: Song) -> NDArray[np.float32]:
    """Returns (channels, samples) of a short song, played and mastered by the program, faded at both ends."""
    with tempfile.TemporaryDirectory() as folder:
        rendering = render_song(song, Path(folder), players=make_players(song, find_soundfont(None)))
        wave, rate = read_audio(rendering.mix)
    wave = wave[:, : math.ceil(song.duration_seconds * rate)]
    fade = np.linspace(0.0, 1.0, round(FADE_SECONDS * rate), dtype=np.float32)
    wave[:, : len(fade)] *= fade
    wave[:, -len(fade) :] *= fade[::-1]
    return wave


def same_loudness(waves: Sequence[NDArray[np.float32]], rate: int = 44100) -> list[NDArray[np.float32]]:
    """Returns takes of the same integrated loudness, both softer where one would pass the peak."""
    gains = [LOUDNESS_LUFS - integrated_lufs(wave, rate) for wave in waves]
    peaks = [true_peak_dbtp(wave) + gain for wave, gain in zip(waves, gains, strict=True)]
    down = min(0.0, PEAK_DBTP - max(peaks))
    return [wave * np.float32(10 ** ((gain + down) / 20)) for wave, gain in zip(waves, gains, strict=True)]


def write_take(path: Path, wave: NDArray[np.float32], rate: int = 44100) -> None:
    """Writes one take as MP3, without tags."""
    path.write_bytes(encode(wave, "mp3", rate))


if __name__ == "__main__":
    sys.exit(main())
