/**
 * What of a batch of person events the engine needs to know, if anything. Created and deleted people matter to the
 * records that they belong to. A restored one has totals that nobody kept right meanwhile. A destroyed one may have been
 * merged into another, whose gifts came without an event.
 *
 * Only ids go on: no personal data lies in the queue, and 200 events stay small.
 */
import { PERSON_FIELDS } from '../../objects';

type Side = Record<string, unknown>;
type RecordEvent = { recordId?: string; properties?: { before?: Side; after?: Side } };
type Payload = RecordEvent & { name?: string; events?: RecordEvent[] };

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const idsOf = (side: Side | undefined): Side =>
  Object.fromEntries(Object.entries(side ?? {}).filter(([, value]) => typeof value === 'string' && ID.test(value)));

const belongsSomewhere = ({ properties }: RecordEvent): boolean =>
  [properties?.before, properties?.after].some((side) => PERSON_FIELDS.some((field) => side?.[field] != null));

/** Updates have passed the trigger's `updatedFields`. */
const matters = (operation: string | undefined, event: RecordEvent): boolean =>
  operation === 'created' || operation === 'deleted' ? belongsSomewhere(event) : true;

/** The payload to hand over, or nothing. */
export const whatMatters = ({ name = '', events, recordId, properties }: Payload): object | undefined => {
  const [object, operation] = name.split('.');
  const all = events ?? [{ ...(recordId && { recordId }), ...(properties && { properties }) }];
  const some = all.filter((event) => matters(operation, event));
  if (some.length === 0) return undefined;
  return {
    name,
    objectMetadata: { nameSingular: object },
    events: some.map((event) => ({
      recordId: event.recordId,
      properties: { before: idsOf(event.properties?.before), after: idsOf(event.properties?.after) },
    })),
  };
};
