/**
 * Writes `model/` from the one declaration of the data model: `node model.mjs [--without fund,trackingCode] [--check]`.
 *
 * Each own object becomes a file, and so does each field of a standard object, since the CLI finds them by their form.
 * With `--without` some objects are left out, and the relations to them. With `--check` nothing is written, and the exit
 * status says whether anything would have changed. Totals of people and companies are in `fields/`, not here.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HERE = dirname(fileURLToPath(import.meta.url));
const FOLDER = join(HERE, 'model');
const DECLARATION = join(HERE, '..', 'rollup-engine', 'model', 'model.json');

const ICONS = {
  ADDRESS: 'IconMap',
  BOOLEAN: 'IconToggleRight',
  CURRENCY: 'IconCoins',
  DATE: 'IconCalendar',
  DATE_TIME: 'IconClock',
  NUMBER: 'IconHash',
  RAW_JSON: 'IconBraces',
  TEXT: 'IconAbc',
};

/** Objects whose totals are in `fields/`. */
const TOTALS_ELSEWHERE = ['person', 'company'];

const HEAD = '// Written by model.mjs from the declaration of the data model; changes here are lost.\n';

/** Identifiers that were given out before they were derived. */
const GIVEN = JSON.parse(readFileSync(join(HERE, 'identifiers.json'), 'utf8'));

/** An identifier that follows from the name (UUID version 5), so that each build has the same. */
const identifierOf = (name) => {
  if (GIVEN[name]) return GIVEN[name];
  const hash = createHash('sha1').update(Buffer.from(GIVEN.namespace.replaceAll('-', ''), 'hex')).update(name).digest();
  hash[6] = (hash[6] & 0x0f) | 0x50;
  hash[8] = (hash[8] & 0x3f) | 0x80;
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};

/** `giftAidEligible` → `Gift aid eligible` */
const labelOf = (name) => {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words[0].toUpperCase() + words.slice(1);
};

/** `giftStaging` → `GIFT_STAGING`, its name in objects.ts */
const constantOf = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
/** `primaryContactOf` → `primary-contact-of` */
const fileOf = (...names) => `${names.join('-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.ts`;

const quoted = (text) => `'${text.replaceAll("'", "\\'")}'`;

/** Lines of an object literal, two spaces in for each level. */
const literal = (members, indent) => {
  const pad = '  '.repeat(indent);
  const line = ([key, value]) => `${pad}  ${key.startsWith('...') ? key : `${key}: ${value}`},\n`;
  return `{\n${members.map(line).join('')}${pad}}`;
};

const plain = (object, name, kind, isTotal) => [
  ...(isTotal ? [['...totalField']] : []),
  ['universalIdentifier', quoted(identifierOf(`${object}.${name}`))],
  ['type', `FieldType.${kind}`],
  ['name', quoted(name)],
  ['label', quoted(labelOf(name))],
  ['icon', quoted(ICONS[kind])],
];

const relation = (object, name, icon, other, otherName, settings) => [
  ['universalIdentifier', quoted(identifierOf(`${object}.${name}`))],
  ['type', 'FieldType.RELATION'],
  ['name', quoted(name)],
  ['label', quoted(labelOf(name))],
  ['icon', quoted(icon)],
  ['relationTargetObjectMetadataUniversalIdentifier', constantOf(other)],
  ['relationTargetFieldMetadataUniversalIdentifier', quoted(identifierOf(`${other}.${otherName}`))],
  ['universalSettings', settings],
];

/** A record outlives the one it refers to, so that the books still add up: deletion only clears the reference. */
const manyToOne = (name) =>
  `{ relationType: RelationType.MANY_TO_ONE, onDelete: OnDeleteAction.SET_NULL, joinColumnName: '${name}Id' }`;
const ONE_TO_MANY = '{ relationType: RelationType.ONE_TO_MANY }';

