"""Prints notes a second of our decoder beside Hugging Face `generate` on the same network, weights and threads.

A flat `MultiStreamLM` transformer over the composer's six streams: its RMSNorm, SwiGLU and rotary positions
are Llama's, so its weights are copied into a `LlamaForCausalLM`, whose logits of other streams a mask forbids. A note
is one step, six tokens. Weights are random, but lie on the int8 grid on which models are stored, so that float32 and
int8 lines hold the same ones. Every round runs every line once; the table gives medians of the rounds, by the clock and
by seconds of processor (which other programs disturb less), and the share of tokens that are Hugging Face's at
temperature 0. The last lines are the bound: one thread reading the backbone's weights once for each token.

Usage: python benchmarks/decode.py [--threads 1] [--notes 40] [--batch 1] [--rounds 5] [--compile]
Hugging Face: in a throw-away environment, pip install torch==2.13.0 transformers==5.23.0; else its lines are left out.
"""

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from songwright.compose.tokens.vocabulary import VOCABULARY_SIZES
from songwright.neural import onnx_stack
from songwright.neural.int8 import quantise, with_int8_weights
from songwright.neural.language_model import LanguageModelConfig, MultiStreamLM
from songwright.neural.onnx_stack_steps import OnnxStackSteps
from songwright.neural.sampling import SamplingSettings
from songwright.neural.step_model import StepModel, generate
from songwright.neural.torch_steps import TorchStepModel
from songwright.seeding import generator

Decode = Callable[[], np.ndarray]
"""Returns codes (B, K, T)."""
GREEDY = SamplingSettings(temperature=0)


