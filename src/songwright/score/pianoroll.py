"""The song as a picture: a piano roll by sections, drums in lanes below, for the song's folder and the README.

Drawn with Pillow and its built-in font, so the same song gives the same pixels everywhere. That font has the letters of
ASCII only: accents are left off, Cyrillic is written in Latin letters, and a title or label in Chinese gives way to
the style or the section's role.
"""

import io
import math
import unicodedata
from bisect import bisect_right
from typing import TYPE_CHECKING

from songwright.score.drums import DRUM_GROUPS, drum_group
from songwright.score.song import ChordSpan, Section, Song, Track

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

Colour = tuple[int, int, int]

WIDTH = 1600
_MARGIN, _GUTTER = 24, 76
_HEAD, _BAND, _CHORDS, _LANE, _GAP = 92, 26, 20, 13, 26
_PITCH_PX_MAX, _ROLL_PX = 6, 230
_BARS_PER_ROW = 24
_MAX_ROWS = 24

_BACKGROUND, _PAPER, _BLACK_KEYS = (17, 19, 26), (27, 30, 40), (23, 26, 34)
_LINE, _BAR_LINE, _TEXT, _DIM = (44, 48, 62), (62, 68, 86), (232, 234, 240), (148, 154, 172)
_ROLES: dict[str, Colour] = {
    "vocal": (255, 199, 64), "melody": (255, 199, 64), "backing_vocal": (255, 224, 150),
    "counter_melody": (255, 138, 92),
    "chords": (86, 180, 233), "pad": (78, 110, 190), "bass": (90, 205, 140), "drums": (226, 96, 110),
    "percussion": (200, 120, 200), "effects": (140, 146, 160),
}  # fmt: skip
_SECTIONS: dict[str, Colour] = {
    "intro": (70, 84, 110), "verse": (52, 104, 130), "prechorus": (104, 92, 150), "chorus": (168, 84, 64),
    "bridge": (112, 110, 60), "solo": (148, 112, 40), "interlude": (70, 92, 92), "build": (126, 84, 124),
    "drop": (180, 70, 84), "breakdown": (58, 84, 120), "outro": (70, 78, 92), "theme": (150, 96, 52),
    "head": (150, 96, 52),
}  # fmt: skip
_ORDER = ("pad", "effects", "chords", "bass", "counter_melody", "backing_vocal", "melody", "vocal")
"""Roles from the back of the picture to the front."""

_CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "yo", "ж": "zh", "з": "z", "и": "i", "й": "y",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
    "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya",
    "і": "i", "ї": "yi", "є": "ye", "ґ": "g",
}  # fmt: skip


def drawable(text: str, instead: str) -> str:
    """Returns text in the letters that the built-in font has; `instead` where most of it is in another script."""
    latin = ""
    for letter in text:
        known = _CYRILLIC.get(letter.lower())
        latin += letter if known is None else known.capitalize() if letter.isupper() else known
    plain = unicodedata.normalize("NFKD", latin)
    kept = "".join(c for c in plain if " " <= c <= "~")
    lost = sum(not (" " <= c <= "~") and not unicodedata.combining(c) for c in plain)
    return kept.strip() if kept.strip() and 2 * lost <= len(kept.strip()) else instead


class _Row:
    """One line of bars of the picture.

    Args:
        start: first tick.
        end: tick after the last.
        span: ticks that the whole width stands for.
        top: y of the section band.
    """

    def __init__(self, start: int, end: int, span: int, top: int) -> None:
        self.start, self.end, self.top = start, end, top
        self._scale = (WIDTH - 2 * _MARGIN - _GUTTER) / span

    def x(self, tick: float) -> float:
        """Returns the place of a tick, kept inside the row."""
        return _MARGIN + _GUTTER + (min(max(tick, self.start), self.end) - self.start) * self._scale


