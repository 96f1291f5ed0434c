"""Prints notes a second of our decoder beside Hugging Face `generate` on the same network, weights and threads.

The network is a flat `MultiStreamLM` transformer over the composer's six streams; RMSNorm, SwiGLU and rotary positions are
Llama's, so its weights are copied into a `LlamaForCausalLM`, whose logits of other streams a mask forbids. A note is one
step: six tokens. Each round runs every line once; the table gives medians of the rounds. At temperature 0 tokens of fp32
lines must be identical to Hugging Face's.

Usage: python benchmarks/decode.py [--threads 1] [--notes 40] [--batch 1] [--rounds 5]
Hugging Face: in a throw-away environment, pip install torch==2.13.0 transformers==5.23.0; without it its lines are left out.
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from songwright.compose.tokens.vocabulary import VOCABULARY_SIZES
from songwright.neural.language_model import LanguageModelConfig, MultiStreamLM
from songwright.neural.sampling import SamplingSettings
from songwright.neural.step_model import generate
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
    return model


def as_llama(model: MultiStreamLM) -> Any:
    """Returns a `LlamaForCausalLM` with the same weights over one common vocabulary, whose last token begins a sequence.

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
    tables = {
        "model.embed_tokens.weight": torch.cat(
            [model.embedding.weight[:-1] + following, (model.begin + model.stream[0])[None]]
        ),
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


def ours(model: MultiStreamLM, notes: int, batch: int) -> Decode:
    """Returns our decoder."""
    steps = TorchStepModel(model)
    return lambda: generate(steps, num_steps=notes, settings=GREEDY, random=generator(0), batch_size=batch).codes


def main() -> None:
    """Prints one line a decoder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--notes", type=int, default=40)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dim", type=int, default=320)
    parser.add_argument("--layers", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = network(options.dim, options.layers, VOCABULARY_SIZES, options.notes)
    print(f"{model.num_parameters / 1e6:.1f} M parameters, {options.notes} notes of 6 tokens, batch {options.batch}, "
          f"{options.threads} threads, torch {torch.__version__}, {platform.machine()}")  # fmt: skip
    lines: dict[str, Decode] = {}
    if find_spec("transformers"):
        lines["Hugging Face generate"] = hugging_face(model, options.notes, options.batch, "dynamic")
        lines["Hugging Face generate, static cache"] = hugging_face(model, options.notes, options.batch, "static")
    lines["ours, static cache"] = ours(model, options.notes, options.batch)
    seconds: dict[str, list[float]] = {name: [] for name in lines}
    made = {name: decode() for name, decode in lines.items()}
    for _ in range(options.rounds):
        for name, decode in lines.items():
            started = time.perf_counter()
            decode()
            seconds[name].append(time.perf_counter() - started)
    first = next(iter(lines))
    base = statistics.median(seconds[first])
    for name, each in seconds.items():
        middle = statistics.median(each)
        same = (made[name] == made[first]).mean()
        print(
            f"{name:40}{options.batch * options.notes / middle:8.1f} notes/s{base / middle:7.2f}x{same:8.1%} same tokens"
        )


if __name__ == "__main__":
    main()
