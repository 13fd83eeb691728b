// Writes a module as a TypeScript file that holds it as base64, for a host that takes one file only.
//
//   node inline.mjs <file.wasm> <file.ts>
//
// The constant is annotated so that the type checker does not carry a literal type of its whole length.

import { readFileSync, writeFileSync } from 'node:fs';

const [wasm, target] = process.argv.slice(2);
writeFileSync(target, `export const WASM_BASE64: string = "${readFileSync(wasm).toString('base64')}";\n`);
