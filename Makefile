# Everything that a person or .ci/run does with this repository. `make help` lists the targets.

ADDR     ?= 127.0.0.1:8080
FUZZTIME ?= 10s
GOLANGCI ?= go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
# More flags for go test, such as TESTFLAGS='-run Join -v'.
TESTFLAGS ?=
# How long make soak takes, besides its warm-up.
SOAK     ?= 5m

NPM_STAMP := web/node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help pong chat dashboard tutorial test test-go test-web race fuzz cover chaos stall soak lossy lint rivals web verify-web tidy clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

pong: ## play pong in a browser (ADDR=host:port)
	go run ./examples/pong -addr $(ADDR)

chat: ## chat in a browser, with Volley's client and with Socket.IO's (ADDR=host:port)
	go run ./examples/chat -addr $(ADDR)

dashboard: ## watch a running server's own figures in a browser (ADDR=host:port)
	go run ./examples/dashboard -addr $(ADDR)

tutorial: ## Socket.IO's tutorial, with the server in Go (ADDR=host:port)
	go run ./examples/tutorial -addr $(ADDR)

test: test-web test-go ## all tests: Go, the browser, the TypeScript client

test-go: $(NPM_STAMP) ## the Go tests, with the browser's (TESTFLAGS=…)
	@.ci/need browser node npm cc
	go test -timeout 10m $(TESTFLAGS) ./...

test-web: $(NPM_STAMP) ## the TypeScript client's tests
	cd web && npm test

race: $(NPM_STAMP) ## the Go tests under the race detector, in random order
	@.ci/need browser node npm cc
	go test -race -shuffle on -timeout 15m $(TESTFLAGS) ./...

fuzz: ## every fuzz target, one after the other (FUZZTIME=10s each)
	@.ci/fuzz $(FUZZTIME)

cover: $(NPM_STAMP) ## test coverage, into coverage.html
	@.ci/need browser node npm cc
	go test -timeout 10m -coverpkg ./... -coverprofile coverage.out $(TESTFLAGS) ./...
	go tool cover -html coverage.out -o coverage.html
	@go tool cover -func coverage.out | tail -n 1

chaos: ## 1,000,000 numbered events through connections that are cut once a second (two minutes)
	go run ./internal/chaos

stall: ## what 100 of 1,000 clients cost that do not read for ten seconds (two minutes; Linux)
	go run ./internal/stall

soak: ## clients that come, go, stall and vanish, of whom nothing may stay behind (SOAK=5m)
	go run ./internal/chaos -soak $(SOAK)

lossy: ## numbered events over a network that loses packets as well (Linux, root)
	@.ci/need ip iptables
	go run ./internal/chaos -netns -events 200000

lint: ## go vet, gofmt, golangci-lint (the first run builds it, which takes minutes)
	go vet ./...
	@.ci/gofmt
	$(GOLANGCI) run ./...

rivals: ## check the bench's rivals, which are a module of their own: go vet, go.mod, the C compiler's warnings
	@.ci/need cc
	cd bench/rivals && go mod tidy -diff && go vet ./...
	$${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -Werror -fsyntax-only bench/rivals/floor/*.c

web: $(NPM_STAMP) ## build the browser client into web/dist
	cd web && npm run build

verify-web: $(NPM_STAMP) ## check the client's types, and that web/dist is what web/src gives
	cd web && npm run check && npm run verify

tidy: ## go.mod and go.sum as the imports want them, sources as gofmt wants them
	go mod tidy
	cd bench/rivals && go mod tidy
	gofmt -w $$(git ls-files -co --exclude-standard '*.go')

clean: ## remove what the other targets leave
	rm -rf bin coverage.out coverage.html web/node_modules web/.build internal/stranger/node_modules bench/rivals/node/node_modules

$(NPM_STAMP): web/package.json web/package-lock.json
	@.ci/need node npm
	cd web && npm ci --no-audit --no-fund
	@touch $@
