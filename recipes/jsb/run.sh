#!/bin/sh
# Trains two networks, mixes them, measures and keeps the model: sh recipes/jsb/run.sh DATA OUT
# DATA holds jsb-chorales/Jsb16thSeparated.json; OUT gets curves and states, from which the same line goes on after a stop.
# Needs the extra `train`; one core.
set -eu
cd "$(dirname "$0")/../.."
export OMP_NUM_THREADS=1
python="${PYTHON:-python}"
export SONGWRIGHT_DATA="${1:?give the folder of the data}"
out="${2:?give a folder for curves and states}"

for seed in 1 2; do
  "$python" -m songwright.training recipes/jsb -o "$out/seed$seed" --device cpu --set "run.seed=$seed"
done
"$python" recipes/jsb/mix.py "$out/seed1" "$out/seed2" --data "$SONGWRIGHT_DATA/jsb-chorales/Jsb16thSeparated.json" --ship
