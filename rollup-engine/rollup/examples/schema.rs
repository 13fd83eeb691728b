//! Prints the JSON Schema of `rollups.json`: `npm run schema` writes it, and the types made of it, into `pkg/`.

fn main() -> serde_json::Result<()> {
    println!("{}", serde_json::to_string_pretty(&rollup::shape::schema())?);
    Ok(())
}