class _Sheet:
    """Sizes and tools of one picture.

    Args:
        song: what is drawn.
    """

    def __init__(self, song: Song) -> None:
        from PIL import ImageFont

        self.song = song
        self.fonts = {size: ImageFont.load_default(size) for size in (11, 13, 15, 26)}
        pitches = [n.pitch for t in song.tracks if not t.is_drums for n in t.notes] or [48, 72]
        self.low, self.high = min(pitches) - 1, max(pitches) + 1
        self.pitch_px = max(2, min(_PITCH_PX_MAX, _ROLL_PX // (self.high - self.low + 1)))
        self.roll = (self.high - self.low + 1) * self.pitch_px
        groups = {drum_group(n.pitch) for t in song.tracks if t.is_drums for n in t.notes}
        self.lanes = [g for g in DRUM_GROUPS if g in groups]
        self.row_height = _BAND + _CHORDS + self.roll + 6 + len(self.lanes) * _LANE + _GAP
        self.bars = song.bar_starts() or (0,)
        self.rows = self._rows()
        self.height = _HEAD + len(self.rows) * self.row_height + 14

    def _rows(self) -> list[_Row]:
        """Returns rows of whole bars; a row breaks where a section begins if that wastes less than a third of it."""
        count = len(self.bars)
        per_row = max(_BARS_PER_ROW, math.ceil(count / _MAX_ROWS))
        begins = {bisect_right(self.bars, s.start_ticks) - 1 for s in self.song.sections}
        cuts = [0]
        while count - cuts[-1] > per_row:
            full = cuts[-1] + per_row
            cuts.append(max((b for b in begins if cuts[-1] + per_row * 2 / 3 <= b <= full), default=full))
        ends = [*cuts[1:], count]
        edge = (*self.bars, max(self.song.duration_ticks, self.bars[-1] + 1))
        span = max(edge[b] - edge[a] for a, b in zip(cuts, ends, strict=True))
        return [
            _Row(edge[a], edge[b], span, _HEAD + i * self.row_height)
            for i, (a, b) in enumerate(zip(cuts, ends, strict=True))
        ]

    def pitch_y(self, row: _Row, pitch: int) -> int:
        """Returns the top of a pitch's line."""
        return row.top + _BAND + _CHORDS + (self.high - pitch) * self.pitch_px

    def font(self, size: int) -> "ImageFont | FreeTypeFont":
        """Returns the built-in font in a size."""
        return self.fonts[size]


def draw_piano_roll(song: Song) -> "Image":
    """Returns the picture, 1600 pixels wide and as tall as the song needs.

    Notes are coloured by the role of their track and brighter when louder; each row has its sections with their energy,
    its chords, the roll, and a lane for each group of drums.
    """
    from PIL import Image, ImageDraw

    sheet = _Sheet(song)
    image = Image.new("RGB", (WIDTH, sheet.height), _BACKGROUND)
    draw = ImageDraw.Draw(image)
    _heading(draw, sheet)
    for row in sheet.rows:
        _paper(draw, sheet, row)
        for section in song.sections:
            _section(draw, sheet, row, section)
        for chord in song.chords:
            _chord(draw, sheet, row, chord)
    melodic = [t for t in song.tracks if not t.is_drums]
    for track in sorted(melodic, key=lambda t: _ORDER.index(t.role) if t.role in _ORDER else 0):
        _notes(draw, sheet, track)
    for track in song.tracks:
        if track.is_drums:
            _drums(draw, sheet, track)
    return image


def to_png_bytes(song: Song) -> bytes:
    """Returns the picture as PNG; the same song gives the same bytes."""
    out = io.BytesIO()
    draw_piano_roll(song).quantize(128, method=2, dither=0).save(out, "PNG", compress_level=6)
    return out.getvalue()


def _heading(draw: "ImageDraw", sheet: _Sheet) -> None:
    """Draws title, facts and the legend of roles."""
    song = sheet.song
    draw.text(
        (_MARGIN, 14),
        drawable(song.title, song.style.replace("_", " ") or "Song")[:90],
        font=sheet.font(26),
        fill=_TEXT,
    )
    seconds = int(song.duration_seconds)
    facts = [song.style.replace("_", " "), song.keys[0].key, f"{song.tempos[0].bpm:.4g} bpm"]
    facts += [f"{song.meters[0].numerator}/{song.meters[0].denominator}", f"{seconds // 60}:{seconds % 60:02d}"]
    text = "   ".join(f for f in facts if f)
    draw.text((_MARGIN, 52), text, font=sheet.font(15), fill=_DIM)
    _legend(draw, sheet)


def _legend(draw: "ImageDraw", sheet: _Sheet) -> None:
    """Draws the tracks' names in their colours, the lead first; backing voices give way where there is no room."""
    tracks = sorted(sheet.song.tracks, key=lambda t: t.role == "backing_vocal")
    shown: list[tuple[str, Colour, int]] = []
    room = WIDTH - _MARGIN - 520
    for track in tracks:
        name = drawable(track.id, track.role)[:18]
        width = int(draw.textlength(name, font=sheet.font(13))) + 26
        if width > room:
            break
        room -= width
        shown.append((name, _ROLES.get(track.role, _DIM), width))
    x = WIDTH - _MARGIN - sum(width for _, _, width in shown)
    for name, colour, width in shown:
        draw.rounded_rectangle((x, 57, x + 11, 68), 2, fill=colour)
        draw.text((x + 16, 54), name, font=sheet.font(13), fill=_DIM)
        x += width


def _paper(draw: "ImageDraw", sheet: _Sheet, row: _Row) -> None:
    """Draws the empty roll: keys, lanes, bar lines with numbers, and names of the Cs."""
    left, right = row.x(row.start), row.x(row.end)
    top = sheet.pitch_y(row, sheet.high)
    bottom = top + sheet.roll
    lanes = bottom + 6 + len(sheet.lanes) * _LANE
    draw.rectangle((left, top, right, bottom - 1), fill=_PAPER)
    for pitch in range(sheet.low, sheet.high + 1):
        y = sheet.pitch_y(row, pitch)
        if pitch % 12 in (1, 3, 6, 8, 10):
            draw.rectangle((left, y, right, y + sheet.pitch_px - 1), fill=_BLACK_KEYS)
        if pitch % 12 == 0:
            draw.line((left, y + sheet.pitch_px, right, y + sheet.pitch_px), fill=_LINE)
            name = f"C{pitch // 12 - 1}"
            draw.text((left - 8, y), name, font=sheet.font(11), fill=_DIM, anchor="rm")
    for i, lane in enumerate(sheet.lanes):
        y = bottom + 6 + i * _LANE
        draw.rectangle((left, y, right, y + _LANE - 2), fill=_PAPER)
        draw.text((left - 8, y + _LANE // 2 - 1), lane, font=sheet.font(11), fill=_DIM, anchor="rm")
    shown = [(i, b) for i, b in enumerate(sheet.bars) if row.start <= b < row.end]
    every = max(1, math.ceil(len(shown) / 48))
    for i, bar in shown:
        x = row.x(bar)
        if i % every == 0:
            draw.line((x, top, x, lanes - 2), fill=_BAR_LINE)
        if i % (every * 4) == 0 or bar == row.start:
            draw.text((x + 2, lanes), str(i + 1), font=sheet.font(11), fill=_DIM)


def _section(draw: "ImageDraw", sheet: _Sheet, row: _Row, section: Section) -> None:
    """Draws a section's band, filled as far up as its energy, and its name."""
    if section.end_ticks <= row.start or section.start_ticks >= row.end:
        return
    left, right = row.x(section.start_ticks), row.x(section.end_ticks) - 2
    colour = _SECTIONS.get(section.role, _LINE)
    dim = (colour[0] // 2 + 8, colour[1] // 2 + 8, colour[2] // 2 + 8)
    top, bottom = row.top, row.top + _BAND - 4
    draw.rectangle((left, top, right, bottom), fill=dim)
    height = round((bottom - top) * section.energy)
    draw.rectangle((left, bottom - height, right, bottom), fill=colour)
    if section.start_ticks >= row.start:
        label = f"{drawable(section.label, section.role)}  {section.energy:.2f}"
        while label and draw.textlength(label, font=sheet.font(13)) > right - left - 8:
            label = label[:-1]
        draw.text((left + 6, top + 3), label, font=sheet.font(13), fill=_TEXT)
        draw.line((left, top, left, sheet.pitch_y(row, sheet.low) + 6 + len(sheet.lanes) * _LANE), fill=_DIM)


def _chord(draw: "ImageDraw", sheet: _Sheet, row: _Row, chord: ChordSpan) -> None:
    if not row.start <= chord.start_ticks < row.end:
        return
    left, right = row.x(chord.start_ticks), row.x(chord.end_ticks)
    size = 13 if draw.textlength(chord.symbol, font=sheet.font(13)) < right - left - 3 else 11
    if draw.textlength(chord.symbol, font=sheet.font(size)) < right - left:
        draw.text((left + 3, row.top + _BAND - 2), chord.symbol, font=sheet.font(size), fill=_TEXT)


def _shade(colour: Colour, velocity: int) -> Colour:
    """Returns the colour of a note: quiet ones darker, in eight steps."""
    share = 0.5 + 0.5 * min(1.0, (velocity // 16 + 1) / 8)
    return (round(colour[0] * share), round(colour[1] * share), round(colour[2] * share))


def _notes(draw: "ImageDraw", sheet: _Sheet, track: Track) -> None:
    colour = _ROLES.get(track.role, _DIM)
    thick = sheet.pitch_px + (track.role in ("melody", "vocal", "bass"))
    starts = [row.start for row in sheet.rows]
    for note in track.notes:
        begin, end = note.start_ticks + note.offset_ticks, note.end_ticks + note.offset_ticks
        for row in sheet.rows[max(0, bisect_right(starts, begin) - 1) :]:
            if row.start >= end:
                break
            left, right = row.x(begin), row.x(end)
            if right - left >= 0.5:
                y = sheet.pitch_y(row, note.pitch)
                box = (left, y, max(left + 1.5, right - 1.2), y + thick - 1)
                draw.rectangle(box, fill=_shade(colour, note.velocity))


def _drums(draw: "ImageDraw", sheet: _Sheet, track: Track) -> None:
    """Draws hits in the lane of their group, as high as they are loud."""
    colour = _ROLES.get(track.role, _DIM)
    starts = [row.start for row in sheet.rows]
    for note in track.notes:
        at = max(0, note.start_ticks + note.offset_ticks)
        row = sheet.rows[max(0, bisect_right(starts, at) - 1)]
        x = row.x(at)
        lane = sheet.lanes.index(drum_group(note.pitch))
        bottom = sheet.pitch_y(row, sheet.low) + sheet.pitch_px + 6 + (lane + 1) * _LANE - 3
        height = max(2, round((_LANE - 3) * note.velocity / 127))
        draw.rectangle((x, bottom - height, x + 2.5, bottom), fill=_shade(colour, note.velocity))
