// Makes what a workspace lacks of the data model, through its metadata API; what is there is left as it is.
//
// First all objects, then their fields, then the relations, each made from its many side, which brings the list on the
// other side along. A run that was cut short is made good by the next.

import { readFileSync } from 'node:fs';

import { DEFAULT_MAX_RESPONSE_BYTES, readBounded } from '../rollups/read-bounded.js';
import { settingErrors } from './node.js';
import { restUrlOf, tokenOf } from './twenty.js';

/** An object of the data model, as `model.json` declares it; a field's kind is its type, or `target.list` for a relation. */
interface ModelObject {
  plural: string;
  label: string;
  labels: string;
  icon: string;
  about: string;
  fields: Record<string, string>;
  totals?: Record<string, string>;
}

const MODEL: Record<string, ModelObject> = JSON.parse(readFileSync(new URL('./generated/model.json', import.meta.url), 'utf8'));
const COLOURS = ['green', 'turquoise', 'sky', 'blue', 'purple', 'pink', 'red', 'orange', 'yellow', 'gray'];

const filled = (text: string | undefined) => text?.trim() || undefined;

/** `giftAidEligible` → `Gift aid eligible` */
const labelOf = (name: string) => {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** What the setting `FUNDRAISING_MODEL` says of an object: other names for it and its fields; null leaves out. */
type Renaming = Record<string, { name?: string; plural?: string; fields?: Record<string, string | null> } | null>;

type Field = { name: string } & ({ kind: string; target?: never } | { kind?: never; target: string; list: string });

/** An object of the model in a workspace's own names. */
interface OwnObject extends Omit<ModelObject, 'fields'> {
  name: string;
  fields: Field[];
}

/** The model in a workspace's own names, as the setting `FUNDRAISING_MODEL` gives them; without what it leaves out. */
const ownModel = (setting: string | undefined): OwnObject[] => {
  const given: Renaming = JSON.parse(filled(setting) ?? '{}');
  const nameOf = (singular: string) => (given[singular] === null ? undefined : (given[singular]?.name ?? singular));
  return Object.entries(MODEL).flatMap(([singular, object]) => {
    const name = nameOf(singular);
    if (!name) return [];
    const own = given[singular]?.fields ?? {};
    const fields = Object.entries({ ...object.fields, ...object.totals }).flatMap(([declared, kind]): Field[] => {
      if (own[declared] === null) return [];
      const fieldName = own[declared] ?? declared;
      const [type = '', list] = kind.split('.');
      if (!list) return [{ name: fieldName, kind }];
      const target = nameOf(type);
      return target ? [{ name: fieldName, target, list }] : [];
    });
    return [{ ...object, name, plural: given[singular]?.plural ?? object.plural, fields }];
  });
};

/** What a run of {@link provision} did; names are like `gift` and `gift.amount`. */
export interface Provisioned {
  made: string[];
  /** How many objects and fields were there already. */
  present: number;
}

/** The workspace was not completed: a right is missing, or Twenty refused a part. */
export class ProvisionError extends Error {}

/** Replies come in envelopes, or bare, by a flag of the workspace. */
interface MetadataReply {
  id?: string;
  data?: ObjectMetadata[] & { objects?: ObjectMetadata[]; createOneObject?: { id: string }; id?: string };
  pageInfo?: { hasNextPage: boolean; endCursor: string };
}

interface ObjectMetadata {
  id: string;
  nameSingular: string;
  fields: { name: string }[];
}

/**
 * Makes what a workspace lacks of the data model, through its metadata API.
 *
 * @param env the address and the token of Twenty, `FUNDRAISING_MODEL` and `FUNDRAISING_MAX_RESPONSE_BYTES`; the
 *   process's own where it is left out
 */
export async function provision(env: Record<string, string | undefined> = process.env): Promise<Provisioned> {
  const errors = settingErrors(env);
  if (errors) throw new Error(errors);
  const base = restUrlOf(env);
  const key = tokenOf(env)?.text;
  if (!key) throw new Error('TWENTY_API_KEY: expected a key whose role may change the data model');
  const model = ownModel(env.FUNDRAISING_MODEL);

  const maxBytes = Number(filled(env.FUNDRAISING_MAX_RESPONSE_BYTES) ?? DEFAULT_MAX_RESPONSE_BYTES);
  const call = async (method: string, path: string, body: object | undefined, what: string): Promise<MetadataReply> => {
    const response = await fetch(`${base}/metadata/${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await readBounded(response, maxBytes).catch((error: Error) => {
      throw new ProvisionError(`${what}: ${error.message}`, { cause: error });
    });
    if (!response.ok) throw new ProvisionError(`${what}: Twenty answered ${response.status}: ${text}`);
    return JSON.parse(text);
  };

  const workspace = new Map<string, { id: string; fields: Set<string> }>();
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: MetadataReply = await call('GET', `objects?limit=200${after}`, undefined, 'the list of objects');
    for (const object of page.data?.objects ?? page.data ?? []) {
      workspace.set(object.nameSingular, { id: object.id, fields: new Set(object.fields.map(({ name }) => name)) });
    }
    after = page.pageInfo?.hasNextPage ? `&starting_after=${encodeURIComponent(page.pageInfo.endCursor)}` : undefined;
  }

  const report: Provisioned = { made: [], present: 0 };
  const missing = (isThere: boolean, name: string) => {
    if (isThere) report.present += 1;
    else report.made.push(name);
    return !isThere;
  };

  for (const { name, plural, label, labels, icon, about } of model) {
    if (!missing(workspace.has(name), name)) continue;
    const body = { nameSingular: name, namePlural: plural, labelSingular: label, labelPlural: labels, icon, description: about };
    const reply = await call('POST', 'objects', body, name);
    const { id = '' } = reply.data?.createOneObject ?? reply.data ?? reply;
    // A custom object comes with its own name.
    workspace.set(name, { id, fields: new Set(['name']) });
  }

  const objectOf = (name: string) => {
    const object = workspace.get(name);
    if (!object) throw new Error(`the workspace has no object ${name}`);
    return object;
  };

  const make = async (object: OwnObject, field: Field, more: object) => {
    const { id: objectMetadataId, fields } = objectOf(object.name);
    if (!missing(fields.has(field.name), `${object.name}.${field.name}`)) return;
    const body = { objectMetadataId, name: field.name, label: labelOf(field.name), ...more };
    await call('POST', 'fields', body, `${object.name}.${field.name}`);
    fields.add(field.name);
  };
  for (const object of model) {
    for (const field of object.fields) {
      if (!field.kind) continue;
      const [type = '', ...values] = field.kind.split(' ');
      const options = values.map((value, position) => ({
        value,
        label: value.charAt(0) + value.slice(1).toLowerCase(),
        position,
        color: COLOURS[position % COLOURS.length],
      }));
      await make(object, field, { type, isNullable: true, ...(options.length > 0 && { options }) });
    }
  }
  for (const object of model) {
    for (const field of object.fields) {
      if (!field.target) continue;
      const target = objectOf(field.target);
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
