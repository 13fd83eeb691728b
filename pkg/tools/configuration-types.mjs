// Writes the TypeScript types of what the JSON Schemas of the package describe: `npm run schema`.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { compile } from 'json-schema-to-typescript';

/** Each schema, with the module that is made of it. */
export const TYPED_SCHEMAS = [
  { schema: 'rollups.schema.json', types: 'configuration.ts' },
  { schema: 'rollups.test.schema.json', types: 'test-file.ts' },
];

const OPTIONS = {
  additionalProperties: false,
  // A list with a first element would be a tuple, which a list that is built up step by step does not fit.
  ignoreMinAndMaxItems: true,
  style: { printWidth: 130, singleQuote: true },
};

const schemaOf = ({ schema }) => JSON.parse(readFileSync(new URL(`../${schema}`, import.meta.url), 'utf8'));
const pathOf = ({ types }) => new URL(`../rollups/src/${types}`, import.meta.url);

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
export const typesOf = (typed) =>
  compile(adapt(schemaOf(typed)), typed.schema, {
    ...OPTIONS,
    bannerComment: `// Made of ${typed.schema} by \`npm run schema\`; not to be edited by hand.`,
  });

/** The types, as they are kept. */
export const keptTypes = (typed) => readFileSync(pathOf(typed), 'utf8');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const typed of TYPED_SCHEMAS) writeFileSync(pathOf(typed), await typesOf(typed));
}
