#!/bin/sh
# From the shards of open scores to the networks of bars: sh recipes/bars/run.sh SHARDS OUT
# SHARDS is what `songwright prepare-scores` wrote; OUT gets curves, states and weights, and the same line goes on after
# a stop. Writes src/songwright/compose/learned/bars/bars.npz and expected.json. Needs the extra `train`.
set -eu
cd "$(dirname "$0")/../.."
export OMP_NUM_THREADS=1 SONGWRIGHT_SHARDS="${1:?give the folder of the shards}"
python="${PYTHON:-python}"
out="${2:?give a folder for curves, states and weights}"
"$python" -m songwright.training recipes/bars -o "$out" --device cpu
"$python" recipes/bars/measure.py "$out" --ship
