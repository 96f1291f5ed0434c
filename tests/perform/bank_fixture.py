"""Writes tiny networks in the formats of DiffSinger banks and of piper voices."""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RATE, HOP, BINS = 16000, 160, 4
PHONEMES = ("SP", "AP", "b", "d", "m", "n", "l", "s", "t", "a", "ai", "an", "ang", "i", "ian", "o")
DICTIONARY = """symbols:
- {symbol: SP, type: vowel}
- {symbol: b, type: stop}
- {symbol: m, type: nasal}
- {symbol: l, type: liquid}
- {symbol: t, type: stop}
- {symbol: s, type: fricative}
- {symbol: a, type: vowel}
- {symbol: ai, type: vowel}
- {symbol: ang, type: vowel}
- {symbol: i, type: vowel}
- {symbol: ian, type: vowel}
entries:
- {grapheme: ma, phonemes: [m, a]}
- {grapheme: lai, phonemes: [l, ai]}
- {grapheme: tian, phonemes: [t, ian]}
- {grapheme: an, phonemes: [an]}
- {grapheme: yi, phonemes: [i]}
"""


def constant(name, value):
    return numpy_helper.from_array(np.asarray(value), name)


def value(name, kind, *shape):
    return helper.make_tensor_value_info(name, kind, list(shape))


def save(path, nodes, inputs, outputs, constants):
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def acoustic(path, *, extra=(), first="tokens"):
    """The spectrum of each frame holds the token sung and the pitch; further inputs are taken and added as nothing."""
    n = helper.make_node
    nodes = [
        n("CumSum", ["durations", "axis"], ["ends"]),
        n("Shape", ["f0"], ["shape"]),
        n("Gather", ["shape", "axis"], ["frames"]),
        n("Range", ["zero", "frames", "axis"], ["row"]),
        n("Unsqueeze", ["ends", "last"], ["column"]),
        n("LessOrEqual", ["column", "row"], ["over"]),
        n("Cast", ["over"], ["counted"], to=TensorProto.INT64),
        n("ReduceSum", ["counted", "sumaxis"], ["owner"], keepdims=0),
        n("Squeeze", [first, "front"], ["flat"]),
        n("Gather", ["flat", "owner"], ["token"]),
        n("Cast", ["token"], ["tokenf"], to=TensorProto.FLOAT),
        n("Unsqueeze", ["tokenf", "last"], ["a"]),
        n("Unsqueeze", ["f0", "last"], ["b"]),
        n("Concat", ["a", "b", "a", "b"], ["sum0"], axis=2),
    ]
    inputs = [value(first, TensorProto.INT64, 1, "n"), value("durations", TensorProto.INT64, 1, "n"),
              value("f0", TensorProto.FLOAT, 1, "f")]  # fmt: skip
    for k, (name, kind, shape) in enumerate(extra):
        nodes += [
            n("Cast", [name], [f"c{k}"], to=TensorProto.FLOAT),
            n("ReduceMean", [f"c{k}"], [f"m{k}"], keepdims=0),
            n("Mul", [f"m{k}", "nothing"], [f"n{k}"]),
            n("Add", [f"sum{k}", f"n{k}"], [f"sum{k + 1}"]),
        ]
        inputs.append(value(name, kind, *shape))
    nodes.append(n("Identity", [f"sum{len(extra)}"], ["mel"]))
    constants = [
        constant("axis", np.int64(1)), constant("zero", np.int64(0)), constant("last", np.array([2])),
        constant("sumaxis", np.array([1])), constant("front", np.array([0])), constant("nothing", np.float32(0)),
    ]  # fmt: skip
    save(path, nodes, inputs, [value("mel", TensorProto.FLOAT, 1, "f", BINS)], constants)


def vocoder(path):
    """A tone with overtones at the pitch wherever the token is not silence."""
    n = helper.make_node
    nodes = [
        n("Unsqueeze", ["f0", "last"], ["column"]),
        n("Mul", ["column", "ones"], ["held"]),
        n("Reshape", ["held", "flat"], ["hz"]),
        n("Mul", ["hz", "turn"], ["steps"]),
        n("Cast", ["steps"], ["exact"], to=TensorProto.DOUBLE),
        n("CumSum", ["exact", "axis"], ["phase"]),
        n("Sin", ["phase"], ["bend"]),
        n("Add", ["phase", "bend"], ["bent"]),
        n("Sin", ["bent"], ["sine"]),
        n("Cast", ["sine"], ["tone"], to=TensorProto.FLOAT),
        n("Slice", ["mel", "from", "to", "last"], ["token"]),
        n("Min", ["token", "one"], ["open"]),
        n("Mul", ["open", "ones"], ["gate"]),
        n("Reshape", ["gate", "flat"], ["level"]),
        n("Mul", ["tone", "level"], ["waveform"]),
    ]
    constants = [
        constant("last", np.array([2])), constant("flat", np.array([1, -1])), constant("axis", np.int64(1)),
        constant("ones", np.ones((1, 1, HOP), np.float32)), constant("turn", np.float32(2 * np.pi / RATE)),
        constant("from", np.array([0])), constant("to", np.array([1])), constant("one", np.float32(1)),
    ]  # fmt: skip
    inputs = [value("mel", TensorProto.FLOAT, 1, "f", BINS), value("f0", TensorProto.FLOAT, 1, "f")]
    save(path, nodes, inputs, [value("waveform", TensorProto.FLOAT, 1, "s")], constants)


