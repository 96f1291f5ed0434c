#!/bin/sh
# Tuning of a trained composer by rewards: sh recipes/reinforce/run.sh SHARDS START OUT [minutes]
# SHARDS is what `songwright prepare-scores` wrote, START the `best` of a training of recipes/composer; OUT gets the
# tuned weights and the measured table. The same line goes on after a stop. Needs the extra `train`.
set -eu
cd "$(dirname "$0")/../.."
python="${PYTHON:-python}"
export SONGWRIGHT_SHARDS="${1:?give the folder of the shards}"
start="${2:?give the folder of a trained composer}"
out="${3:?give a folder for weights}"
"$python" -m songwright.training recipes/reinforce -o "$out/reinforce" --minutes "${4:-0}" --set "task.start=$start"
"$python" recipes/preference/measure.py "$start" "$out/reinforce/last" --names before,reinforce -o "$out/reinforce.json"
