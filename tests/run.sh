#!/usr/bin/env bash
# Builds everything and runs every test: `npm test`. What needs ../shared says so where it is absent.
set -euo pipefail
cd "$(dirname "$0")/.."

# npm notes where somebody stands, and the Twenty CLI would take that for the app.
unset INIT_CWD

say() { printf '\n── %s\n' "$*"; }

./build.sh
say "building the Twenty app, for servers from 2.40 on and for older ones"
node serverlessFunctions/build.mjs
node serverlessFunctions/build.mjs --sdk 2.13.0 --tarball

say "testing the Rust crates"
# The fuzz targets try the same inputs each time; without a seed, and for longer, they look for others.
BOLERO_RANDOM_SEED=1 cargo test --quiet

say "testing what was built: the wasm, the function, the runtimes, the sandbox, the recordings"
# Once, before test files that run side by side would each do it.
node --input-type=module --eval 'import { prepare } from "./tests/support/project.mjs"; prepare();'
node --test tests/*/*.test.mjs
