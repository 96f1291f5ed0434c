"""A small phoneme recogniser: log-mel frames → a network of convolutions → Viterbi. Inference in numpy alone.

It was trained by `recipes/recogniser` on spoken lines of espeak voices that no singer of the house uses. It decodes
freely (`recognise`) and places known phones in a sound (`align`). Times are seconds from the start of the waveform.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songwright.audio.resample import resample
from songwright.errors import InputError
from songwright.evaluation.mel import FRAME_RATE, SAMPLE_RATE, log_mel
from songwright.evaluation.phoneme_classes import SILENCE, phoneme_classes

Floats = NDArray[np.float32]

PRIOR_WEIGHT = 0.5
"""How much of a class's frequency in training is taken out of its posterior."""
BIGRAM_WEIGHT = 1.25
ENTRY_COST = 2.0
"""Nats that every new phone costs when decoding freely; the recipe chose it on the validation voices."""
VOWEL_FRAMES, CONSONANT_FRAMES = 5, 3
"""How long every phone lasts at least when known phones are placed, where the sound is long enough for that."""
EDGE_LOG_SCORE = -4.0
"""Before the first and after the last known phone anything may sound (a breath, a neighbour's end) at this score."""


@dataclass(frozen=True)
class Head:
    """What belongs to one language.

    Attributes:
        first, last: its outputs of the network.
        log_prior: (classes,) how often each class was heard in training.
        log_bigram: (classes, classes) of the next phone; class 0 stands for silence and the ends.
    """

    first: int
    last: int
    log_prior: Floats
    log_bigram: Floats


@dataclass(frozen=True)
class Network:
    """The weights.

    Attributes:
        weights: (taps, inputs, outputs) of every layer.
        biases: (outputs,).
        dilations: distance of taps in frames.
        head_weight: (channels, outputs); head_bias: (outputs,).
        heads: by language.
    """

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    dilations: tuple[int, ...]
    head_weight: Floats
    head_bias: Floats
    heads: dict[str, Head]


@dataclass(frozen=True, slots=True)
class HeardPhone:
    """A phone found in a sound.

    Attributes:
        name: of its class.
        start_seconds, end_seconds: where.
        log_score: mean log probability of the class over its frames (0 is certain).
    """

    name: str
    start_seconds: float
    end_seconds: float
    log_score: float


def load_network(path: Path | None = None) -> Network:
    """Returns the network in a file, or the one that comes with the package."""
    if path is not None:
        return _read(path)
    return _shipped()


def posteriors(waveform: Floats, sample_rate: int, language: str, network: Network | None = None) -> Floats:
    """Returns (frames, classes) log probabilities, `mel.FRAME_RATE` frames a second.

    Args:
        waveform: (samples,), one line of speech or song.
        sample_rate: hertz.
        language: ``en``, ``zh`` or ``ru``.
        network: other weights than the package's.

    Raises:
        InputError: the waveform is not mono, or the language is not known.
    """
    if waveform.ndim != 1:
        raise InputError(f"the recogniser hears mono (samples,), not an array of shape {waveform.shape}")
    phoneme_classes(language)
    return mel_posteriors(log_mel(resample(waveform.astype(np.float32), sample_rate, SAMPLE_RATE)), language, network)


def mel_posteriors(mel: Floats, language: str, network: Network | None = None) -> Floats:
    """Returns (frames, classes) log probabilities of (frames, bands) from `mel.log_mel`."""
    network = network or load_network()
    head = network.heads[language]
    x = _layers(mel, network)
    logits = x @ network.head_weight[:, head.first : head.last] + network.head_bias[head.first : head.last]
    logits -= logits.max(axis=1, keepdims=True)
    result: Floats = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return result


def recognise(
    waveform: Floats, sample_rate: int, language: str, network: Network | None = None
) -> tuple[HeardPhone, ...]:
    """Returns the phones heard in a line, silences left out.

    Raises:
        InputError: see `posteriors`.
    """
    network = network or load_network()
    log_posterior = posteriors(waveform, sample_rate, language, network)
    return decode(log_posterior, language, network)


def decode(log_posterior: Floats, language: str, network: Network | None = None) -> tuple[HeardPhone, ...]:
    """Returns the likeliest phones of (frames, classes) log probabilities: a loop of phones of at least two frames."""
    head = (network or load_network()).heads[language]
    scores = log_posterior - PRIOR_WEIGHT * head.log_prior
    jumps = BIGRAM_WEIGHT * head.log_bigram - ENTRY_COST
    np.fill_diagonal(jumps, -1e9)
    path = _loop_path(scores, jumps)
    names = phoneme_classes(language).names
    edges = np.flatnonzero(np.diff(path, prepend=-1, append=-1))
    return tuple(
        _heard(names[path[a]], a, b, log_posterior[a:b, path[a]])
        for a, b in pairwise(edges.tolist())
        if path[a] != SILENCE
    )


def align(log_posterior: Floats, classes: Sequence[int], language: str) -> tuple[HeardPhone, ...]:
    """Returns where each of the given phones sounds: all of them in order, silence allowed between any two.

    Before the first and after the last anything may sound.

    Args:
        log_posterior: (frames, classes).
        classes: of the phones, see `PhonemeClasses.fold`.
        language: whose classes.

    Raises:
        InputError: there are more phones than frames, or none.
    """
    num_frames, count = len(log_posterior), len(classes)
    if not count or num_frames < count:
        raise InputError(f"cannot place {count} phones in {num_frames} frames")
    known = phoneme_classes(language)
    frames = [VOWEL_FRAMES if known.kinds[c] == "vowel" else CONSONANT_FRAMES for c in classes]
    if sum(frames) > num_frames:
        frames = [1] * count
    columns, owners = [SILENCE], [0]  # silence, phone, phone (its second frame), ..., silence, ...
    for k, (one, least) in enumerate(zip(classes, frames, strict=True)):
        columns += [one] * least + [SILENCE]
        owners += [2 * k + 1] * least + [2 * k + 2]
    scores = log_posterior[:, columns]
    scores[:, [0, -1]] = np.maximum(scores[:, [0, -1]], EDGE_LOG_SCORE)
    owner = np.array(owners)
    path = owner[_chain_path(scores, owner)]
    result = []
    for k, one in enumerate(classes):
        at = np.flatnonzero(path == 2 * k + 1)
        result.append(_heard(known.names[one], int(at[0]), int(at[-1]) + 1, log_posterior[at, one]))
    return tuple(result)


