"""A composer with random weights: what it writes is noise, but the rules hold for noise too."""

import torch

from songwright.compose.tokens.features import FEATURE_SIZES
from songwright.compose.tokens.vocabulary import VOCABULARY_SIZES
from songwright.neural.language_model import LanguageModelConfig, MultiStreamLM
from songwright.neural.torch_steps import TorchStepModel

STEPS = 700
torch.set_num_threads(1)  # nets this small only wait for a second thread


def tiny_composer() -> TorchStepModel:
    """Returns it."""
    torch.manual_seed(0)
    config = LanguageModelConfig(
        VOCABULARY_SIZES, "depth", dim=16, num_layers=1, num_heads=2, max_steps=STEPS, depth_dim=16, depth_layers=1,
        feature_sizes=FEATURE_SIZES,
    )  # fmt: skip
    return TorchStepModel(MultiStreamLM(config))
