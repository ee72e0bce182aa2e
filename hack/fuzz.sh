#!/usr/bin/env bash
# Run every fuzz target for a while: hack/fuzz.sh [TIME], 10s by default.
set -euo pipefail
cd "$(dirname "$0")/.."

# The go command can report the end of the time itself as a failure, "context
# deadline exceeded" and nothing else. A target that
# fails leaves an input behind.
fuzz() {
	local out
	if out=$(go test "./$1" -run '^$' -fuzz "^$2\$" -fuzztime "$3" -fuzzminimizetime 1s </dev/null 2>&1); then
		tail -n 1 <<<"$out"
		return
	fi
	printf '%s\n' "$out"
	grep -q '^ *context deadline exceeded$' <<<"$out" && ! grep -q 'Failing input' <<<"$out"
}

git grep --untracked -lE '^func Fuzz' -- '*_test.go' | xargs -rn1 dirname | sort -u | while read -r dir; do
	grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | cut -c6- | while read -r target; do
		echo "fuzz $target in $dir"
		fuzz "$dir" "$target" "${1:-10s}"
	done
done
