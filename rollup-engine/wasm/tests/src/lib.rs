//! The attribute `test` of a crate whose unit tests run as WebAssembly too.
//!
//! A crate takes it in at its root, in place of the standard one, and names `wasm-bindgen-test` among its dev-dependencies,
//! which the attribute refers to:
//!
//! ```ignore
//! #[cfg(all(test, target_arch = "wasm32"))]
//! #[macro_use]
//! extern crate wasm_tests;
//! ```

#[cfg(target_arch = "wasm32")]
pub use wasm_bindgen_test::wasm_bindgen_test as test;
