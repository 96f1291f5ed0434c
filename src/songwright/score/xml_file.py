"""XML from strangers: unzipped, parsed and bounded. What the elements mean is in `musicxml_import`."""

import contextlib
import io
import zipfile
import zlib
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from songwright.errors import DataError, InputError

MAX_BYTES = 64_000_000


def load_xml(path: Path) -> bytes:
    """Returns the XML, unzipped if need be, never more than the limit."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror}") from error
    if data[:2] == b"PK":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(_inside(archive, path)) as file:
                data = file.read(MAX_BYTES + 1)
        except (zipfile.BadZipFile, zlib.error, KeyError, OSError, RuntimeError, EOFError) as error:
            raise DataError(path, f"a broken .mxl archive: {error}") from error
    if len(data) > MAX_BYTES:
        raise DataError(path, f"larger than {MAX_BYTES // 1_000_000} MB: this is no song")
    return data


def _inside(archive: zipfile.ZipFile, path: Path) -> str:
    """Returns the name of the score in an archive: what the container says, else the first XML file."""
    names = archive.namelist()
    if "META-INF/container.xml" in names:
        with archive.open("META-INF/container.xml") as file, contextlib.suppress(DataError):
            root = parse_xml(file.read(100_000), path)
            found = [e.get("full-path", "") for e in root.iter() if e.tag.endswith("rootfile")]
            if found and found[0] in names:
                return found[0]
    xml = [n for n in names if n.lower().endswith((".xml", ".musicxml")) and not n.startswith("META-INF")]
    if not xml:
        raise DataError(path, "no score in this .mxl archive")
    return xml[0]


def parse_xml(data: bytes, path: Path) -> Element:
    """Returns the tree; entity declarations are refused, external files are never opened."""
    parser = expat.ParserCreate()
    builder = TreeBuilder()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > 64:
            raise DataError(path, "elements nested 64 deep: this is no MusicXML")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: object) -> None:
        raise DataError(path, "it declares entities, which no score needs: refused")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = refuse
    parser.buffer_text = True
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise DataError(path, f"not well-formed XML: {error}") from error
    return builder.close()


def number(text: str | None, default: float = 0.0) -> int | float:
    """Returns a number, whole where it is one."""
    value = float(text) if text and text.strip() else default
    if not abs(value) < 1e9:
        raise InputError(f"number {text} out of range")
    return int(value) if value == int(value) else value
