"""Tiny networks of every pattern and backbone, and codes to feed them."""

from dataclasses import replace

import torch

from songwright.neural.backbones import BACKBONES
from songwright.neural.language_model import TINY, MultiStreamLM

torch.set_num_threads(1)  # nets this small only wait for a second thread

KINDS = [("transformer", "rotary"), ("transformer", "relative"), ("transformer", "none")]
KINDS += [(name, "none") for name in BACKBONES if name != "transformer"]


def make(pattern, backbone="transformer", positions="rotary", seed=0, **changes):
    torch.manual_seed(seed)
    model = MultiStreamLM(replace(TINY, pattern=pattern, backbone=backbone, positions=positions, **changes)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4 if parameter.ndim > 1 else 1)  # far from the soft start, so that everything matters
    return model


def random_codes(batch, steps, sizes=TINY.vocabulary_sizes, seed=1):
    random = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randint(0, size, (batch, steps), generator=random) for size in sizes], dim=1)
