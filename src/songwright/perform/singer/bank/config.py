"""What a voicebank's folder says of itself: `dsconfig.yaml`, phoneme list, languages, speaker, vocoder.

Nothing is loaded from outside the folder, except a vocoder that the bank only names: it lies among the user's voices.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.errors import DataError, InputError, MissingDependencyError

LARGEST_TEXT_BYTES = 32_000_000
VARIANCES = ("energy", "breathiness", "voicing", "tension")
_LN10 = 2.302585093


@dataclass(frozen=True)
class BankConfig:
    """A voicebank.

    Attributes:
        root: its folder, absolute.
        name: from `character.yaml`, otherwise the folder's.
        phonemes: tokens by name.
        languages: ids by language code; empty if the model is not told languages.
        acoustic, vocoder: ONNX files.
        sample_rate: of the sound.
        hop_length: samples in a frame.
        num_mel_bins: of the spectrum between the two models.
        mel_factor: what brings the acoustic model's logarithm to the vocoder's.
        speaker: (features,) of the first speaker, None for banks of one.
        max_depth: of shallow diffusion: 0 to 1; None if the model has no such input.
        continuous: whether steps are counted (rectified flow) rather than skipped.
    """

    root: Path
    name: str
    phonemes: dict[str, int]
    languages: dict[str, int]
    acoustic: Path
    vocoder: Path
    sample_rate: int
    hop_length: int
    num_mel_bins: int
    mel_factor: float
    speaker: NDArray[np.float32] | None
    max_depth: float | None
    continuous: bool


def voices_folder() -> Path:
    """Returns where the user's voices, banks and vocoders lie."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base else Path.home() / ".local" / "share") / "songwright" / "voices"


def read_config(folder: Path) -> BankConfig:
    """Returns what a folder says of itself.

    Raises:
        InputError: no such folder.
        DataError: a file is missing, cannot be read, or lies outside the folder.
        MissingDependencyError: no YAML reader.
    """
    root = folder.expanduser()
    if not root.is_dir():
        raise InputError(f"no voicebank at {folder}: expected a folder with dsconfig.yaml in it")
    root = root.resolve()
    path = root / "dsconfig.yaml"
    values = _mapping(read_yaml(_existing(path, "the voicebank's settings")), path)
    phonemes = _tokens(_named(root, path, values, "phonemes", "phonemes.txt"))
    languages = _languages(root, path, values)
    acoustic = _named(root, path, values, "acoustic", "")
    vocoder_file, vocoder = _vocoder(root, path, values)
    for key, usual in (("sample_rate", 44100), ("hop_size", 512), ("num_mel_bins", 128)):
        ours, theirs = _number(path, values, key, usual), _number(vocoder_file, vocoder, key, usual)
        if ours != theirs:
            raise DataError(vocoder_file, f"the vocoder's {key} is {theirs}, the bank's {ours}: they do not fit")
    depth_used = values.get("use_variable_depth", values.get("use_shallow_diffusion", False))
    continuous = bool(values.get("use_continuous_acceleration", False))
    depth = _positive(path, values.get("max_depth", 1.0 if continuous else 1000)) if depth_used else None
    return BankConfig(
        root=root,
        name=_character(root),
        phonemes=phonemes,
        languages=languages,
        acoustic=acoustic,
        vocoder=_named(vocoder_file.parent, vocoder_file, vocoder, "model", "model.onnx"),
        sample_rate=_number(path, values, "sample_rate", 44100),
        hop_length=_number(path, values, "hop_size", 512),
        num_mel_bins=_number(path, values, "num_mel_bins", 128),
        mel_factor=_base(path, values) / _base(vocoder_file, vocoder),
        speaker=_speaker(root, path, values),
        max_depth=None if depth is None else min(1.0, depth if continuous else depth / 1000),
        continuous=continuous,
    )


