#!/usr/bin/env bash
# Run every fuzz target for a while: hack/fuzz.sh [TIME], 10s by default.
set -euo pipefail
cd "$(dirname "$0")/.."

for module in publisher staging/src/k8s.io/client-go; do
	grep -rlE '^func Fuzz' --include='*_test.go' "$module" | xargs -rn1 dirname | sort -u | while read -r dir; do
		grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | cut -c6- | while read -r target; do
			echo "fuzz $target in $dir"
			go test "./$dir" -run '^$' -fuzz "^$target\$" -fuzztime "${1:-10s}" -fuzzminimizetime 1s </dev/null
		done
	done
done
