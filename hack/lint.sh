#!/usr/bin/env bash
# What must be clean before a change lands.
set -euo pipefail
cd "$(dirname "$0")/.."

staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2

unformatted=$(git ls-files -z -- '*.go' | xargs -0r gofmt -l)
if [ -n "$unformatted" ]; then
	printf 'gofmt these files:\n%s\n' "$unformatted" >&2
	exit 1
fi

# What docs/threats.md says is shown by tests that are there.
missing=0
while IFS=. read -r package name; do
	grep -qs "^func $name(" publisher/"$package"/*_test.go || { echo "docs/threats.md: there is no $package.$name" >&2; missing=1; }
done < <(grep -oE '`[a-z/]+\.(Test|Fuzz)[A-Za-z0-9_]+`' docs/threats.md | tr -d '`' | sort -u)
[ $missing = 0 ] || exit 1

# Each module by itself, as its consumers see it: without go.work.
export GOWORK=off

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
GOBIN=$tools go install "$staticcheck"

# check prints what staticcheck finds. That generated clients offer what the API
# has deprecated is as it should be.
check() { # packages
	local findings finding code=0 bad=0
	findings=$("$tools/staticcheck" "$@") || code=$?
	[ "$code" -le 1 ] || return "$code" # 1: there are findings
	while IFS= read -r finding; do
		if [[ $finding == *"(SA1019)" ]] && grep -q '^// Code generated .* DO NOT EDIT\.$' "${finding%%:*}"; then
			continue
		fi
		[ -z "$finding" ] || { echo "$finding" && bad=1; }
	done <<<"$findings"
	return $bad
}
lint() { # module, packages
	echo "lint $1"
	(cd "$1" && go mod tidy -diff && go vet "${@:2}" && check "${@:2}")
}
for go_mod in $(git ls-files -- go.mod '*/go.mod'); do
	case $(dirname "$go_mod") in
	# The other packages there are Kubernetes' own, and take all of it to check.
	hack/e2e/controlplane/binaries) lint "${go_mod%/go.mod}" ./etcd ./pin ;;
	*) lint "${go_mod%/go.mod}" ./... ;;
	esac
done
