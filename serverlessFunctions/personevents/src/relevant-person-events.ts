/**
 * The part of a batch of person events that changes totals, if any. Created and deleted people change the totals of the
 * records that they belong to. The totals of a restored person were not kept right while the person was deleted. A destroyed
 * person may have been merged into another, whose gifts came without an event.
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
const isRelevant = (operation: string | undefined, event: RecordEvent): boolean =>
  operation === 'created' || operation === 'deleted' ? belongsSomewhere(event) : true;

/** The payload for the rollup function; nothing if no event is relevant. */
export const relevantPersonEvents = ({ name = '', events, recordId, properties }: Payload): object | undefined => {
  const [object, operation] = name.split('.');
  const all = events ?? [{ ...(recordId && { recordId }), ...(properties && { properties }) }];
  const some = all.filter((event) => isRelevant(operation, event));
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
