#!/bin/sh
# Preference tuning of a trained composer: sh recipes/preference/run.sh SHARDS START OUT [windows]
# SHARDS is what `songwright prepare-scores` wrote, START the `best` of a training of recipes/composer; OUT gets an
# exported copy, pairs, the tuned weights and the measured table. The same line goes on after a stop. Needs torch.
set -eu
cd "$(dirname "$0")/../.."
python="${PYTHON:-python}"
export SONGWRIGHT_SHARDS="${1:?give the folder of the shards}"
start="${2:?give the folder of a trained composer}"
out="${3:?give a folder for pairs and weights}"
mkdir -p "$out"
"$python" -m songwright export "$start" -o "$out/exported" --force
"$python" recipes/preference/pairs.py "$out/exported" -o "$out/pairs" --windows "${4:-240}" --valid 32
"$python" -m songwright.training recipes/preference -o "$out/preference" \
  --set "task.start=$start" --set "task.pairs=$out/pairs"
"$python" recipes/preference/measure.py "$start" "$out/preference/best" --names before,preference -o "$out/preference.json"
