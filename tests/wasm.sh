#!/usr/bin/env bash
# Runs the unit tests of the crates that decide as WebAssembly in Node: `npm run test:wasm`.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --quiet --release -p wasm-tests
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER="$PWD/target/release/wasm-test-runner"
# The runner reads all of a module, and debug information is most of it.
export CARGO_PROFILE_TEST_DEBUG=false CARGO_PROFILE_DEV_DEBUG=false
cargo test --lib --target wasm32-unknown-unknown -p ports -p twenty -p model -p fundraising -p rollup "$@"