/** What each object's fields are, the lists at the far ends of relations included. */
const fieldsOf = (model) => {
  const all = new Map(Object.keys(model).map((object) => [object, []]));
  for (const [object, { fields, totals = {}, standard = [] }] of Object.entries(model)) {
    for (const [name, kind] of Object.entries(fields).filter(([name]) => !standard.includes(name))) {
      const [target, list] = kind.split('.');
      if (!list) {
        all.get(object).push({ name, members: plain(object, name, kind, false) });
      } else if (model[target]) {
        all.get(object).push({ name, members: relation(object, name, model[target].icon, target, list, manyToOne(name)) });
        all.get(target).push({ name: list, members: relation(target, list, model[object].icon, object, name, ONE_TO_MANY) });
      }
    }
    if (TOTALS_ELSEWHERE.includes(object)) continue;
    for (const [name, kind] of Object.entries(totals)) all.get(object).push({ name, members: plain(object, name, kind, true) });
  }
  return all;
};

/** Imports of what the text uses. */
const imports = (text, define, objects) => {
  const used = (names) => names.filter((name) => new RegExp(`\\b${name}\\b`).test(text));
  const sdk = [define, ...used(['FieldType', 'OnDeleteAction', 'RelationType'])];
  const lines = [
    `import { ${sdk.join(', ')} } from 'twenty-sdk/define';\n\n`,
    `import { ${used(objects.map(constantOf)).sort().join(', ')} } from '../objects';\n`,
    ...(text.includes('totalField') ? ["import { totalField } from '../sdk-features';\n"] : []),
  ];
  return `${HEAD}${lines.join('')}\n${text}`;
};

const filesFor = (model) => {
  const files = {};
  const objects = Object.keys(model);
  for (const [object, fields] of fieldsOf(model)) {
    const { plural, label, labels, icon, about, standard } = model[object];
    if (standard) {
      for (const { name, members } of fields) {
        const [total, rest] = members[0][0] === '...totalField' ? [[members[0]], members.slice(1)] : [[], members];
        const placed = [...total, rest[0], ['objectUniversalIdentifier', constantOf(object)], ...rest.slice(1)];
        const text = `export default defineField(${literal(placed, 0)});\n`;
        files[fileOf(object, name)] = imports(text, 'defineField', objects);
      }
      continue;
    }
    const own = [{ name: 'name', members: plain(object, 'name', 'TEXT', false) }, ...fields];
    const list = own.map(({ members }) => `    ${literal(members, 2)},\n`).join('');
    const members = [
      ['universalIdentifier', constantOf(object)],
      ['nameSingular', quoted(object)],
      ['namePlural', quoted(plural)],
      ['labelSingular', quoted(label)],
      ['labelPlural', quoted(labels)],
      ['description', quoted(about)],
      ['icon', quoted(icon)],
      ['labelIdentifierFieldMetadataUniversalIdentifier', quoted(identifierOf(`${object}.name`))],
      ['fields', `[\n${list}  ]`],
    ];
    files[fileOf(object)] = imports(`export default defineObject(${literal(members, 0)});\n`, 'defineObject', objects);
  }
  return files;
};

const { values } = parseArgs({ options: { without: { type: 'string', default: '' }, check: { type: 'boolean' } } });
const model = JSON.parse(readFileSync(DECLARATION, 'utf8'));
for (const name of values.without.split(',').filter(Boolean)) {
  if (!model[name]) throw new Error(`--without: there is no object \`${name}\`, expected one of ${Object.keys(model).join(', ')}`);
  delete model[name];
}
const files = filesFor(model);
const present = existsSync(FOLDER) ? readdirSync(FOLDER) : [];
const changed = [
  ...Object.keys(files).filter((name) => !present.includes(name) || readFileSync(join(FOLDER, name), 'utf8') !== files[name]),
  ...present.filter((name) => !(name in files)),
];
if (values.check) {
  for (const name of changed) process.stdout.write(`model/${name} is not as the declaration has it: run node serverlessFunctions/model.mjs\n`);
  process.exitCode = changed.length > 0 ? 1 : 0;
} else {
  mkdirSync(FOLDER, { recursive: true });
  for (const name of present.filter((name) => !(name in files))) rmSync(join(FOLDER, name));
  for (const name of changed.filter((name) => name in files)) writeFileSync(join(FOLDER, name), files[name]);
}
