// Makes what a workspace lacks of the data model, through its metadata API; what is there is left as it is.
//
// First all objects, then their fields, then the relations, each made from its many side, which brings the list on the
// other side along. A run that was cut short is made good by the next.

import { readFileSync } from 'node:fs';

import { DEFAULT_MAX_RESPONSE_BYTES, readBounded } from '../read-bounded.js';
import { settingErrors } from './node.js';

const MODEL = JSON.parse(readFileSync(new URL('./generated/model.json', import.meta.url), 'utf8'));
const COLOURS = ['green', 'turquoise', 'sky', 'blue', 'purple', 'pink', 'red', 'orange', 'yellow', 'gray'];

const DEFAULT_BASE = 'http://server:3000/rest';

const filled = (text) => text?.trim() || undefined;

/** `giftAidEligible` → `Gift aid eligible` */
const labelOf = (name) => {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words[0].toUpperCase() + words.slice(1);
};

/** The model in a workspace's own names, as the setting `FUNDRAISING_MODEL` gives them; without what it leaves out. */
const ownModel = (setting) => {
  const given = filled(setting) ? JSON.parse(setting) : {};
  const nameOf = (singular) => (given[singular] === null ? undefined : (given[singular]?.name ?? singular));
  return Object.entries(MODEL).flatMap(([singular, object]) => {
    const name = nameOf(singular);
    if (!name) return [];
    const own = given[singular]?.fields ?? {};
    const fields = Object.entries({ ...object.fields, ...object.totals }).flatMap(([declared, kind]) => {
      if (own[declared] === null) return [];
      const [type, list] = kind.split('.');
      const target = list && nameOf(type);
      if (list && !target) return [];
      return [{ name: own[declared] ?? declared, ...(list ? { target, list } : { kind }) }];
    });
    return [{ ...object, name, plural: given[singular]?.plural ?? object.plural, fields }];
  });
};

/**
 * @param {Record<string, string | undefined>} env `TWENTY_API_BASE_URL`, `TWENTY_API_KEY`, `FUNDRAISING_MODEL`, `FUNDRAISING_MAX_RESPONSE_BYTES`
 * @returns {Promise<{ made: string[], present: number }>} names like `gift` and `gift.amount`
 */
export async function provision(env = process.env) {
  const errors = settingErrors(env);
  if (errors) throw new Error(errors);
  const base = (filled(env.TWENTY_API_BASE_URL) ?? filled(env.TWENTY_REST_BASE_URL) ?? DEFAULT_BASE).replace(/\/+$/, '');
  const key = filled(env.TWENTY_API_KEY);
  if (!key) throw new Error('TWENTY_API_KEY: expected a key whose role may change the data model');
  const model = ownModel(env.FUNDRAISING_MODEL);

  const maxBytes = Number(filled(env.FUNDRAISING_MAX_RESPONSE_BYTES) ?? DEFAULT_MAX_RESPONSE_BYTES);
  const call = async (method, path, body, what) => {
    const response = await fetch(`${base}/metadata/${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    const text = await readBounded(response, maxBytes).catch((error) => {
      throw new Error(`${what}: ${error.message}`, { cause: error });
    });
    if (!response.ok) throw new Error(`${what}: Twenty answered ${response.status}: ${text}`);
    return JSON.parse(text);
  };

  // Answers come in envelopes, or bare, by a flag of the workspace.
  const workspace = new Map();
  for (let after = ''; after !== undefined; ) {
    const page = await call('GET', `objects?limit=200${after}`, undefined, 'the list of objects');
    for (const object of page.data.objects ?? page.data) {
      workspace.set(object.nameSingular, { id: object.id, fields: new Set(object.fields.map(({ name }) => name)) });
    }
    after = page.pageInfo?.hasNextPage ? `&starting_after=${encodeURIComponent(page.pageInfo.endCursor)}` : undefined;
  }

  const report = { made: [], present: 0 };
  const missing = (isThere, name) => {
    if (isThere) report.present += 1;
    else report.made.push(name);
    return !isThere;
  };

  for (const { name, plural, label, labels, icon, about } of model) {
    if (!missing(workspace.has(name), name)) continue;
    const body = { nameSingular: name, namePlural: plural, labelSingular: label, labelPlural: labels, icon, description: about };
    const reply = await call('POST', 'objects', body, name);
    const { id } = reply.data?.createOneObject ?? reply.data ?? reply;
    // A custom object comes with its own name.
    workspace.set(name, { id, fields: new Set(['name']) });
  }

  const make = async (object, field, more) => {
    const { id: objectMetadataId, fields } = workspace.get(object.name);
    if (!missing(fields.has(field.name), `${object.name}.${field.name}`)) return;
    const body = { objectMetadataId, name: field.name, label: labelOf(field.name), ...more };
    await call('POST', 'fields', body, `${object.name}.${field.name}`);
    fields.add(field.name);
  };
  for (const object of model) {
    for (const field of object.fields.filter(({ kind }) => kind)) {
      const [type, ...values] = field.kind.split(' ');
      const options = values.map((value, position) => ({
        value,
        label: value[0] + value.slice(1).toLowerCase(),
        position,
        color: COLOURS[position % COLOURS.length],
      }));
      await make(object, field, { type, isNullable: true, ...(options.length > 0 && { options }) });
    }
  }
  for (const object of model) {
    for (const field of object.fields.filter(({ target }) => target)) {
      const target = workspace.get(field.target);
      const list = target.fields.has(field.list) ? `${field.list}By${labelOf(field.name).replaceAll(' ', '')}` : field.list;
      const relationCreationPayload = {
        type: 'MANY_TO_ONE',
        targetObjectMetadataId: target.id,
        targetFieldLabel: labelOf(list),
        targetFieldIcon: object.icon,
      };
      await make(object, field, { type: 'RELATION', relationCreationPayload });
      target.fields.add(list);
    }
  }
  return report;
}
