"""A song in plain text for musicians: form, chords by the bar, who plays when, and every bar as a step grid.

Only text comes out; pictures are in `pianoroll`. Names are spelled in the key of the place.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence

from songwright.errors import InputError
from songwright.score.drums import DRUM_NAMES
from songwright.score.song import TICKS_PER_QUARTER, ChordSpan, MeterChange, Note, Section, Song, Track
from songwright.score.theory import parse_key, signature_of, spell

_BLOCKS = " ▁▂▃▄▅▆▇█"
_COLOURS = {"melody": 33, "vocal": 33, "backing_vocal": 33, "counter_melody": 93, "chords": 36, "pad": 34, "bass": 32,
            "drums": 31, "percussion": 35, "effects": 90}  # fmt: skip
_LABEL = 15
_CELL = 4
_FIRST_BARS = 2
"""How many bars of each section `describe` writes out."""


class _Reader:
    """Finds what happens in each bar of a song.

    Args:
        song: what is shown.
        color: whether ANSI colours are written.
    """

    def __init__(self, song: Song, *, color: bool = False) -> None:
        self.song = song
        self.color = color
        self.bars = song.bar_starts() or (0,)
        self.ends = (*self.bars[1:], max(song.duration_ticks, self.bars[-1] + 1))
        self._notes: dict[str, dict[int, list[Note]]] = {}
        texts = {s.id: s.text for s in song.syllables}
        self.words: dict[int | None, tuple[str, int]] = {}
        for track in song.tracks:
            by_bar: dict[int, list[Note]] = defaultdict(list)
            for note in track.notes:
                by_bar[self.bar_at(note.start_ticks)].append(note)
                if note.syllable in texts:
                    self.words.setdefault(note.syllable, (texts[note.syllable], note.start_ticks))
            self._notes[track.id] = by_bar

    def bar_at(self, tick: int) -> int:
        """Returns the bar of a tick, counted from 0."""
        return max(0, bisect_right(self.bars, tick) - 1)

    def notes(self, track: Track, bar: int) -> list[Note]:
        """Returns the notes that begin in a bar."""
        return self._notes[track.id].get(bar, [])

    def meter(self, bar: int) -> MeterChange:
        """Returns the metre of a bar."""
        return [m for m in self.song.meters if m.tick <= self.bars[bar]][-1]

    def section(self, bar: int) -> Section | None:
        """Returns the section of a bar."""
        tick = self.bars[bar]
        return next((s for s in self.song.sections if s.start_ticks <= tick < s.end_ticks), None)

    def chords(self, bar: int) -> list[ChordSpan]:
        """Returns the chords that sound in a bar."""
        start, end = self.bars[bar], self.ends[bar]
        return [c for c in self.song.chords if c.start_ticks < end and c.end_ticks > start]

    def pitch(self, note: Note) -> str:
        """Returns the name of a note, spelled in its key: ``"Bb4"``."""
        key = [k for k in self.song.keys if k.tick <= note.start_ticks][-1].key
        name = spell(note.pitch % 12, signature_of(key), parse_key(key).mode)
        octave = note.pitch // 12 - 1 + (name.startswith("C") and "b" in name) - (name.startswith("B") and "#" in name)
        return f"{name}{octave}"

    def paint(self, text: str, code: int) -> str:
        """Returns the text in a colour, if colours are wanted."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.color else text

    def head(self, text: str) -> str:
        """Returns a heading."""
        return self.paint(text, 1)


def describe(song: Song, *, width: int = 100, color: bool = False) -> str:
    """Returns the song as text: what it is, its form, its chords, who plays when, and the first bars of each section.

    Args:
        song: any song; parts that it lacks (imported music has no sections) are left out.
        width: columns to use, at least 80.
        color: whether to write ANSI colours.
    """
    reader = _Reader(song, color=color)
    width = max(80, width)
    parts = [_title(reader), _form(reader), _chord_chart(reader, width), _activity(reader, width)]
    places = [reader.bar_at(s.start_ticks) for s in song.sections] or [0]
    shown = sorted({b for p in places for b in range(p, min(p + _FIRST_BARS, len(reader.bars)))})
    parts.append([reader.head("FIRST BARS OF EACH SECTION" if song.sections else "FIRST BARS"), _LEGEND])
    parts.append([line for bar in shown for line in _bar(reader, bar, width)])
    return "\n".join(line.rstrip() for part in parts if part for line in (*part, "")).rstrip() + "\n"


def describe_bars(song: Song, first: int, last: int, *, width: int = 100, color: bool = False) -> str:
    """Returns bars `first` to `last` (counted from 1, both shown) of every track.

    Raises:
        InputError: there are no such bars.
    """
    reader = _Reader(song, color=color)
    if not 1 <= first <= last or first > len(reader.bars):
        raise InputError(f"bars {first} to {last}: this song has bars 1 to {len(reader.bars)}")
    bars = range(first - 1, min(last, len(reader.bars)))
    lines = [_LEGEND, "", *(line for bar in bars for line in _bar(reader, bar, max(80, width)))]
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


