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

train() { # seed, then settings
  seed="$1"
  shift
  "$python" -m songwright.training recipes/jsb -o "$out/seed$seed" --device cpu --set "run.seed=$seed" "$@"
}

train 5
train 6 --set task.network.dropout=0.35 --set task.network.input_dropout=0.3 --set task.network.head_dropout=0.3 \
  --set task.network.place_dropout=0.2
"$python" recipes/jsb/mix.py "$out/seed5" "$out/seed6"
"$python" recipes/jsb/measure.py --data "$SONGWRIGHT_DATA/jsb-chorales/Jsb16thSeparated.json" --write
