# One binary, no cgo. `make help` lists the targets.
SHELL      := /bin/bash
GO         ?= go
VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS    := -s -w -X main.version=$(VERSION)
CACHE      := $(CURDIR)/.cache
MINIO      := v0.0.0-20260212201848-7aac2a2c5b7c
GOLANGCI   := v2.15.0
FUZZTIME   ?= 30s
PACKAGES   ?= ./...
export CGO_ENABLED := 0

.PHONY: help build run test test-unit check fmt integration race fuzz bench tools servers clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

build: ## build bin/rookery
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/rookery ./cmd/rookery

run: build ## build, and run a mail server on this machine with nothing else installed
	./bin/rookery serve --demo

test: servers tools ## all tests, on real servers, which are installed if missing and may be
	@scripts/test.sh $(PACKAGES)

test-unit: ## the tests that need nothing but Go
	$(GO) test -short ./...

check: ## gofmt, vet, linters with the import rules, builds for all supported platforms
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "not gofmt'ed: $$out"; exit 1; }
	$(GO) vet ./...
	@$(MAKE) --no-print-directory $(CACHE)/bin/golangci-lint
	$(CACHE)/bin/golangci-lint run ./...
	GOOS=linux GOARCH=arm64 $(GO) build -o /dev/null ./cmd/rookery

fmt: ## gofmt everything
	gofmt -w $$(git ls-files '*.go')

integration: servers tools ## only the end-to-end tests
	@scripts/test.sh ./integration/...

race: servers tools ## all tests with the race detector (needs cgo)
	CGO_ENABLED=1 $(GO) test -race -timeout 40m $(PACKAGES)

fuzz: ## every fuzz test for FUZZTIME (30s)
	@scripts/fuzz.sh $(FUZZTIME)

bench: ## Go benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

tools: $(CACHE)/bin/minio ## build the test tools that Go can build

# About three minutes once; kept in .cache.
$(CACHE)/bin/minio:
	@mkdir -p $(CACHE)/bin
	GOBIN=$(CACHE)/bin $(GO) install -trimpath github.com/minio/minio@$(MINIO)

$(CACHE)/bin/golangci-lint:
	@mkdir -p $(CACHE)/bin
	GOBIN=$(CACHE)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)

servers: ## install the servers and mail programs of the tests where they are missing and this may be done
	@scripts/install-servers.sh

clean: ## remove what was built; .cache stays
	rm -rf bin
