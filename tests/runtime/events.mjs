/**
 * From record events to the payloads that functions get: which trigger an event matches, what the app's role may not
 * see, and the batches. Order and content stay as they come; it neither waits nor runs anything.
 */

/** Twenty's `MAX_EVENTS_PER_TRIGGER_JOB`. */
const MAX_EVENTS = 200;

const matches = (pattern, name) => {
  const [wantedObject, wantedOperation] = pattern.split('.');
  const [object, operation] = name.split('.');
  return ['*', object].includes(wantedObject) && ['*', operation].includes(wantedOperation);
};

/** `updatedFields` narrows updates only; every other operation passes. */
const concerns = ({ updatedFields }, { name, properties }) =>
  !updatedFields?.length ||
  !name.endsWith('.updated') ||
  properties.updatedFields.some((field) => updatedFields.includes(field));

const chunks = (list, size) =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, n) => list.slice(n * size, (n + 1) * size));

/** Neighbours of one name and one acting user, as one change of many records makes them. */
const neighbours = (events) => {
  const groups = [];
  for (const event of events) {
    const last = groups.at(-1)?.at(-1);
    if (last && last.name === event.name && last.userId === event.userId) groups.at(-1).push(event);
    else groups.push([event]);
  }
  return groups;
};

/**
 * @param {object} app as `readApp` gives it
 * @param {object[]} events as the sandbox tells them
 * @param {string} workspaceId
 * @param {boolean} batches whether the server knows `batchMode`
 * @returns {{ entry: object, payloads: object[] }[]} for each function and group, the payloads of the jobs to enqueue;
 *   the budget lets a group pass whole or not at all
 */
export const triggered = (app, events, workspaceId, batches) =>
  neighbours(events).flatMap((group) => {
    const [{ name, objectMetadata }] = group;
    if (!app.mayRead(objectMetadata.nameSingular)) return [];
    const head = { name, workspaceId, objectMetadata };
    return app.functions.flatMap((entry) => {
      const settings = entry.databaseEventTriggerSettings;
      if (!settings || !matches(settings.eventName, name)) return [];
      const records = group
        .filter((event) => concerns(settings, event))
        .map(({ seq: _, name: __, objectMetadata: ___, ...record }) => record);
      if (records.length === 0) return [];
      const payloads =
        settings.batchMode && batches
          ? chunks(records, MAX_EVENTS).map((some) => ({ ...head, events: some }))
          : records.map((record) => ({ ...head, ...record }));
      return [{ entry, payloads }];
    });
  });
