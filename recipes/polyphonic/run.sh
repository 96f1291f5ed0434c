#!/bin/sh
# Trains and measures the four models, one after the other: sh recipes/polyphonic/run.sh DATA OUT [NAME ...]
# DATA holds polyphonic-bl2012/*.json; OUT gets curves and states, from which the same line goes on after a stop.
# NAME: jsb, nottingham, musedata, piano (all of them). Needs the extra `train`.
# INDEPENDENT=300 trains the other class, 88 sigmoids that do not see each other, for so many steps, for the table alone.
set -eu
cd "$(dirname "$0")/../.."
export OMP_NUM_THREADS=1 SONGWRIGHT_DATA="${1:?give the folder of the data}"
python="${PYTHON:-python}"
out="${2:?give a folder for curves and states}"
shift 2
for name in ${*:-jsb nottingham musedata piano}; do
  recipe="recipes/polyphonic/$name.toml"
  corpus=$(sed -n 's/^corpus = "\(.*\)".*/\1/p' "$recipe")
  run="$out/polyphonic-$name"
  set --
  if [ -n "${INDEPENDENT:-}" ]; then
    run="$run-independent"
    set -- --set "task.name=polyphonic-$name-independent" --set task.network.joint=false \
      --set "schedule.max_steps=$INDEPENDENT" --set "run.validate_every=$INDEPENDENT"
  fi
  "$python" -m songwright.training "$recipe" -o "$run" --device cpu "$@"
  "$python" recipes/polyphonic/measure.py "$run" --data "$SONGWRIGHT_DATA/polyphonic-bl2012/$corpus.json" --ship
done
