/**
 * Puts an app's data model into a workspace through its metadata API: objects, then fields, then relations, each made
 * from its many side, which brings the other end along. What is there already by name is left alone, so that a
 * workspace with gifts of its own can be used; a real server would refuse the app instead.
 */

const SYSTEM_FIELDS = new Set(['id', 'createdAt', 'updatedAt', 'deletedAt', 'createdBy', 'updatedBy', 'position', 'searchVector', 'name']);

const metadata = async ({ url, token }, method, path, body) => {
  const response = await fetch(`${url}/rest/metadata/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} /rest/metadata/${path} failed: HTTP ${response.status}: ${text}`);
  return JSON.parse(text);
};

/** The workspace's objects, of which there are fewer than a page holds. */
export const listObjects = async (workspace) => listed(await metadata(workspace, 'GET', 'objects?limit=200'));

/** Both formats of the metadata API: in envelopes, or bare. */
const listed = (body) => body.data?.objects ?? body.data ?? body;
const made = (body) => body.data?.createOneObject ?? body.data?.createOneField ?? body.data ?? body;

const common = ({ name, label, description, icon }) => ({ name, label, description, icon });

/**
 * @param {{ url: string, token: string }} workspace
 * @param {object} app as `readApp` gives it
 * @returns {Promise<{ created: string[], present: string[] }>} names like `gift` and `person.lastGiftDate`
 */
export const installModel = async (workspace, app) => {
  const report = { created: [], present: [] };
  const objects = new Map();
  for (const object of await listObjects(workspace)) {
    objects.set(object.nameSingular, { id: object.id, fields: new Set((object.fields ?? []).map(({ name }) => name)) });
  }

  for (const { nameSingular, namePlural, labelSingular, labelPlural, description, icon } of app.manifest.objects) {
    if (objects.has(nameSingular)) {
      report.present.push(nameSingular);
      continue;
    }
    const input = { nameSingular, namePlural, labelSingular, labelPlural, description, icon };
    const { id } = made(await metadata(workspace, 'POST', 'objects', input));
    objects.set(nameSingular, { id, fields: new Set() });
    report.created.push(nameSingular);
  }

  const all = [
    ...app.manifest.objects.flatMap(({ universalIdentifier, fields }) =>
      fields.map((field) => ({ ...field, objectUniversalIdentifier: universalIdentifier })),
    ),
    ...app.manifest.fields,
  ];
  // Ends at objects that the app does not name are the standard relations of its own objects: the server makes those. The
  // sandbox lacks some of the standard objects.
  const here = (id) => objects.has(app.names[id]);
  const own = all.filter(
    ({ objectUniversalIdentifier: at, relationTargetObjectMetadataUniversalIdentifier: to = at }) => here(at) && here(to),
  );
  const ends = new Map(own.map((field) => [field.universalIdentifier, field]));
  const objectOf = (id) => objects.get(app.names[id]);

  const create = async (field, more) => {
    const object = objectOf(field.objectUniversalIdentifier);
    const name = `${app.names[field.objectUniversalIdentifier]}.${field.name}`;
    if (object.fields.has(field.name)) {
      report.present.push(name);
      return;
    }
    await metadata(workspace, 'POST', 'fields', { objectMetadataId: object.id, type: field.type, ...common(field), ...more });
    object.fields.add(field.name);
    report.created.push(name);
  };

  for (const field of own.filter(({ type, name }) => type !== 'RELATION' && !SYSTEM_FIELDS.has(name))) {
    await create(field, { isNullable: true });
  }
  const manySides = own.filter(({ universalSettings }) => universalSettings?.relationType === 'MANY_TO_ONE');
  for (const field of manySides.filter(({ relationTargetFieldMetadataUniversalIdentifier: id }) => ends.has(id))) {
    const target = ends.get(field.relationTargetFieldMetadataUniversalIdentifier);
    await create(field, {
      relationCreationPayload: {
        type: 'MANY_TO_ONE',
        targetObjectMetadataId: objectOf(field.relationTargetObjectMetadataUniversalIdentifier).id,
        targetFieldLabel: target.label,
        targetFieldIcon: target.icon,
      },
    });
  }
  return report;
};
