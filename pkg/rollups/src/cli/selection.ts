// `--only` and `--ids`: some definitions and some records, instead of all.

import type { Definition } from '../index.js';
import type { Context, Flags } from './context.js';
import { loadEngine } from './engine.js';
import { usage } from './outcome.js';
import { configurationOf } from './settings.js';

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Words of a list with commas or blanks between. */
const words = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

export function requireId(id: string): string {
  if (!ID.test(id)) throw usage('invalid_id', `\`${id}\` is no id of a record`, 'It stands at the end of the address of the record’s page in Twenty.');
  return id.toLowerCase();
}

export interface Selection {
  /** Numbers of the definitions; absent where all are meant. */
  only: number[] | undefined;
  /** Records; absent where all are meant. */
  records: NamedRecords | undefined;
}

interface NamedRecords {
  ids: string[];
  parentObject: string;
}

/** What of all definitions and records the command is about. */
export async function selectionOf({ flags, settings, host }: Context): Promise<Selection> {
  if (flags.only === undefined && flags.ids === undefined && flags.object === undefined) return { only: undefined, records: undefined };
  const { definitions } = configurationOf(settings, await loadEngine(host));
  return { only: chosenDefinitions(flags, definitions), records: namedRecords(flags, definitions) };
}

/** Whether some totals are left out, so that nothing can be said of all. */
export const isPartOfAll = ({ only, records }: Selection): boolean => only !== undefined || records !== undefined;

/** A person, unless the definitions are about one other object alone. */
export function defaultObject(definitions: readonly Partial<Definition>[]): string {
  const parents = new Set(definitions.map(({ parentObject }) => parentObject));
  const [only] = parents;
  return parents.size === 1 && only ? only : 'person';
}

/**
 * The numbers of the definitions that `--only` names: by number, by the object that they write to, or by one of its fields.
 *
 * @returns nothing where all are meant
 */
export function chosenDefinitions({ only }: Flags, definitions: readonly Partial<Definition>[]): number[] | undefined {
  if (only === undefined) return undefined;
  const chosen = new Set<number>();
  for (const word of words(only)) {
    const numbers = definitions.flatMap((definition, number) => (isNamed(word, definition, number) ? [number] : []));
    if (numbers.length === 0) {
      const objects = [...new Set(definitions.map(({ parentObject }) => parentObject))].join(', ');
      throw usage('unknown_definition', `--only: no definition is \`${word}\``, `Expected ${definitions.length === 1 ? '0' : `a number from 0 to ${definitions.length - 1}`}, or an object that a definition writes to: ${objects}.`);
    }
    for (const number of numbers) chosen.add(number);
  }
  if (chosen.size === 0) throw usage('unknown_definition', '--only names no definition');
  return [...chosen].sort((a, b) => a - b);
}

const isNamed = (word: string, { parentObject, aggregations }: Partial<Definition>, number: number) =>
  word === String(number) || word === parentObject || (aggregations ?? []).some(({ parentField }) => word === `${parentObject}.${parentField}`);

/**
 * The records that `--ids` and `--object` name.
 *
 * @returns nothing where all are meant
 */
export function namedRecords({ ids, object }: Flags, definitions: readonly Partial<Definition>[]): NamedRecords | undefined {
  if (ids === undefined) {
    if (object !== undefined) throw usage('contradiction', '--object says what the records of --ids are, and cannot go without them');
    return undefined;
  }
  const list = [...new Set(words(ids).map(requireId))];
  if (list.length === 0) throw usage('invalid_id', '--ids names no record');
  const parentObject = object ?? defaultObject(definitions);
  if (!definitions.some((definition) => definition.parentObject === parentObject)) {
    const objects = [...new Set(definitions.map((definition) => definition.parentObject))].join(', ');
    throw usage('unknown_object', `no definition writes to \`${parentObject}\``, `Give --object, one of: ${objects}.`);
  }
  return { ids: list, parentObject };
}
