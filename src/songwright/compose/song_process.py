"""The process that composes candidates beside another: briefs on standard input, songs on standard output.

One JSON value a line: it says that it is ready, then takes briefs (as the text of `brief.to_json`) and answers each
with how much is done and at last with the song (as the text of `song.to_json`). It ends with its input, and at the
first brief that it cannot answer: `side_by_side` then composes that one itself and finds out why.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable

from songwright.brief.brief import Brief, from_json
from songwright.compose.composers import composer_named
from songwright.progress import Progress
from songwright.score.song import Song, to_json


def answer(compose: Callable[[Brief, Progress], Song], lines: Iterable[str], write: Callable[[str], object]) -> None:
    """Answers briefs until there are no more.

    Args:
        compose: answers one.
        lines: the briefs.
        write: takes the answers, a line each.

    Raises:
        InputError: a brief that cannot be read or answered.
    """

    def tell(**answer: object) -> None:
        write(json.dumps(answer) + "\n")

    def progress(stage: str, fraction: float) -> None:
        tell(done=fraction)

    tell(ready=True)
    for line in lines:
        tell(song=to_json(compose(from_json(json.loads(line)), progress)))


def main(composer: str) -> None:
    """Composes what standard input asks for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asks decides when this one ends
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # what libraries print is no answer

        def write(line: str) -> None:
            answers.write(line)
            answers.flush()

        answer(composer_named(composer), sys.stdin, write)


if __name__ == "__main__":
    main(sys.argv[1])
