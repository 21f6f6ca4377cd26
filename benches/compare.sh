#!/usr/bin/env bash
# CPU seconds of twostep beside the floor (and other commands), in turn, in one run.
#
#   benches/compare.sh [-r ROUNDS] TREE [COMMAND ...]
#
# A COMMAND is one shell line in which {tree} and {out} stand for the tree and a file to write, as in
#   benches/compare.sh ~/src/linux 'repomix {tree} -o {out}' './twostep-before pack {tree} -o {out} -q'
# Figures are user and system time of the whole process tree; the last column is the median of the
# ratio to the floor of the same round. Machines are noisy: compare ratios, not seconds.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=5
if [[ ${1:-} == -r ]]; then rounds=$2; shift 2; fi
[[ $# -ge 1 ]] || { sed -n '2,10p' "$0" >&2; exit 2; }
tree=$(realpath "$1"); shift
cargo build -q --release --bin twostep --example floor
target=$(cargo metadata -q --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
commands=("$target/release/examples/floor {tree} {out}" "$target/release/twostep pack {tree} -o {out}" "$target/release/twostep pack -q {tree} -o {out}" "$target/release/twostep pack --budget 50k {tree} -o {out}" "$@")
TIMEFORMAT='%U %S %R'
run() { # INDEX: prints CPU and wall seconds
  local line=${commands[$1]}
  line=${line//\{tree\}/\'$tree\'}; line=${line//\{out\}/\'$work/out\'}
  rm -f "$work/out"
  { time bash -c "exec $line" >/dev/null 2>&1; } 2>&1 | awk '{print $1 + $2, $3}'
}
run 0 >/dev/null # warms the page cache
for ((round = 0; round < rounds; round++)); do
  for index in "${!commands[@]}"; do echo "$round $index $(run "$index")"; done
done >"$work/times"
for index in "${!commands[@]}"; do
  awk -v i="$index" '
    function median(a, n) { asort_(a, n); return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2 }
    function asort_(a, n,  x, y, t) { for (x = 2; x <= n; x++) for (y = x; y > 1 && a[y] < a[y - 1]; y--) { t = a[y]; a[y] = a[y - 1]; a[y - 1] = t } }
    $2 == 0 { floor[$1] = $3 }
    $2 == i { n++; cpu[n] = $3; wall[n] = $4; ratio[n] = $3 / floor[$1] }
    END { printf "%7.3f CPU s  %7.3f s  x%.2f  ", median(cpu, n), median(wall, n), median(ratio, n) }' "$work/times"
  echo "${commands[$index]/$target\/release\//}"
done
