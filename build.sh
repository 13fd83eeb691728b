#!/usr/bin/env bash
# Builds the WebAssembly modules and the TypeScript of pkg/, the Twenty function's generated sources, and the sandbox server.
#
#   ./build.sh             everything
#   BLESS=1 ./build.sh     accepts a changed list of imports or changed type declarations
#
# Needs Rust (by rustup) and Node 20 or newer with npm; what else is missing it installs, or names.
# A module goes: cargo → wasm-bindgen → wasm-opt → pkg/<product>/generated/. It ends with what the modules weigh, and
# fails above a limit. With nothing changed a run takes seconds: cargo knows by itself, and the later steps are skipped
# while their input has the same hash.

set -euo pipefail
cd "$(dirname "$0")"

readonly TARGET=wasm32-unknown-unknown
readonly TARGET_DIR="${CARGO_TARGET_DIR:-target}"
readonly TOOLS=rollup-engine/wasm/tools
readonly GOLDEN=rollup-engine/wasm/golden
# What Twenty runs functions with, for the demonstration and the tests; scripts run on the user's own Node.
readonly NODE_24=node_modules/node/bin/node
readonly APP_ENGINE=serverlessFunctions/calculaterollups/src/engine

# The instructions that rustc 1.95 emits for this target, all older than Node 20. Named one by one, from nothing: with
# `--all-features` wasm-opt also uses what Node 20 cannot read.
readonly WASM_FEATURES=(
  --mvp-features
  --enable-bulk-memory
  --enable-multivalue
  --enable-mutable-globals
  --enable-nontrapping-float-to-int
  --enable-reference-types
  --enable-sign-ext
)

readonly WASM_OPT=(-O3)

say() { printf '── %s\n' "$*"; }

fail() {
  printf 'build.sh: %s\n' "$*" >&2
  exit 1
}

check_tools() {
  command -v cargo >/dev/null || fail "Rust is missing: install it from https://rustup.rs"
  command -v node >/dev/null || fail "Node is missing: install version 20 or newer from https://nodejs.org"
  command -v npm >/dev/null || fail "npm is missing: it comes with Node from https://nodejs.org"
  node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' ||
    fail "Node is too old ($(node --version)): version 20 or newer is needed"
}

install_target() {
  if [[ -d "$(rustc --print sysroot)/lib/rustlib/$TARGET" ]]; then return; fi
  say "installing the target $TARGET"
  command -v rustup >/dev/null ||
    fail "this Rust has no target $TARGET and no rustup to add it: install the target from where Rust came from (Debian: libstd-rust-dev-wasm32), or Rust from https://rustup.rs"
  rustup target add "$TARGET" ||
    fail "rustup could not add $TARGET: with a network run 'rustup target add $TARGET', without one unpack the rust-std component for $TARGET into $(rustc --print sysroot)"
}

install_node_packages() {
  if [[ -x node_modules/.bin/tsc && -x "$NODE_24" && node_modules/.package-lock.json -nt package-lock.json ]]; then return; fi
  say "installing the Node packages"
  if [[ -f package-lock.json ]]; then npm ci --no-audit --no-fund; else npm install --no-audit --no-fund; fi
  [[ -x node_modules/.bin/wasm-opt ]] || fail "wasm-opt is missing: package.json must name binaryen"
  [[ -x node_modules/.bin/tsc ]] || fail "tsc is missing: package.json must name typescript"
  # Install scripts are off (.npmrc), so npm makes no `node_modules/.bin/node` that would come before the user's own.
  (cd node_modules/node && node installArchSpecificPackage.js)
  [[ -x "$NODE_24" ]] || fail "the package node brought no binary for this machine"
}

# Panic messages hold the path of the source: as seen from the workspace, the same on every machine, also on one that has
# the source of Rust's library, whose place would show otherwise.
wasm_rustflags() {
  local registry="${CARGO_HOME:-$HOME/.cargo}/registry/src" library commit
  library="$(rustc --print sysroot)/lib/rustlib/src/rust"
  commit="$(rustc --version --verbose | sed -n 's/^commit-hash: //p')"
  printf '%s\x1f%s\x1f%s' \
    "--remap-path-prefix=$PWD=." \
    "--remap-path-prefix=$registry=crates" \
    "--remap-path-prefix=$library=/rustc/$commit"
}

build_glue_tool() {
  say "building the glue tool"
  cargo build --quiet --release -p wasm-glue
}

# compile <product>: cargo's part
compile() {
  say "compiling wasm-$1"
  CARGO_ENCODED_RUSTFLAGS="$(wasm_rustflags)" cargo build --quiet --profile wasm --target "$TARGET" -p "wasm-$1"
}

# hash_of <file>...: one hash of all their contents
hash_of() { cat "$@" | node "$TOOLS/hash.mjs"; }

# finish <product>: glue and optimiser, skipped while everything that goes in has the same hash
finish() {
  local product="$1" out="pkg/$1/generated" module="$TARGET_DIR/$TARGET/wasm/wasm_$1.wasm"
  local stamp="$out/.inputs" inputs
  inputs="$(hash_of "$module" "$TARGET_DIR/release/wasm-glue" build.sh node_modules/binaryen/package.json)"
  if [[ -f "$stamp" && "$(<"$stamp")" == "$inputs" && -f "$out/$product.wasm" ]]; then return; fi

  say "finishing $product"
  rm -rf "$out"
  "$TARGET_DIR/release/wasm-glue" "$module" "$out" "$product"
  node_modules/.bin/wasm-opt "${WASM_OPT[@]}" "${WASM_FEATURES[@]}" "$out/$product.wasm" -o "$out/$product.opt.wasm"
  mv "$out/$product.opt.wasm" "$out/$product.wasm"
  printf '%s' "$inputs" >"$stamp"
}

# product <name>: the crate wasm-<name> becomes pkg/<name>/generated/<name>.{wasm,js,d.ts}
product() {
  compile "$1"
  finish "$1"
  node "$TOOLS/contract.mjs" "$1" "pkg/$1/generated" "$GOLDEN"
}

# The TypeScript of pkg/ becomes the JavaScript beside it. The compiler knows by itself what is up to date, but not
# whether what it wrote is still there.
compile_typescript() {
  say "compiling the TypeScript of pkg/"
  local source output
  while read -r source; do
    output="${source/src\//}"
    [[ -f "${output%.ts}.js" ]] || rm -f pkg/*/.tsbuildinfo
  done < <(find pkg/*/src -name '*.ts' ! -name '*.d.ts')
  node_modules/.bin/tsc -b pkg
}

# The function is one file with no other beside it: the module goes in as text.
inline_into_app() {
  local from=pkg/rollups
  mkdir -p "$APP_ENGINE"
  node "$TOOLS/inline.mjs" "$from/generated/rollups.wasm" "$APP_ENGINE/wasm.generated.ts"
  cp "$from/generated/rollups.js" "$APP_ENGINE/glue.generated.js"
  cp "$from/generated/rollups.d.ts" "$APP_ENGINE/glue.generated.d.ts"
  cp "$from/api.js" "$APP_ENGINE/api.generated.js"
  cp "$from/api.d.ts" "$APP_ENGINE/api.generated.d.ts"
}

build_sandbox() {
  say "building the sandbox"
  cargo build --quiet --release -p sandbox
}

weigh() { node "$TOOLS/sizes.mjs" pkg/{rollups,fundraising}/generated/*.wasm; }

check_tools
install_target
install_node_packages
build_glue_tool
product rollups
product fundraising
cp rollup-engine/model/model.json pkg/fundraising/generated/model.json
compile_typescript
inline_into_app
build_sandbox
weigh
