#!/usr/bin/env bash
# gpu.sh PROGRAM: one of the long runs of docs/gpu.md, started by `make gpu-PROGRAM`. What is done is not done again:
# a command that ended well leaves what it printed as OUT/PROGRAM/log/NAME.json. Remove that file to run it once more.
# From the environment: DATA, OUT, PIECE (9m: stop after so long, the same call goes on), GPUS, PRESET, PARTS (of an
# evaluation; each must fit into a piece), ARGS (more words for training), DEVICE, ARC (arc-solve) and PYTHON.
set -euo pipefail
: "${DATA:=data}" "${OUT:=runs/gpu}" "${PIECE:=}" "${GPUS:=1}" "${PARTS:=4}" "${ARGS:=}" "${DEVICE:=auto}"
: "${ARC:=arc-solve}" "${PYTHON:=python}" "${LEARNING_STEPS:=10000}" "${ROLLOUTS:=16}"
program=${1:?which program? see docs/gpu.md}
here=$OUT/$program
weights=$here/run/final.safetensors
case $here in /*) compiled=$here/compiled ;; *) compiled=$PWD/$here/compiled ;; esac
export TORCHINDUCTOR_CACHE_DIR=${TORCHINDUCTOR_CACHE_DIR:-$compiled} PYTHONUNBUFFERED=1

fail() { echo "error: $*" >&2; exit 2; }

case $PIECE in
    "") seconds= ;;
    *[!0-9smh]* | [smh]* | *[smh]?*) fail "PIECE=$PIECE: write 540s, 9m or 2h" ;;
    *s) seconds=$((10#${PIECE%s})) ;;
    *m) seconds=$((60 * 10#${PIECE%m})) ;;
    *h) seconds=$((3600 * 10#${PIECE%h})) ;;
    *) fail "PIECE=$PIECE: write 540s, 9m or 2h" ;;
esac

left() { echo $((seconds - SECONDS > 1 ? seconds - SECONDS : 1)); }

over() { echo "$program: this piece is over at $1; the same command goes on" >&2; exit 0; }

need() {
    local name
    for name; do [ -f "$DATA/$name" ] || fail "$DATA: no $name, which $program needs; see docs/gpu.md"; done
}

# stage NAME COMMAND...: run it unless it ended well before; stopped where the piece ends.
stage() {
    local name=$1 limit=() began=$SECONDS status=0
    shift
    [ ! -f "$here/log/$name.json" ] || return 0
    if [ -n "$seconds" ]; then
        [ "$SECONDS" -lt "$seconds" ] || over "$name"
        limit=(timeout --foreground "$(left)")
    fi
    echo "\$ $*" >&2
    mkdir -p "$here/log"
    ${limit[@]+"${limit[@]}"} "$@" | tee "$here/log/$name.part" || status=$?
    echo "$name exit $status seconds $((SECONDS - began))" >> "$here/log/times"
    [ -z "$seconds" ] || [ $status -ne 124 ] || over "$name"
    [ $status -eq 0 ] || exit $status
    mv "$here/log/$name.part" "$here/log/$name.json"
}

# train DATA_WORDS...: until the final weights are there; what was made from other weights no longer counts.
train() {
    local command=($ARC) status=0 began=$SECONDS
    [ ! -f "$weights" ] || return 0
    rm -rf "$here"/log/*.json "$here"/learnt-*
    mkdir -p "$here/log"
    [ "$GPUS" -eq 1 ] || command=("$PYTHON" -m torch.distributed.run --standalone --nproc-per-node "$GPUS" -m arc_solver.cli)
    command+=(train "$@" --out "$here/run" --device "$DEVICE" --json)
    [ -z "$seconds" ] || command+=(--sitting "$(left)s")
    echo "\$ ${command[*]} $ARGS" >&2
    "${command[@]}" $ARGS || status=$?
    echo "train exit $status seconds $((SECONDS - began))" >> "$here/log/times"
    [ $status -eq 0 ] || exit $status
    [ -f "$weights" ] || over train
}

# answer NAME TASKS WORDS...: predict with the weights of this program.
answer() {
    local name=$1 tasks=$2
    shift 2
    stage "$name" $ARC predict --tasks "$DATA/$tasks" --checkpoint "$weights" "$@" --device "$DEVICE" --workers "$GPUS" --json
}

# boards PRESET KIND TRAINING_FILE TEST_FILE: one chain for each board, then many, in parts.
boards() {
    local part
    need "$3" "$4"
    train --data "$2" --data-dir "$DATA" --preset "${PRESET:-$1}" --set save_every=200
    answer answers "$4" --out "$here/answers.csv"
    for part in $(seq "$PARTS"); do
        answer "rollouts-$part" "$4" --rollouts "$ROLLOUTS" --shard "$part/$PARTS" --out "$here/rollouts-$part.csv"
    done
}

# evaluation SET [LEARNING]: its parts answered, with LEARNING after test-time training; then joined and scored.
evaluation() {
    local tasks=$1_evaluation_challenges.json solutions=$DATA/$1_evaluation_solutions.json part learning lists=()
    for part in $(seq "$PARTS"); do
        learning=()
        [ -z "${2:-}" ] || learning=(--keep "$here/learnt-$part" --adapt-steps $((LEARNING_STEPS / PARTS / GPUS + 1)))
        lists+=("$here/part-$part.jsonl")
        answer "part-$part" "$tasks" --shard "$part/$PARTS" ${learning[@]+"${learning[@]}"} \
            --out "$here/part-$part.json" --candidates "$here/part-$part.jsonl"
    done
    rm -f "$here"/log/{merge,score}.json
    stage merge $ARC merge "${lists[@]}" --tasks "$DATA/$tasks" --out "$here/submission.json"
    stage score $ARC score "$here/submission.json" --solutions "$solutions" --json
}

case $program in
    sudoku) boards sudoku-mlp sudoku sudoku_extreme_1k_train.csv sudoku_extreme_test_10k.csv ;;
    sudoku-att) boards sudoku-att sudoku sudoku_extreme_1k_train.csv sudoku_extreme_test_10k.csv ;;
    maze) boards maze maze maze_hard_1k_train.csv maze_hard_test_500.csv ;;
    arc1 | arc2)
        need "$program"_{training,evaluation}_{challenges,solutions}.json
        train --data "$program" --data-dir "$DATA" --preset "${PRESET:-$program}" --set save_every=500
        evaluation "$program"
        ;;
    arc1-unseen | arc2-unseen)
        need "${program%-unseen}"_evaluation_{challenges,solutions}.json
        train --data "${program%-unseen}:training" --preset "${PRESET:-${program%-unseen}}" --set save_every=500
        evaluation "${program%-unseen}" learning
        ;;
    profile)
        rm -rf "$here/log"
        stage blocks $ARC bench profile-blocks
        stage tests "$PYTHON" -m pytest -q -m gpu tests/arc_solver
        stage graphs $ARC bench profile
        ;;
    *) fail "no program $program: sudoku, sudoku-att, maze, arc1, arc2, arc1-unseen, arc2-unseen or profile" ;;
esac
echo "$program: done; what every command printed is in $here/log" >&2
