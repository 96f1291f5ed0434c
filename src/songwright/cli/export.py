"""Turn a trained composer into the files that the program composes with, without torch: ONNX graphs and a config."""

import argparse
from pathlib import Path

from songwright.errors import CheckpointError
from songwright.files import staged_folder

EXAMPLES = """examples:
  songwright export runs/composer/best -o composer
  songwright export runs/composer/best -o composer-exact --dtype float32
"""

KEPT = (
    "kind", "vocabulary_hash", "songwright", "step", "validation", "averaged", "tuned", "ledger", "data", "features",
    "weights_sha256",
)  # fmt: skip
"""What goes on from the checkpoint's config, where it is there."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("model", type=Path, help="a model folder: model.safetensors and config.json")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder to make")
    parser.add_argument("--dtype", choices=("int8", "float32"), default="int8", help="of the matrices (default: int8)")
    parser.add_argument("--force", action="store_true", help="replace the folder if it is there")


def run(args: argparse.Namespace) -> int:
    """Writes the folder and says how large it is."""
    import json

    from songwright.compose.learned.onnx_steps import BACKBONE, CONFIG, DEPTH, HEAD
    from songwright.neural.onnx_graph import graphs
    from songwright.training.checkpoint import load_model

    config, arrays = load_model(args.model)
    network = config.get("network")
    if not isinstance(network, dict) or "vocabulary_hash" not in config:
        raise CheckpointError(args.model, "expected a trained composer: its config has no network or vocabulary_hash")
    made = graphs(network, arrays, int8=args.dtype == "int8")
    described = {**{key: config[key] for key in KEPT if key in config}, "dtype": args.dtype, "network": network}
    with staged_folder(args.output, force=args.force) as folder:
        (folder / BACKBONE).write_bytes(made.backbone)
        (folder / DEPTH).write_bytes(made.depth)
        for stream, head in enumerate(made.heads):
            (folder / HEAD.format(stream)).write_bytes(head)
        (folder / CONFIG).write_text(json.dumps(described, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{args.output}: {args.dtype}, {made.num_bytes / 2**20:.2f} MiB")
    return 0
