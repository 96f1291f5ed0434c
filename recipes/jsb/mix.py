"""Mixes trained networks into one model, kept as int8 in `model/`.

Usage: python recipes/jsb/mix.py OUT/seed1 OUT/seed2 …

Each OUT/seedN is what the trainer filled (its `best/` is taken), or a model folder. What the mixture reaches,
`measure.py` says.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

from songwright.neural.chorale_mixture import ChoraleMixture, Reading, load_chorale_model
from songwright.neural.chorale_model import ChoraleModel
from songwright.training.checkpoint import MODEL_FILE, load_model, save_model

MODEL = Path(__file__).parent / "model"
MAX_BYTES = 3 * 2**19
READING = Reading(places=32, agreement_weight=20.0, key_weight=40.0, rate=1.25e-4, damping=0.004)
"""Chosen on validation by `measure.py --halves`."""


def main() -> None:
    """Mixes and keeps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, default=MODEL, help="model folder to write (default: model/)")
    args = parser.parse_args()
    loaded = [load_model(path / "best" if (path / "best").is_dir() else path) for path in args.folders]
    members = [load_chorale_model(*pair) for pair in loaded]
    networks = [member for member in members if isinstance(member, ChoraleModel)]
    assert len(networks) == len(members), "a mixture is made of networks, not of mixtures"
    model = ChoraleMixture(networks, networks[0].memory_codes, networks[0].memory_lengths, READING)
    for network in networks:
        network.memory_codes, network.memory_lengths = network.memory_codes[:0], network.memory_lengths[:0]
    config = {key: value for key, value in loaded[0][0].items() if key in ("kind", "data", "ledger")}
    config |= {
        "members": [config["network"] for config, _ in loaded],
        "reading": asdict(READING),
        "trained": [{key: c.get(key) for key in ("step", "validation", "recipe")} for c, _ in loaded],
    }
    save_model(args.output, {name: tensor.numpy() for name, tensor in model.state_dict().items()}, config, dtype="int8")
    size = (args.output / MODEL_FILE).stat().st_size
    if size > MAX_BYTES:
        raise SystemExit(f"{args.output / MODEL_FILE} has {size} bytes, more than {MAX_BYTES}")


if __name__ == "__main__":
    main()
