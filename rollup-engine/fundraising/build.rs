//! Takes out of `model.json` what only people and the app look at, and the spaces: 3 kB that the module need not carry.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use serde_json::Value;

const MODEL: &str = "src/model.json";
/// How the app and the provisioning show an object
const SHOWN: [&str; 4] = ["label", "labels", "icon", "about"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={MODEL}");
    let mut model: Value = serde_json::from_slice(&fs::read(MODEL)?)?;
    for object in model.as_object_mut().into_iter().flat_map(|model| model.values_mut()) {
        for name in SHOWN {
            object.as_object_mut().and_then(|object| object.remove(name));
        }
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    fs::write(out.join("model.json"), model.to_string())?;
    Ok(())
}
