"""One door for every score file: JSON, MIDI, MusicXML, or a song's folder."""

from pathlib import Path

from songwright.errors import DataError, InputError
from songwright.score.song import Song, from_json

MAX_JSON_BYTES = 200_000_000


def read_score(path: Path) -> Song:
    """Returns the song in a file, or in the ``song.json`` of a song's folder.

    Raises:
        InputError: there is no such file, or it is of no known kind.
        DataError: the file is broken.
    """
    if path.is_dir():
        path = path / "song.json"
    if not path.is_file():
        raise InputError(f"{path} is not there: give a song's folder, song.json, .mid, .musicxml or .mxl")
    kind = path.suffix.lower()
    if kind == ".json":
        if path.stat().st_size > MAX_JSON_BYTES:
            raise DataError(path, "larger than 200 MB: this is no song")
        try:
            return from_json(path.read_text(encoding="utf-8"))
        except (InputError, UnicodeDecodeError) as error:
            raise DataError(path, str(error)) from error
    if kind in (".mid", ".midi", ".kar", ".smf"):
        from songwright.score.midi import read_midi

        return read_midi(path)
    if kind in (".musicxml", ".xml", ".mxl"):
        from songwright.score.musicxml import read_musicxml

        return read_musicxml(path)
    raise InputError(f"{path}: files of kind '{kind}' are not read; give song.json, .mid, .musicxml or .mxl")
