// Which fields of the definitions' totals does the workspace lack? With `--apply` they are made. Metadata calls are free of
// the rate limit, and what is there is left as it is.

import type { MissingField } from '../../index.js';
import type { Command, Context } from '../context.js';
import { faultInWords, loadEngine } from '../engine.js';
import { CliError, EXIT, messageOf } from '../outcome.js';
import { requireWorkspace } from '../settings.js';
import { formatCount, table, wrap } from '../text.js';
import { type MetadataObject, checkWorkspace, createField, readObjects } from '../workspace.js';

const COLOURS = ['green', 'turquoise', 'sky', 'blue', 'purple', 'pink', 'red', 'orange', 'yellow', 'gray'];

export const provision: Command = async (context) => {
  const { host, screen, flags, fetch } = context;
  const settings = requireWorkspace(context.settings);
  await checkWorkspace(settings, fetch);
  const objects = await readObjects(settings, fetch);
  const { builtInDefinitions, missingFields } = await loadEngine(host);
  const { fields, errors } = missingFields(settings.config ?? builtInDefinitions(), { data: objects });
  if (errors.length > 0) {
    const list = errors.map((fault) => `  ${faultInWords(fault, settings)}`).join('\n');
    throw new CliError(EXIT.wrong, 'invalid_config', `${settings.source}: ${formatCount(errors.length, 'fault')}\n${list}`);
  }
  if (fields.length === 0) {
    screen.print(`${settings.url} has every field that the definitions write to.`);
    return { exit: EXIT.ok, document: { missing: [], made: [] } };
  }

  const named = fields.map((field) => ({ ...field, name: `${field.object}.${field.field}`, obstacle: obstacleOf(field, objects) }));
  const made: string[] = [];
  if (flags.apply) await make(context, named, objects, made);
  else showMissing(context, named);
  const left = named.filter(({ name }) => !made.includes(name));
  for (const { name, obstacle } of left) {
    if (obstacle) for (const line of wrap(`${name} has to be made by hand: ${obstacle}`)) screen.print(line);
  }
  if (left.some(({ obstacle }) => !obstacle)) {
    screen.print();
    screen.print('Nothing was made: --apply makes them.');
  }
  return { exit: left.length > 0 ? EXIT.wrong : EXIT.ok, document: { missing: left.map(({ name, obstacle, ...field }) => field), made } };
};

type Named = MissingField & { name: string; obstacle: string | undefined };

/** Why a field cannot be made from here; nothing, if it can. */
function obstacleOf({ object, field, type, options = [] }: MissingField, objects: MetadataObject[]): string | undefined {
  const fields = objects.find(({ nameSingular }) => nameSingular === object)?.fields ?? [];
  if (fields.some(({ name, isActive }) => name === field && isActive === false)) return 'a field of this name is deactivated.';
  if (!type) return 'what it has to be is not known. A `targetType` in the definition says it.';
  if ((type === 'SELECT' || type === 'MULTI_SELECT') && options.length === 0) return `its options are not known, which a ${type} needs.`;
  return undefined;
}

function showMissing({ screen, settings }: Context, fields: Named[]): void {
  screen.print(`${settings.url} lacks ${formatCount(fields.length, 'field')} that the definitions write to:`);
  screen.print();
  const rows = fields.map((field) => [field.name, kindInWords(field), labelOf(field)]);
  for (const line of table(rows)) screen.print(line);
}

const kindInWords = ({ type, target }: MissingField) => (target ? `${type} to ${target}` : (type ?? '?'));

/** `lifetimeGiftAmount` → `Lifetime gift amount`, where the definition gives no label */
function labelOf({ field, label }: MissingField): string {
  if (label) return label;
  const words = field.replace(/[A-Z]+|\d+/g, (letters) => ` ${letters.toLowerCase()}`).trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Makes the fields, one after the other; after an interruption the next run makes those that are left. */
async function make({ screen, settings, fetch }: Context, fields: Named[], objects: MetadataObject[], made: string[]): Promise<void> {
  const idOf = (object: string) => objects.find(({ nameSingular }) => nameSingular === object)?.id ?? '';
  for (const field of fields.filter(({ obstacle }) => !obstacle)) {
    const { object, type = '', options = [], target, name } = field;
    const plural = objects.find(({ nameSingular }) => nameSingular === object)?.namePlural ?? object;
    const values = options.map((value, position) => ({ value, label: value, position, color: COLOURS[position % COLOURS.length] }));
    try {
      await createField(settings, fetch, {
        objectMetadataId: idOf(object),
        type,
        name: field.field,
        label: labelOf(field),
        isNullable: true,
        ...(values.length > 0 && { options: values }),
        ...(target && {
          relationCreationPayload: {
            type: 'MANY_TO_ONE',
            targetObjectMetadataId: idOf(target),
            // The list at the other end, which nothing else may be called.
            targetFieldLabel: `${labelOf(field)} of ${plural}`,
            targetFieldIcon: 'IconLink',
          },
        }),
      }, name);
    } catch (error) {
      if (made.length === 0) throw error;
      const { exit, code, hint } = error instanceof CliError ? error : { exit: EXIT.fault, code: 'fault', hint: undefined };
      throw new CliError(exit, code, `${messageOf(error)}. Made before: ${made.join(', ')}`, hint);
    }
    made.push(name);
    screen.print(`${name}  ${kindInWords(field)}`);
  }
}
