"""Where the learned composer lies, how it is opened, and what it judges when a song is composed."""

from pathlib import Path

from songwright.compose.judges import Judges
from songwright.compose.learned.drummer import LearnedDrummer
from songwright.compose.learned.onnx_steps import CONFIG, OnnxStepModel, read_config
from songwright.compose.learned.takes import LearnedHarmony, LearnedTakes
from songwright.compose.learned.tunes import TuneNetwork
from songwright.compose.tokens.features import FEATURES
from songwright.compose.tokens.vocabulary import vocabulary_hash
from songwright.errors import CheckpointError, InputError

SHIPPED = Path(__file__).parent / "model"
"""The composer that comes with the program."""


def has_composer(folder: Path | None = None) -> bool:
    """Returns whether there is a composer to be opened."""
    return ((folder or SHIPPED) / CONFIG).is_file()


def load_composer(folder: Path | None = None, *, threads: int = 2) -> OnnxStepModel:
    """Returns the composer's network.

    Args:
        folder: what `songwright export` wrote; None for the one that comes with the program.
        threads: of one operation.

    Raises:
        InputError: none comes with this program and none was named.
        CheckpointError: the folder holds none, or one of another event language.
    """
    if folder is None and not has_composer():
        raise InputError("no learned composer comes with this copy of the program: name one with --composer FOLDER")
    folder = folder or SHIPPED
    config = read_config(folder)
    if config["vocabulary_hash"] != vocabulary_hash():
        raise CheckpointError(
            folder, f"it writes the event language {config['vocabulary_hash']}, this program {vocabulary_hash()}"
        )
    if tuple(config.get("features", FEATURES)) != tuple(FEATURES):
        raise CheckpointError(folder, "it was trained on other features than this program computes")
    return OnnxStepModel(folder, threads=threads)


def judges_of(model: OnnxStepModel) -> Judges:
    """Returns the judges of a song that ask a network."""
    return Judges(LearnedHarmony(model), TuneNetwork(model), LearnedTakes(model), LearnedDrummer(model))
