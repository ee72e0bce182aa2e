# The verbs of this repository. `make help` lists them.

BIN     := bin
MODULES := publisher staging/src/k8s.io/client-go staging/src/k8s.io/sample-controller
# Modules that are developed outside go.work, as nothing else needs them.
APART   := hack/bench hack/demo

.DEFAULT_GOAL := help
.PHONY: help build publish demo verify test race fuzz bench generate lint clean

help: ## list the verbs
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

build: $(BIN)/publisher ## build the publisher

# The go command knows best whether anything changed.
.PHONY: $(BIN)/publisher
$(BIN)/publisher:
	@go build -o $@ ./publisher

publish: build ## publish this repository as rules.yaml says, and verify the mirrors
	$(BIN)/publisher sync
	$(BIN)/publisher verify

demo: build ## cut a tag in a scratch clone, publish it, and build a consumer that pins it
	cd hack/demo && GOWORK=off go run . -publisher ../../$(BIN)/publisher $(DEMOFLAGS)

test: ## vet and test every module
	@for m in $(MODULES); do echo "go test ./$$m/..."; done
	@go vet $(MODULES:%=./%/...)
	go test -timeout 30m $(MODULES:%=./%/...)

race: ## test with the race detector
	go test -race -timeout 30m $(MODULES:%=./%/...)

fuzz: ## run every fuzz target for a while; FUZZTIME=1m for longer
	hack/fuzz.sh $(FUZZTIME)

bench: build ## compare with git, git-filter-repo and others; SOURCE=… RULES=… takes a real repository
	cd hack/bench && GOWORK=off go run . -publisher ../../$(BIN)/publisher \
		$(if $(SOURCE),-source $(abspath $(SOURCE))) $(if $(RULES),-rules $(abspath $(RULES))) $(BENCHFLAGS)

generate: ## regenerate what is generated; CI fails where that changes anything
	go generate $(MODULES:%=./%/...)

lint: ## gofmt, go vet, staticcheck, tidy modules
	hack/lint.sh

clean: ## remove what was built and published
	rm -rf $(BIN) .publisher */mirror.git