def write_bank(folder, *, settings="", extra=(), first="tokens"):
    (folder / "dsvocoder").mkdir(parents=True)
    acoustic(folder / "acoustic.onnx", extra=extra, first=first)
    vocoder(folder / "dsvocoder" / "model.onnx")
    common = f"sample_rate: {RATE}\nhop_size: {HOP}\nnum_mel_bins: {BINS}\n"
    (folder / "dsvocoder" / "vocoder.yaml").write_text(f"name: tiny\nmodel: model.onnx\n{common}mel_base: '10'\n")
    (folder / "dsconfig.yaml").write_text(
        f"phonemes: phonemes.txt\nacoustic: acoustic.onnx\nvocoder: tiny\n{common}{settings}"
    )
    (folder / "phonemes.txt").write_text("\n".join(PHONEMES) + "\n")
    (folder / "dsdict.yaml").write_text(DICTIONARY)
    (folder / "character.yaml").write_text("name: Tiny\n")
    return folder


SYMBOLS = "_^$ ˈabcdefghijklmnopqrstuvwxyzæðŋɑɔəɚɛɜɡɪɹʃʊʌʒθː"
FRAME = 256


def piper_voice(folder, *, durations=True, name="tiny"):
    """Every symbol lasts eight frames (times the length scale); its number sets the pitch of a tone."""
    n = helper.make_node
    nodes = [
        n("Cast", ["input"], ["ids"], to=TensorProto.FLOAT),
        n("Gather", ["scales", "second"], ["scale"]),
        n("Mul", ["ids", "nothing"], ["zeros"]),
        n("Add", ["zeros", "eight"], ["eights"]),
        n("Mul", ["eights", "scale"], ["long"]),
        n("Round", ["long"], ["w"]),
        n("ReduceMean", ["w"], ["each"], keepdims=0),
        n("Mul", ["each", "frame"], ["samplesf"]),
        n("Cast", ["samplesf"], ["samples"], to=TensorProto.INT64),
        n("Unsqueeze", ["samples", "zeroth"], ["samples1"]),
        n("Concat", ["ones2", "samples1"], ["grid"], axis=0),
        n("Unsqueeze", ["ids", "last"], ["column"]),
        n("Expand", ["column", "grid"], ["held"]),
        n("Reshape", ["held", "flat"], ["number"]),
        n("Mul", ["number", "turn"], ["step"]),
        n("CumSum", ["step", "axis"], ["phase"]),
        n("Sin", ["phase"], ["tone"]),
        n("Mul", ["tone", "half"], ["soft"]),
        n("Reshape", ["soft", "four"], ["output"]),
    ]
    outputs = [value("output", TensorProto.FLOAT, "b", 1, 1, "s")]
    if durations:
        nodes.append(n("Identity", ["w"], ["durations"]))
        outputs.append(value("durations", TensorProto.FLOAT, 1, "n"))
    constants = [
        constant("second", np.int64(1)), constant("nothing", np.float32(0)), constant("eight", np.float32(2)),
        constant("frame", np.float32(FRAME)), constant("zeroth", np.array([0])),
        constant("ones2", np.array([1, 1])), constant("last", np.array([2])), constant("flat", np.array([1, -1])),
        constant("turn", np.float32(2 * np.pi * 40 / 22050)), constant("axis", np.int64(1)),
        constant("half", np.float32(0.5)), constant("four", np.array([1, 1, 1, -1])),
    ]  # fmt: skip
    inputs = [value("input", TensorProto.INT64, 1, "n"), value("input_lengths", TensorProto.INT64, 1),
              value("scales", TensorProto.FLOAT, 3)]  # fmt: skip
    save(folder / f"{name}.onnx", nodes, inputs, outputs, constants)
    settings = {
        "audio": {"sample_rate": 22050}, "espeak": {"voice": "en-us"}, "num_speakers": 1,
        "inference": {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8},
        "phoneme_id_map": {s: [i] for i, s in enumerate(SYMBOLS)},
    }  # fmt: skip
    (folder / f"{name}.onnx.json").write_text(json.dumps(settings))
    return folder / f"{name}.onnx"
