//! What `cargo test --target wasm32-unknown-unknown` calls to run a test module in Node.

#[cfg(not(target_arch = "wasm32"))]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    Ok(wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::env::args_os())?)
}

#[cfg(target_arch = "wasm32")]
fn main() {}
