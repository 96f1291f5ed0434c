"""The two networks of a bank, run by ONNX Runtime on one core: phonemes and pitch to a spectrum, that to a sound."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from songwright.errors import DataError, MissingDependencyError
from songwright.perform.singer.bank.config import BankConfig

STEPS = 20
_TYPES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(float)": np.float32,
          "tensor(double)": np.float64, "tensor(bool)": np.bool_}  # fmt: skip
_MAKING = threading.Lock()


def open_session(path: Path, seed: int = 1) -> Any:
    """Returns an ONNX Runtime session; noise that the network draws begins at the seed.

    Raises:
        DataError: it is no network.
        MissingDependencyError: ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise MissingDependencyError("onnxruntime", "voices") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    with _MAKING:  # the seed is one for the whole process
        onnxruntime.set_seed(seed)
        try:
            return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime has a class of errors for each thing that can be wrong
            raise DataError(path, f"is no network that ONNX Runtime can load: {_first_line(error)}") from None


def run_session(session: Any, path: Path, offered: Mapping[str, NDArray[Any]], needed: tuple[str, ...]) -> Any:
    """Returns the first output of a network that is given those of the offered inputs that it has.

    Args:
        session: from `open_session`.
        path: its file.
        offered: values by name; types follow the network.
        needed: inputs that it must have.

    Raises:
        DataError: it lacks a needed input, wants one that is not offered, or fails.
    """
    inputs = {i.name: i for i in session.get_inputs()}
    absent = [name for name in needed if name not in inputs]
    strange = [name for name in inputs if name not in offered]
    if absent or strange:
        parts = [f"has no input {', '.join(absent)}"] * bool(absent)
        parts += [f"wants {', '.join(strange[:4])}, which is not known here"] * bool(strange)
        raise DataError(path, f"{'; '.join(parts)}; its inputs are {', '.join(list(inputs)[:12])}")
    feed: dict[str, NDArray[Any]] = {
        name: offered[name].astype(_TYPES.get(i.type, np.float32)) for name, i in inputs.items()
    }
    try:
        return session.run(None, feed)[0]
    except Exception as error:  # as above
        raise DataError(path, f"the network failed: {_first_line(error)}") from None


@dataclass
class Networks:
    """The networks of one bank, loaded when first used. Safe to share: one line is sung at a time."""

    config: BankConfig
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _sessions: dict[str, Any] = field(default_factory=dict, repr=False)

    def waveform(
        self, tokens: NDArray[np.int64], languages: NDArray[np.int64], durations: NDArray[np.int64],
        f0_hz: NDArray[np.float32], curves: Mapping[str, NDArray[np.float32]],
    ) -> NDArray[np.float32]:  # fmt: skip
        """Returns the sound of a line, (frames x hop length,).

        Args:
            tokens: of the phonemes. (phonemes,)
            languages: ids of their languages. (phonemes,)
            durations: frames of each. (phonemes,)
            f0_hz: continuous. (frames,)
            curves: `config.VARIANCES` by name. (frames,)

        Raises:
            DataError: the networks do not fit together, or fail.
        """
        config, frames = self.config, len(f0_hz)
        offered: dict[str, NDArray[Any]] = {
            "tokens": tokens[None], "languages": languages[None], "durations": durations[None], "f0": f0_hz[None],
            "gender": np.zeros((1, frames)), "velocity": np.ones((1, frames)), **_acceleration(config),
            **{name: curve[None] for name, curve in curves.items()},
        }  # fmt: skip
        if config.speaker is not None:
            offered["spk_embed"] = np.broadcast_to(config.speaker, (1, frames, len(config.speaker)))
        with self._lock:
            mel = np.asarray(self._run(config.acoustic, offered, ("tokens", "durations", "f0")), dtype=np.float32)
            if mel.shape != (1, frames, config.num_mel_bins):
                wanted = (1, frames, config.num_mel_bins)
                raise DataError(config.acoustic, f"made a spectrum of shape {mel.shape}; expected {wanted}")
            mel *= np.float32(config.mel_factor)
            sound = self._run(config.vocoder, {"mel": mel, "f0": f0_hz[None]}, ("mel",))
        waveform = np.asarray(sound, dtype=np.float32).reshape(-1)
        if abs(len(waveform) - frames * config.hop_length) > config.hop_length or not np.isfinite(waveform).all():
            raise DataError(
                config.vocoder,
                f"made {len(waveform)} samples of {frames} frames; expected {frames * config.hop_length} finite ones",
            )
        return waveform

    def _run(self, path: Path, offered: Mapping[str, NDArray[Any]], needed: tuple[str, ...]) -> Any:
        session = self._sessions.get(str(path))
        if session is None:
            session = self._sessions[str(path)] = open_session(path)
        return run_session(session, path, offered, needed)


def _acceleration(config: BankConfig) -> dict[str, NDArray[Any]]:
    """Returns how many steps are taken from noise to spectrum, in the words of either kind of model."""
    depth = config.max_depth if config.max_depth is not None else 1.0
    if config.continuous:
        return {"steps": np.array([STEPS]), "depth": np.array([depth])}
    whole = round(depth * 1000)
    if config.max_depth is not None:
        speedup = max(1, whole // STEPS)
        return {"speedup": np.array([speedup]), "depth": np.array([whole // speedup * speedup])}
    return {"speedup": np.array([max(s for s in range(1, 1000 // STEPS + 1) if 1000 % s == 0)])}


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
