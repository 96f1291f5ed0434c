#!/bin/sh
# Makes the index of learned melodies and prints what held-out pieces and songs share with it: sh recipes/novelty/run.sh SHARDS
set -eu
cd "$(dirname "$0")/../.."
"${PYTHON:-python}" recipes/novelty/build.py --shards "${1:-data/shards}"
exec "${PYTHON:-python}" recipes/novelty/measure.py --shards "${1:-data/shards}"
