// The text of a `rollups.json`, as `init` and `definitions` write it.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

import type { Definition } from '../index.js';

const { name, version }: { name: string; version: string } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

export { version };

/** Where an editor finds the schema: in the package, where a project above the folder has installed it, else on the web. */
export function schemaFor(folder: string, file = 'rollups.schema.json'): string {
  for (let above = folder; ; above = dirname(above)) {
    const path = join(above, 'node_modules', name, file);
    if (existsSync(path)) return `./${relative(folder, path).split(sep).join('/')}`.replace(/^\.\/\.\.\//, '../');
    if (above === dirname(above)) return `https://unpkg.com/${name}@${version}/${file}`;
  }
}

/** The order in which people read the keys; those of no place here come last. */
const ORDER = [
  ...['$schema', 'definitions', 'parentObject', 'childObject', 'relationField', 'childFilters', 'aggregations'],
  ...['type', 'field', 'childField', 'subtractField', 'currencyField', 'operator', 'value', 'dynamicValue', 'parentField', 'filters'],
];

const placeOf = (key: string) => (ORDER.includes(key) ? ORDER.indexOf(key) : ORDER.length);

const entriesOf = (value: object) => Object.entries(value).sort(([a], [b]) => placeOf(a) - placeOf(b));

/** A condition or an aggregation stands on one line, where it is not too long; everything else is spread out. */
export function configurationText(definitions: readonly Definition[], schema: string): string {
  return `${spread({ $schema: schema, definitions }, '')}\n`;
}

const MAX_LINE = 120;

function spread(value: unknown, indent: string): string {
  const line = oneLine(value);
  const isNested = typeof value === 'object' && value !== null && Object.values(value).some((part) => typeof part === 'object' && part !== null);
  if (typeof value !== 'object' || value === null || (!isNested && indent.length + line.length <= MAX_LINE)) return line;
  const inner = `${indent}  `;
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[\n${value.map((part) => inner + spread(part, inner)).join(',\n')}\n${indent}]`;
  return `{\n${entriesOf(value).map(([key, part]) => `${inner}${JSON.stringify(key)}: ${spread(part, inner)}`).join(',\n')}\n${indent}}`;
}

const oneLine = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`;
  return `{ ${entriesOf(value).map(([key, part]) => `${JSON.stringify(key)}: ${oneLine(part)}`).join(', ')} }`;
};
