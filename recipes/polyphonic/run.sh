#!/bin/sh
# Trains and measures the four models, one after the other: sh recipes/polyphonic/run.sh DATA OUT [CORPUS ...]
# DATA holds polyphonic-bl2012/*.json; OUT gets curves and states, from which the same line goes on after a stop.
# Needs the extra `train`. CORPUS: jsb, nottingham, musedata, piano (all of them).
set -eu
cd "$(dirname "$0")/../.."
export OMP_NUM_THREADS=1
python="${PYTHON:-python}"
export SONGWRIGHT_DATA="${1:?give the folder of the data}"
out="${2:?give a folder for curves and states}"
shift 2

train() { # name, corpus, steps, windows, frames, dropout, output dropout, steps between validations
  "$python" -m songwright.training recipes/polyphonic -o "$out/polyphonic-$1" --device cpu \
    --set "task.name=polyphonic-$1" --set "task.corpus=$2" --set "schedule.max_steps=$3" \
    --set "task.windows=$4" --set "task.window_frames=$5" --set "task.network.dropout=$6" \
    --set "task.network.output_dropout=$7" --set "run.validate_every=$8"
  "$python" recipes/polyphonic/measure.py "$out/polyphonic-$1" --data "$SONGWRIGHT_DATA/polyphonic-bl2012/$2.json" --ship
}

for corpus in ${*:-jsb nottingham musedata piano}; do
  case "$corpus" in
    jsb) train jsb JSB_Chorales 900 8 64 0.4 0.3 200 ;;
    nottingham) train nottingham Nottingham 1100 4 128 0.15 0.15 300 ;;
    musedata) train musedata MuseData 2000 4 128 0.25 0.2 500 ;;
    piano) train piano Piano_midi 1200 4 128 0.3 0.25 300 ;;
    *) echo "no corpus is called $corpus: jsb, nottingham, musedata, piano" >&2; exit 2 ;;
  esac
done
