// Writes the TypeScript types of a configuration, made of rollups.schema.json: `npm run schema`.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { compile } from 'json-schema-to-typescript';

const SCHEMA = new URL('../rollups.schema.json', import.meta.url);
const TYPES = new URL('../rollups/src/configuration.ts', import.meta.url);

const OPTIONS = {
  additionalProperties: false,
  bannerComment: '// Made of rollups.schema.json by `npm run schema`; not to be edited by hand.',
  // A list with a first element would be a tuple, which a list that is built up step by step does not fit.
  ignoreMinAndMaxItems: true,
  style: { printWidth: 130, singleQuote: true },
};

/** The same schema in the words that the generator understands. */
function adapt(node) {
  if (Array.isArray(node)) return node.map(adapt);
  if (typeof node !== 'object' || node === null) return node;
  const { $ref, not, ...rest } = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, adapt(value)]));
  return {
    ...rest,
    // Beside a description the generator would put the type in place of its name.
    ...($ref && (Object.keys(rest).length > 0 ? { allOf: [{ $ref }] } : { $ref })),
    ...(not && { tsType: 'never' }),
  };
}

/** The types, as the text of a module. */
export const configurationTypes = () => compile(adapt(JSON.parse(readFileSync(SCHEMA, 'utf8'))), 'Configuration', OPTIONS);

/** The types, as they are kept. */
export const keptTypes = () => readFileSync(TYPES, 'utf8');

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TYPES, await configurationTypes());