def phoneme_errors(reference: Sequence[str], estimate: Sequence[str]) -> int:
    """Returns the insertions, deletions and substitutions between two sequences (Levenshtein)."""
    row = list(range(len(estimate) + 1))
    for i, expected in enumerate(reference, 1):
        before, row[0] = row[0], i
        for j, came in enumerate(estimate, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (expected != came))
    return row[-1]


def _layers(mel: Floats, network: Network) -> Floats:
    """Returns (frames, channels) of (frames, bands)."""
    x = mel
    for i, (weight, bias, dilation) in enumerate(zip(network.weights, network.biases, network.dilations, strict=True)):
        reach = dilation * (len(weight) // 2)
        padded = np.pad(x, ((reach, reach), (0, 0)))
        y = np.broadcast_to(bias, (len(x), len(bias))).copy()
        for tap, matrix in enumerate(weight):
            y += padded[tap * dilation : tap * dilation + len(x)] @ matrix
        np.maximum(y, 0.0, out=y)
        x = y if i == 0 else x + y
    return x


def _loop_path(scores: Floats, jumps: Floats) -> NDArray[np.int64]:
    """Returns the best class of every frame, where a phone lasts two frames or more.

    Args:
        scores: (frames, classes).
        jumps: (classes, classes) score of going from one phone to the next.
    """
    num_frames, count = scores.shape
    into = np.zeros((num_frames, count), np.int64)  # the phone before, at each entry
    entered = np.zeros((num_frames, count), bool)  # whether the second frame came straight from the entry
    fresh = scores[0] + jumps[SILENCE]
    fresh[SILENCE] = scores[0, SILENCE]
    steady = fresh.copy()  # a line may begin within a phone
    classes = np.arange(count)
    for t in range(1, num_frames):
        options = steady[:, None] + jumps
        into[t] = options.argmax(axis=0)
        entered[t] = fresh > steady
        steady, fresh = np.maximum(fresh, steady) + scores[t], options[into[t], classes] + scores[t]
    path = np.zeros(num_frames, np.int64)
    state, t = int(np.argmax(steady + jumps[:, SILENCE] * (classes != SILENCE))), num_frames - 1
    while t >= 0:
        path[t] = state
        if t > 0 and entered[t, state]:
            t -= 1
            path[t] = state
            state = int(into[t, state]) if t > 0 else state
        t -= 1
    return path


def _chain_path(scores: Floats, owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the state of every frame on the best way through a chain of states.

    Args:
        scores: (frames, states).
        owner: (states,) 0 the first silence, 1 the first phone, as many states as it has frames at least, 2 silence, …
    """
    num_frames, count = scores.shape
    last = np.append(owner[1:] != owner[:-1], True)  # only a phone's last state lasts longer than a frame
    opens = np.append(False, (owner[1:] != owner[:-1]) & (owner[1:] % 2 == 1))
    over = np.flatnonzero(opens[2:]) + 2  # phones that may follow a phone at once, past the silence between
    best = np.full(count, -np.inf, np.float32)
    best[:2] = scores[0, :2]
    steps = np.zeros((num_frames, count), np.int8)
    options = np.full((3, count), -np.inf, np.float32)
    for t in range(1, num_frames):
        options[0] = np.where(last, best, -np.inf)
        options[1, 1:] = best[:-1]
        options[2, over] = best[over - 2]
        steps[t] = options.argmax(axis=0)
        best = options.max(axis=0) + scores[t]
    state = count - 1 if best[-1] >= best[-2] else count - 2
    path = np.zeros(num_frames, np.int64)
    for t in range(num_frames - 1, -1, -1):
        path[t] = state
        state -= int(steps[t, state])
    return path


def _heard(name: str, first: int, end: int, log_scores: Floats) -> HeardPhone:
    """Returns a phone of frames; frame i is centred on ``i / FRAME_RATE``, so its cell begins half a frame before."""
    start = max(0.0, (first - 0.5) / FRAME_RATE)
    return HeardPhone(name, start, (end - 0.5) / FRAME_RATE, float(np.mean(log_scores)))


@cache
def _shipped() -> Network:
    with as_file(files("songwright.evaluation").joinpath("phonemes.npz")) as path:
        return _read(path)


def _read(path: Path) -> Network:
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    dilations = tuple(int(d) for d in arrays["dilations"])
    heads = {}
    for name in arrays:
        if name.startswith("span_"):
            language = name.removeprefix("span_")
            first, last = (int(v) for v in arrays[name])
            prior, bigram = arrays[f"prior_{language}"], arrays[f"bigram_{language}"]
            heads[language] = Head(first, last, prior.astype(np.float32), bigram.astype(np.float32))
    return Network(
        weights=tuple(arrays[f"weight_{i}"].astype(np.float32) for i in range(len(dilations))),
        biases=tuple(arrays[f"bias_{i}"].astype(np.float32) for i in range(len(dilations))),
        dilations=dilations,
        head_weight=arrays["head_weight"].astype(np.float32),
        head_bias=arrays["head_bias"].astype(np.float32),
        heads=heads,
    )