_LEGEND = "(drums: X accent, x hit, o ghost; [n] a chord of n notes, listed below it, = the same again)"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _title(reader: _Reader) -> list[str]:
    song = reader.song
    tempos = [f"{t.bpm:.4g}" for t in song.tempos]
    meters = " ".join(dict.fromkeys(f"{m.numerator}/{m.denominator}" for m in song.meters))
    keys = " → ".join(k.key for k in song.keys[:6])
    tempo = f"{tempos[0]} bpm" if len(tempos) == 1 else f"{tempos[0]} bpm ({len(tempos)} tempos)"
    facts = [keys, tempo, meters, *([f"swing {song.swing:.2g}"] if song.swing else [])]
    facts += [_clock(song.duration_seconds), f"{len(reader.bars)} bars", f"{len(song.tracks)} tracks"]
    about = f"style {song.style}, seed {song.seed}" if song.style else ""
    return [reader.head(song.title) + (f"   ({about})" if about else ""), " · ".join(facts)]


def _form(reader: _Reader) -> list[str]:
    if not reader.song.sections:
        return []
    lines = [reader.head("FORM"), f"  {'bars':>9}  {'time':>5}  {'section':<18} {'role':<12} energy"]
    for s in reader.song.sections:
        first = reader.bar_at(s.start_ticks) + 1
        last = reader.bar_at(s.end_ticks - 1) + 1
        bar = "█" * round(s.energy * 20)
        at = _clock(reader.song.seconds_at(s.start_ticks))
        lines.append(f"  {f'{first}-{last}':>9}  {at:>5}  {s.label:<18} {s.role:<12} {bar:<20} {s.energy:.2f}")
    return lines


def _chord_chart(reader: _Reader, width: int) -> list[str]:
    """Returns the chords as a chart: four or eight bars a line; a dot is a beat on which the chord stays."""
    if not reader.song.chords:
        return []
    lines = [reader.head("CHORDS")]
    spans = [(s.label, reader.bar_at(s.start_ticks), reader.bar_at(s.end_ticks - 1)) for s in reader.song.sections]
    texts = [_bar_chords(reader, b) for b in range(len(reader.bars))]
    seen: dict[tuple[str, ...], str] = {}
    for label, first, last in spans or [("", 0, len(reader.bars) - 1)]:
        chart = tuple(texts[first : last + 1])
        if chart in seen:
            lines.append(f"  {label:<{_LABEL}} as {seen[chart]}")
            continue
        seen[chart] = label
        cell = max(7, *(len(t) for t in chart)) + 1
        row = next((n for n in (8, 4, 2) if n * (cell + 2) + _LABEL + 4 <= width), 1)
        for i in range(0, len(chart), row):
            name = label if i == 0 else ""
            lines.append(f"  {name:<{_LABEL}} | " + " | ".join(f"{t:<{cell - 1}}" for t in chart[i : i + row]) + " |")
    return lines


def _beat_ticks(meter: MeterChange) -> int:
    """Returns the felt beat: the dotted quarter in compound metres."""
    if meter.denominator == 8 and meter.numerator % 3 == 0 and meter.numerator > 3:
        return TICKS_PER_QUARTER * 3 // 2
    return TICKS_PER_QUARTER * 4 // meter.denominator