def read_yaml(path: Path) -> Any:
    """Returns what a YAML file holds: plain values only.

    Raises:
        DataError: it is too large, or no YAML.
        MissingDependencyError: no YAML reader.
    """
    try:
        import yaml
    except ModuleNotFoundError:
        raise MissingDependencyError("yaml", "voices") from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same safe subset, thirty times as fast
    try:
        return yaml.load(read_text(path), Loader=loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DataError(path, f"is no YAML: {str(error).splitlines()[0] if str(error) else 'too deep'}") from None


def read_text(path: Path) -> str:
    """Returns a text file of a bank.

    Raises:
        DataError: it cannot be read, or is too large.
    """
    try:
        if path.stat().st_size > LARGEST_TEXT_BYTES:
            raise DataError(path, f"is larger than {LARGEST_TEXT_BYTES // 1_000_000} MB, which no such file is")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(path, f"cannot be read as text ({error.__class__.__name__})") from None


def inside(root: Path, owner: Path, name: object) -> Path:
    """Returns the path that a bank's file names.

    Raises:
        DataError: it is no name, or leads out of the folder.
    """
    if not isinstance(name, str) or not name or "\0" in name:
        raise DataError(owner, f"expected the name of a file, came {str(name)[:40]!r}")
    path = (root / name.replace("\\", "/")).resolve()
    if not path.is_relative_to(root.resolve()):
        raise DataError(owner, f"names '{name[:80]}', which lies outside the voicebank; files must be inside it")
    return path


def _existing(path: Path, what: str) -> Path:
    if not path.is_file():
        raise DataError(path, f"is missing: {what}; copy the whole voicebank again")
    return path


def _mapping(value: Any, path: Path) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataError(path, "expected names and values, one on each line")
    return {str(k): v for k, v in value.items()}


def _named(root: Path, owner: Path, values: dict[str, Any], key: str, usual: str) -> Path:
    """Returns the existing file that a setting names."""
    return _existing(inside(root, owner, values.get(key, usual)), f"'{key}' of {owner.name}")


def _number(path: Path, values: dict[str, Any], key: str, usual: int) -> int:
    value = values.get(key, usual)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 400_000:
        raise DataError(path, f"{key} is {str(value)[:40]!r}: expected a whole number such as {usual}")
    return value


def _positive(path: Path, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 10_000:
        raise DataError(path, f"max_depth is {str(value)[:40]!r}: expected a number above 0")
    return float(value)


def _base(path: Path, values: dict[str, Any]) -> float:
    """Returns the natural logarithm of the base that spectra are logarithms to."""
    base = str(values.get("mel_base", "10"))
    if base not in ("10", "e"):
        raise DataError(path, f"mel_base is '{base[:20]}': expected 10 or e")
    return _LN10 if base == "10" else 1.0


def _tokens(path: Path) -> dict[str, int]:
    """Returns token numbers: of a JSON table, or the lines of a text file in order."""
    if path.suffix == ".json":
        table = _json(path)
        if not table or not all(isinstance(v, int) for v in table.values()):
            raise DataError(path, "expected a table of phonemes and their numbers")
        return table
    names = [line.strip() for line in read_text(path).splitlines()]
    found = {name: i for i, name in enumerate(names) if name}
    if not found:
        raise DataError(path, "holds no phonemes")
    return found


def _json(path: Path) -> dict[str, Any]:
    try:
        return _mapping(json.loads(read_text(path)), path)
    except (json.JSONDecodeError, RecursionError):
        raise DataError(path, "is no JSON") from None


def _languages(root: Path, path: Path, values: dict[str, Any]) -> dict[str, int]:
    if not values.get("use_lang_id"):
        return {}
    file = _named(root, path, values, "languages", "languages.json")
    return {name: int(number) for name, number in _json(file).items() if isinstance(number, int)}


def _speaker(root: Path, path: Path, values: dict[str, Any]) -> NDArray[np.float32] | None:
    """Returns the first speaker's features."""
    names = values.get("speakers")
    if not isinstance(names, list) or not names:
        return None
    file = _existing(inside(root, path, f"{names[0]}.emb"), "the speaker's features")
    data = file.read_bytes() if file.stat().st_size <= 65536 else b""
    if not data or len(data) % 4:
        raise DataError(file, "expected a few hundred 32-bit numbers, the features of a speaker")
    return np.frombuffer(data, dtype="<f4").astype(np.float32)


def _vocoder(root: Path, path: Path, values: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    """Returns the vocoder's settings: in the bank's folder, or among the user's voices."""
    name = values.get("vocoder", "")
    places = [root / "dsvocoder"]
    if isinstance(name, str) and name:
        places += [inside(root, path, name), voices_folder() / Path(name).name]
    for place in places:
        file = place / "vocoder.yaml"
        if file.is_file():
            return file, _mapping(read_yaml(file), file)
    raise DataError(
        path, f"needs the vocoder '{str(name)[:60]}': put its folder (vocoder.yaml and its ONNX) at {places[-1]}"
    )


def _character(root: Path) -> str:
    file = root / "character.yaml"
    value = read_yaml(file) if file.is_file() else None
    name = value.get("name") if isinstance(value, dict) else None
    return str(name)[:60] if name else root.name
