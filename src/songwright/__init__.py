"""songwright: one sentence becomes a finished song, written as a score first.

>>> import songwright
>>> recording = songwright.make("an upbeat disco song about the sea")  # doctest: +SKIP
>>> recording.mix  # doctest: +SKIP
"""

import shutil
import tempfile
import weakref
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from songwright.engines.recording import Recording

__version__ = "0.1.0"
__all__ = ["make"]


def make(
    prompt: str, folder: str | Path | None = None, *, seed: int = 0, force: bool = False, **said: Any
) -> "Recording":
    """Returns the finished song that a sentence asks for; in a notebook it plays itself.

    Args:
        prompt: what to make, in English, Chinese or Russian.
        folder: where its files go; None keeps them in a temporary folder as long as the recording lives.
        seed: another number, another song.
        force: whether an existing folder may be replaced.
        **said: fields of `brief.brief.Brief` that win over the prompt, e.g. ``tempo_bpm=92``, ``styles=("jazz",)``.

    Raises:
        InputError: the prompt, a field or the folder cannot be used.
    """
    from songwright.brief.checks import validate
    from songwright.brief.llm import understand
    from songwright.engines.score import Output, make_song

    brief = replace(understand(prompt).with_said(**said), seed=seed)
    validate(brief)
    if folder is not None:
        return make_song(brief, Path(folder), output=Output(force=force))
    keep = Path(tempfile.mkdtemp(prefix="songwright-"))
    try:
        recording = make_song(brief, keep / "song")
    except BaseException:
        shutil.rmtree(keep, ignore_errors=True)
        raise
    weakref.finalize(recording, shutil.rmtree, keep, ignore_errors=True)
    return recording