def _bar_chords(reader: _Reader, bar: int) -> str:
    spans = reader.chords(bar)
    start, beat = reader.bars[bar], _beat_ticks(reader.meter(bar))
    if not spans:
        return "-"
    if len(spans) == 1:
        return spans[0].symbol if spans[0].start_ticks >= start else "%"
    words, at = [], start
    for span in spans:
        held = (max(span.start_ticks, start) - at) // beat
        words += ["."] * max(0, held - 1) + [span.symbol if span.start_ticks >= start else "%"]
        at = max(span.start_ticks, start)
    return " ".join([*words, *["."] * max(0, (reader.ends[bar] - at) // beat - 1)])


def _activity(reader: _Reader, width: int) -> list[str]:
    """Returns who plays when: a column for one bar or more, its height the notes in it."""
    count = len(reader.bars)
    marks = {reader.bar_at(s.start_ticks) for s in reader.song.sections if s.start_ticks}
    room = width - 46 - len(marks)
    group = -(-count // max(8, room))
    scale = "one column a bar" if group == 1 else f"one column for {group} bars"
    lines = [reader.head("WHO PLAYS") + f"  ({scale}, height = notes; then notes, range, instrument)"]
    if reader.song.sections:
        lines.append(f"  {'':<{_LABEL}} " + _section_ruler(reader, group))
    for track in reader.song.tracks:
        sums = [
            sum(len(reader.notes(track, b)) for b in range(g, min(g + group, count))) for g in range(0, count, group)
        ]
        most = max([*sums, 1])
        columns = ""
        for i, n in enumerate(sums):
            if any(b in marks for b in range(i * group, (i + 1) * group)):
                columns += "|"
            columns += _BLOCKS[0 if n == 0 else max(1, round(8 * n / most))]
        extent = ""
        if track.notes and not track.is_drums:
            extent = "-".join(reader.pitch(f(track.notes, key=lambda n: n.pitch)) for f in (min, max))
        text = f"  {track.id[:_LABEL]:<{_LABEL}} {columns} {len(track.notes):>5} {extent:<9} {track.instrument}"
        lines.append(reader.paint(text, _COLOURS.get(track.role, 37)))
    return lines


def _section_ruler(reader: _Reader, group: int) -> str:
    text = ""
    column = 0
    for i, s in enumerate(reader.song.sections):
        begin = reader.bar_at(s.start_ticks) // group + i
        if begin >= column:
            text += " " * (begin - column)
            following = reader.song.sections[i + 1 :]
            end = reader.bar_at(following[0].start_ticks) // group + i if following else begin + 20
            label = s.label[: max(1, end - begin)]
            text += label
            column = begin + len(label)
    return text


def _bar(reader: _Reader, bar: int, width: int) -> Iterator[str]:
    """Yields one bar: a heading, then a row for each track that sounds and for each drum."""
    section = reader.section(bar)
    label = f" · {section.label}" if section else ""
    meter = reader.meter(bar)
    yield reader.head(f"bar {bar + 1}{label} · {meter.numerator}/{meter.denominator} · {_bar_chords(reader, bar)}")
    step = _step(reader, bar)
    columns = -(-(reader.ends[bar] - reader.bars[bar]) // step)
    beat = max(1, _beat_ticks(meter) // step)
    ruler = [str(i // beat + 1) if i % beat == 0 else "·" for i in range(columns)]
    yield f"  {'':<{_LABEL}} " + _cells(ruler, beat)
    for track in reader.song.tracks:
        notes = reader.notes(track, bar)
        if not notes:
            continue
        code = _COLOURS.get(track.role, 37)
        for name, row in _track_rows(reader, track, bar, step, columns):
            text = _cells(row, beat) if isinstance(row, list) else row
            yield reader.paint(f"  {name[:_LABEL]:<{_LABEL}} {text[: max(width, 100)]}", code)
    yield ""


def _words_row(reader: _Reader, notes: Sequence[Note], places: Sequence[int]) -> str:
    """Returns the syllables under their notes, cut where the next begins; a note that goes on with one has a tilde."""
    row = ""
    for note, at in zip(notes, places, strict=True):
        if note.syllable in reader.words:
            text, first = reader.words[note.syllable]
            row = f"{row[: at * _CELL]:<{at * _CELL + 1}}{text if first == note.start_ticks else '~'}"
    return row


def _cells(row: Sequence[str], beat: int) -> str:
    return "".join(("|" if i % beat == 0 else " ") + f"{text:<{_CELL - 1}}" for i, text in enumerate(row)) + "|"


def _step(reader: _Reader, bar: int) -> int:
    """Returns the coarsest grid on which nearly all notes of a bar begin."""
    starts = [n.start_ticks - reader.bars[bar] for t in reader.song.tracks for n in reader.notes(t, bar)]
    for step in (240, 320, 160, 120):
        if sum(min(s % step, step - s % step) > 15 for s in starts) <= len(starts) // 10:
            return step
    return 240


def _track_rows(
    reader: _Reader, track: Track, bar: int, step: int, columns: int
) -> Iterator[tuple[str, list[str] | str]]:
    notes = reader.notes(track, bar)
    start = reader.bars[bar]

    def column(tick: int) -> int:
        return min(columns - 1, (tick - start + step // 2) // step)

    if track.is_drums:
        for pitch in sorted({n.pitch for n in notes}, key=lambda p: (p not in (35, 36), p not in (37, 38, 39, 40), p)):
            row = ["."] * columns
            for n in notes:
                if n.pitch == pitch:
                    row[column(n.start_ticks)] = "X" if n.velocity >= 105 else "x" if n.velocity >= 50 else "o"
            name = DRUM_NAMES.get(pitch, str(pitch)).replace("_", " ")
            yield (f"{name}" if track.role == "drums" else f"{name} *"), row
        return
    row = ["."] * columns
    last: tuple[str, ...] = ()
    stacks: dict[int, list[Note]] = defaultdict(list)
    for n in notes:
        stacks[column(n.start_ticks)].append(n)
    events = []
    for at, stack in sorted(stacks.items()):
        names = tuple(reader.pitch(n) for n in sorted(stack, key=lambda n: n.pitch))
        longest = max(n.end_ticks for n in stack)
        for i in range(at + 1, min(columns, (longest - start + step // 2) // step)):
            row[i] = "-"
        row[at] = names[0] if len(names) == 1 else "=" if names == last else f"[{len(names)}]"
        if names != last and len(names) > 1:
            events.append(" ".join(names))
        last = names
    yield track.id, row
    if track.role in ("vocal", "backing_vocal") and any(n.syllable is not None for n in notes):
        yield "", _words_row(reader, notes, [column(n.start_ticks) for n in notes])
    if events:
        yield "", "  " + " → ".join(events)
