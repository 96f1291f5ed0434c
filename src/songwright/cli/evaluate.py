"""Score a trained model again on data that it did not learn from, with the definitions of the published tables."""

import argparse
import json
from pathlib import Path

EXAMPLES = """examples:
  songwright evaluate nll recipes/jsb/model --data Jsb16thSeparated.json --metric note
  songwright evaluate nll recipes/jsb/model --data Jsb16thSeparated.json --metric note --split valid --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the measurements, each with its own arguments."""
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    nll = what.add_parser(
        "nll",
        help="negative log-likelihood of a symbolic model on JSON data",
        description="Negative log-likelihood of a symbolic model on a split of a JSON file, in nats.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    nll.add_argument("model", type=Path, help="model folder: model.safetensors and config.json")
    nll.add_argument("--data", type=Path, required=True, help="JSON with lists of pieces under train, valid or test")
    nll.add_argument("--metric", required=True, help="note: per pitch of a 16th grid; frame: per frame of a piano roll")
    nll.add_argument("--split", help="which list (default: the only one besides train, else test, else valid)")
    nll.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Prints the measurement."""
    from songwright.evaluation.nll import METRICS, measure

    result = measure(args.model, args.data, args.metric, args.split)
    if args.json:
        print(json.dumps(result.to_dict()))
    else:
        unit = METRICS[result.metric].unit
        over = f"{result.tokens} {unit}s of {result.pieces} pieces, split {result.split}"
        print(f"{result.nats:.4f} nats per {unit} over {over}")
    return 0
