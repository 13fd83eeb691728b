//! Runs wasm-bindgen on a built module.
//!
//! `wasm-glue <module.wasm> <folder> <name>` writes `<name>.wasm`, `<name>.js` and `<name>.d.ts` into the folder.
//!
//! wasm-bindgen is two halves that must be of the same version to the digit: the crate that the module is compiled
//! against and the tool that reads the module. Here the tool is a library of the same workspace, both are pinned with
//! `=` in one place, and one lock file holds them: a mismatch cannot be built.
//!
//! At the end of the glue stands `runtime.js`: the life of the module's instance, and its way to the network.
//!
//! It refuses a module that needs files of its own beside it (snippets, npm packages), since the same glue is also
//! inlined into a single file.
//!
//! # Examples
//!
//! ```sh
//! wasm-glue target/wasm32-unknown-unknown/release/wasm_rollups.wasm pkg/rollups/generated rollups
//! ```

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use wasm_bindgen_cli_support::Bindgen;

/// Put at the end of the glue, and of its declarations
const RUNTIME: [&str; 2] = [include_str!("runtime.js"), include_str!("runtime.d.ts")];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    let (Some(module), Some(folder), Some(name), None) =
        (arguments.next(), arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: wasm-glue <module.wasm> <folder> <name>".into());
    };
    let name = name.into_string().map_err(|name| format!("`{}` is no file name", name.display()))?;
    generate(&PathBuf::from(module), &PathBuf::from(folder), &name)
}

fn generate(module: &Path, folder: &Path, name: &str) -> Result<(), Box<dyn Error>> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(module)
        .out_name(name)
        // No default path: a module that fetches itself by URL works in no host of ours.
        .omit_default_module_path(true)
        // How a broken instance is replaced: the glue keeps its instance in a variable that `initSync` fills once.
        .reset_state_function(true)
        .remove_producers_section(true)
        .typescript(true)
        .web(true)?;
    let mut output = bindgen.generate_output()?;
    // Every crate has an entry among the snippets, empty if it brings none.
    let self_contained = output.snippets().values().all(Vec::is_empty)
        && output.local_modules().is_empty()
        && output.npm_dependencies().is_empty();
    if !self_contained {
        let module = module.display();
        return Err(format!("`{module}` brings JavaScript files of its own, which the glue cannot carry").into());
    }
    fs::create_dir_all(folder)?;
    let [runtime, declarations] = RUNTIME;
    let glue = format!("{}{runtime}", output.js());
    let types = format!("{}{declarations}", output.ts().ok_or("no type declarations were made")?);
    fs::write(folder.join(name).with_extension("js"), glue)?;
    fs::write(folder.join(name).with_extension("d.ts"), types)?;
    fs::write(folder.join(name).with_extension("wasm"), output.wasm_mut().emit_wasm())?;
    Ok(())
}