def network(dim: int, layers: int, sizes: tuple[int, ...], notes: int) -> MultiStreamLM:
    """Returns a flat transformer with random weights, far enough from zero that its choices are not near-ties."""
    torch.manual_seed(0)
    config = LanguageModelConfig(sizes, dim=dim, num_layers=layers, num_heads=dim // 64, max_steps=notes)
    model = MultiStreamLM(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 2 and "relative" not in name:
                weight.mul_(2.5)
                if "embedding" not in name and name != "stream":
                    whole, scale = quantise(weight)
                    weight.copy_(whole * scale[:, None])
    return model


def as_llama(model: MultiStreamLM) -> Any:
    """Returns a `LlamaForCausalLM` with the same weights over one vocabulary, whose last token begins a sequence.

    A token of stream k is always followed by one of stream k + 1, so the vector that names the next stream is added to
    the token's embedding.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    config, blocks = model.config, model.backbone.blocks
    total = sum(config.vocabulary_sizes)
    llama = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=total + 1,
            hidden_size=config.dim,
            intermediate_size=blocks[0].feedforward.down.in_features,
            num_hidden_layers=config.num_layers,
            num_attention_heads=config.num_heads,
            max_position_embeddings=config.max_steps * config.num_streams + 1,
            rms_norm_eps=model.backbone.norm.epsilon,
            tie_word_embeddings=False,
            bos_token_id=total,
            eos_token_id=None,
            pad_token_id=None,
        )
    ).eval()
    following = torch.cat(
        [model.stream[(k + 1) % config.num_streams].expand(size, -1) for k, size in enumerate(config.vocabulary_sizes)]
    )
    begin = (model.begin + model.stream[0])[None]
    tables = {
        "model.embed_tokens.weight": torch.cat([model.embedding.weight[:-1] + following, begin]),
        "model.norm.weight": model.backbone.norm.weight,
        "lm_head.weight": torch.cat([*(head.weight for head in model.heads), torch.zeros(1, config.dim)]),
    }
    for i, block in enumerate(blocks):
        query, key, value = block.attention.qkv.weight.chunk(3)
        gate, up = block.feedforward.gate_up.weight.chunk(2)
        parts = {
            "self_attn.q_proj": query, "self_attn.k_proj": key, "self_attn.v_proj": value,
            "self_attn.o_proj": block.attention.out.weight, "mlp.gate_proj": gate, "mlp.up_proj": up,
            "mlp.down_proj": block.feedforward.down.weight, "input_layernorm": block.attention_norm.weight,
            "post_attention_layernorm": block.feedforward_norm.weight,
        }  # fmt: skip
        tables |= {f"model.layers.{i}.{name}.weight": weight for name, weight in parts.items()}
    llama.load_state_dict(tables)
    return llama


def hugging_face(model: MultiStreamLM, notes: int, batch: int, cache: str) -> Decode:
    """Returns a decoder that runs `generate` of transformers."""
    from transformers import LogitsProcessor, LogitsProcessorList

    llama, sizes = as_llama(model), model.config.vocabulary_sizes
    bounds = np.cumsum([0, *sizes])
    masks = torch.full((len(sizes), bounds[-1] + 1), float("-inf"))
    for k in range(len(sizes)):
        masks[k, bounds[k] : bounds[k + 1]] = 0

    class OneStream(LogitsProcessor):
        """Forbids tokens of the streams whose turn it is not."""

        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            return scores + masks[(input_ids.shape[1] - 1) % len(sizes)]

    begin = torch.full((batch, 1), int(bounds[-1]))
    processors = LogitsProcessorList([OneStream()])
    options: dict[str, Any] = {"cache_implementation": cache} if cache == "static" else {}

    def decode() -> np.ndarray:
        with torch.inference_mode():
            out = llama.generate(
                begin, attention_mask=torch.ones_like(begin), do_sample=False, max_new_tokens=notes * len(sizes),
                logits_processor=processors, **options,
            )  # fmt: skip
        codes = out[:, 1:].view(batch, notes, len(sizes)) - torch.from_numpy(bounds[:-1])
        return codes.transpose(1, 2).numpy()

    return decode


def greedy(steps: StepModel, notes: int, batch: int) -> Decode:
    """Returns a decoder by our loop."""
    return lambda: generate(steps, num_steps=notes, settings=GREEDY, random=generator(0), batch_size=batch).codes


def without_cache(model: MultiStreamLM, notes: int, batch: int) -> Decode:
    """Returns a decoder that runs everything again for each token."""

    class Forgetful(TorchStepModel):
        """Forgets what it has seen before each token."""

        def logits(self) -> np.ndarray:
            self._done, self._hidden = 0, None
            return super().logits()

    return greedy(Forgetful(model), notes, batch)


def on_onnx(model: MultiStreamLM, weights: str, threads: int) -> StepModel:
    """Returns the network in onnxruntime."""
    config = model.config.as_dict()
    arrays = {name: value.numpy() for name, value in model.state_dict().items()}
    positions = model.config.max_steps * model.config.num_streams
    heads = [onnx_stack.head(arrays[f"heads.{k}.weight"], weights) for k in range(model.config.num_streams)]
    return OnnxStackSteps(config, arrays, onnx_stack.stack(config, arrays, weights, positions), heads, threads)


def compiled(model: MultiStreamLM) -> StepModel:
    """Returns the network with its blocks compiled; the length of the cache stays variable."""
    copied = copy.deepcopy(model)
    copied.backbone.step = torch.compile(copied.backbone.step, dynamic=True)
    return TorchStepModel(copied)


def measured(
    lines: dict[str, Decode], rounds: int
) -> tuple[dict[str, np.ndarray], dict[str, list[tuple[float, float]]]]:
    """Returns each line's codes and its (seconds, seconds of processor) in every round."""
    made, spent = {}, {name: [] for name in lines}
    for name, decode in lines.items():
        started = time.perf_counter()
        made[name] = decode()
        if "compile" in name:
            print(f"{name}: the first run took {time.perf_counter() - started:.0f} s")
    for _ in range(rounds):
        for name, decode in lines.items():
            started, processor = time.perf_counter(), time.process_time()
            decode()
            spent[name].append((time.perf_counter() - started, time.process_time() - processor))
    return made, spent


def bandwidth(num_bytes: int) -> float:
    """Returns how many bytes of memory one thread reads in a second of processor, median of five."""
    block = np.zeros(max(num_bytes, 1 << 26) // 4, dtype=np.float32)
    each = []
    for _ in range(5):
        started = time.process_time()
        block.sum()
        each.append(time.process_time() - started)
    return block.nbytes / statistics.median(each)


def table(made: dict[str, np.ndarray], spent: dict[str, list[tuple[float, float]]], notes: int) -> None:
    """Prints notes a second of every line, beside the first line's."""
    first = next(iter(made))
    print(f"{'':42}{'notes/s':>9}{'':8}{'notes/cpu s':>12}{'':8}{'same tokens':>12}")
    base = [statistics.median(each) for each in zip(*spent[first], strict=True)]
    for name, each in spent.items():
        clock, processor = (statistics.median(one) for one in zip(*each, strict=True))
        same = (made[name] == made[first]).mean()
        print(f"{name:42}{notes / clock:9.1f}{base[0] / clock:7.2f}x{notes / processor:12.1f}"
              f"{base[1] / processor:7.2f}x{same:12.1%}")  # fmt: skip


def arguments() -> argparse.Namespace:
    """Returns the options."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--notes", type=int, default=40)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dim", type=int, default=320)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--compile", action="store_true", help="with a line for torch.compile, which needs a compiler")
    return parser.parse_args()


def main() -> None:
    """Prints one line a decoder."""
    options = arguments()
    torch.set_num_threads(options.threads)
    notes, batch, streams = options.notes, options.batch, len(VOCABULARY_SIZES)
    model = network(options.dim, options.layers, VOCABULARY_SIZES, notes)
    print(f"{model.num_parameters / 1e6:.1f} M parameters, {notes} notes of {streams} tokens, batch {batch}, "
          f"{options.threads} thread(s), median of {options.rounds}, torch {torch.__version__}")  # fmt: skip
    lines: dict[str, Decode] = {}
    if find_spec("transformers"):
        lines["Hugging Face generate"] = hugging_face(model, notes, batch, "dynamic")
        lines["Hugging Face generate, static cache"] = hugging_face(model, notes, batch, "static")
    lines["torch, no cache"] = without_cache(model, notes, batch)
    lines["torch, static cache"] = greedy(TorchStepModel(model), notes, batch)
    if options.compile:
        lines["torch, static cache, compiled"] = greedy(compiled(model), notes, batch)
    int8 = with_int8_weights(copy.deepcopy(model))
    lines["torch, static cache, int8-exact"] = greedy(TorchStepModel(int8), notes, batch)
    for weights in onnx_stack.WEIGHTS:
        lines[f"onnxruntime, static cache, {weights}"] = greedy(on_onnx(model, weights, options.threads), notes, batch)
    made, spent = measured(lines, options.rounds)
    table(made, spent, batch * notes)
    for kind, size in (("float32", 4), ("int8", 1)):
        read = size * sum(weight.numel() for weight in model.backbone.parameters())
        print(f"{f'bound: {kind} weights read once a token':42}{'':17}{bandwidth(read) / read / streams * batch:12.1f}")


if __name__ == "__main__":
    main()
