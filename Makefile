# The verbs of this repository. `make help` lists them.

BIN     := bin
# go.work lists the modules. Those in hack are not in it, as nothing else needs them.
MODULES := $(shell sed -n 's,^	\./,,p' go.work)

.DEFAULT_GOAL := help
.PHONY: help build publish site demo verify test race fuzz bench bench-serve bench-client bench-informer size api-compat upstream-tests controlplane e2e e2e-publisher e2e-site day soak generate pictures lint clean

help: ## list the verbs
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

build: $(BIN)/publisher ## build the publisher

# The go command knows best whether anything changed.
.PHONY: $(BIN)/publisher
$(BIN)/publisher:
	@go build -o $@ ./publisher

publish: build ## publish this repository as rules.yaml says, and verify the mirrors
	$(BIN)/publisher sync
	$(BIN)/publisher verify

demo: build ## cut a tag in a scratch clone, publish it, serve its site, and build a consumer that pins it from there; DEMOFLAGS=-serve keeps the site up
	cd hack/publishing && GOWORK=off go run ./demo -publisher ../../$(BIN)/publisher -build-cache ../../.publisher/build $(DEMOFLAGS)

site: build ## publish this repository, and write the site that its modules can be pinned from
	$(BIN)/publisher sync --site .publisher/site --docs docs
	@echo 'To serve it: $(BIN)/publisher serve --dir .publisher/site'

test: ## vet and test every module
	@for m in $(MODULES); do echo "go test ./$$m/..."; done
	@go vet $(MODULES:%=./%/...)
	go test -timeout 30m $(MODULES:%=./%/...)

race: ## test with the race detector
	go test -race -timeout 30m $(MODULES:%=./%/...)

fuzz: ## run every fuzz target for a while; FUZZTIME=1m for longer
	hack/fuzz.sh $(FUZZTIME)

bench: build ## compare with git, git-filter-repo and others; SOURCE=… RULES=… takes a real repository
	cd hack/publishing && GOWORK=off go run ./bench -publisher ../../$(BIN)/publisher \
		$(if $(SOURCE),-source $(abspath $(SOURCE))) $(if $(RULES),-rules $(abspath $(RULES))) $(BENCHFLAGS)

bench-serve: build ## compare publisher serve with nginx under load (needs nginx and wrk), and let slow clients at it
	cd hack/publishing && GOWORK=off go run ./serve -publisher ../../$(BIN)/publisher $(BENCHFLAGS)

size: ## build the same programs with our client-go and with the public one, and print their sizes
	cd hack/compare && GOWORK=off go run . size

bench-informer: ## have one informer program with each client-go follow 20,000 pods of a real API server; PODS=… takes another number
	cd hack/e2e && GOWORK=off go run ./cmd/bench-informer -pods $(or $(PODS),20000)

bench-client: ## run the same benchmarks with our client-go and with the public one
	cd hack/compare && GOWORK=off go run . bench

api-compat: ## compare the API of our client-go with the public one's
	cd hack/compare && GOWORK=off go run ./apicompat $(APICOMPATFLAGS)

upstream-tests: ## run the public client-go's own tests against ours; PACKAGES="rest tools/watch" for some
	cd hack/compare && GOWORK=off go run ./upstreamtests $(UPSTREAMTESTFLAGS) $(PACKAGES)

controlplane: ## build and start a real API server on loopback, to play with
	cd hack/e2e && GOWORK=off go run ./cmd/controlplane $(CONTROLPLANEFLAGS)

# Compiled first, and then one package at a time: each starts API servers.
e2e: ## test our client-go against a real API server
	@cd hack/e2e && GOWORK=off go vet ./...
	cd hack/e2e && GOWORK=off go test -p 1 -timeout 30m ./...

# One package at a time: each starts servers.
e2e-publisher: ## replicas of the publisher on a real control plane and a real git server: 50 syncs with kills and faults; ROUNDS=… takes another number; and a short day
	cd hack/publishing && GOWORK=off $(if $(ROUNDS),ROUNDS=$(ROUNDS)) go test -p 1 -count=1 -timeout 30m ./replicas ./day

# axe-core is no Go module, and its licence, MPL-2.0, is another than ours. So it is
# fetched and not kept.
AXE := axe-core@4.14.1

e2e-site: ## look at the site's pages in Chromium, in all ways, and serve it by each host of docs/serving.md; SCREENSHOTS=DIR keeps pictures
	npm install --silent --no-save --no-package-lock --ignore-scripts --prefix .publisher/npm $(AXE)
	cd hack/publishing && GOWORK=off AXE=$(abspath .publisher/npm/node_modules/axe-core/axe.min.js) \
		$(if $(SCREENSHOTS),SCREENSHOTS=$(abspath $(SCREENSHOTS))) go test -p 1 -count=1 -timeout 15m ./pages ./hosts

day: ## have a publisher follow 200 pushes to real servers, and say how long each took; DAY=20m is how long that goes on
	cd hack/publishing && GOWORK=off go test -count=1 -v -timeout 0 ./day -length $(or $(DAY),20m) -pushes 200

soak: ## have informers follow ten minutes of changes and faults of a real API server; SOAK=1h for longer
	cd hack/e2e && GOWORK=off SOAK=$(or $(SOAK),10m) go test -race -v -timeout 24h -run TestInformersAgree .

generate: build ## regenerate what is generated; CI fails where that changes anything
	go generate $(MODULES:%=./%/...)
	cd hack/generate && GOWORK=off go run .
	$(BIN)/publisher docs README.md staging/src/k8s.io/client-go/README.md

pictures: build ## take the pictures in docs/pictures anew, where what they show has changed (needs Chromium); CI fails where that changes anything
	cd hack/publishing && GOWORK=off go run ./pictures -publisher ../../$(BIN)/publisher -docs ../../docs

lint: ## gofmt, go vet, staticcheck, tidy modules
	hack/lint.sh

clean: ## remove what was built and published
	rm -rf $(BIN) .publisher */mirror.git
