/**
 * A small app of the built form, and a stand-in for the sandbox that has just the calls that the app runtime makes.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { bodyOf, serve } from './http-server.mjs';

const GIFT = 'a7e0b6b0-0000-4000-8000-000000000001';
const PERSON = '20202020-e674-48e5-a542-72570eee7213';

/** A folder that the test's end removes. */
export const folder = (t) => {
  const path = mkdtempSync(join(tmpdir(), 'runtime-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

/**
 * Writes an app as the SDK's CLI would build it.
 *
 * @param {Record<string, { source: string, [setting: string]: unknown }>} functions by name; `source` is the handler
 * @returns {string} its output folder
 */
export const writeApp = (t, functions, application = {}) => {
  const output = folder(t);
  const logicFunctions = Object.entries(functions).map(([name, { source, ...settings }]) => {
    const builtHandlerPath = join(name, 'index.mjs');
    mkdirSync(join(output, name));
    writeFileSync(join(output, builtHandlerPath), `export default { config: { handler: ${source} } };\n`);
    return { universalIdentifier: name, name, handlerName: 'default.config.handler', builtHandlerPath, timeoutSeconds: 30, ...settings };
  });
  const field = (universalIdentifier, name, type) => ({ universalIdentifier, name, label: name, type });
  const manifest = {
    application: { universalIdentifier: 'app', defaultRoleUniversalIdentifier: 'role', applicationVariables: {}, ...application },
    objects: [
      {
        universalIdentifier: GIFT,
        nameSingular: 'gift',
        namePlural: 'gifts',
        labelSingular: 'Gift',
        labelPlural: 'Gifts',
        fields: [
          field('f1', 'amount', 'CURRENCY'),
          {
            ...field('f2', 'donor', 'RELATION'),
            relationTargetObjectMetadataUniversalIdentifier: PERSON,
            relationTargetFieldMetadataUniversalIdentifier: 'f3',
            universalSettings: { relationType: 'MANY_TO_ONE', joinColumnName: 'donorId' },
          },
        ],
      },
    ],
    fields: [
      {
        ...field('f3', 'gifts', 'RELATION'),
        label: 'Gifts',
        objectUniversalIdentifier: PERSON,
        universalSettings: { relationType: 'ONE_TO_MANY' },
      },
      { ...field('f4', 'lifetimeGiftCount', 'NUMBER'), objectUniversalIdentifier: PERSON },
      { ...field('f5', 'firstGiftDate', 'DATE'), objectUniversalIdentifier: PERSON },
    ],
    roles: [
      {
        universalIdentifier: 'role',
        objectPermissions: [{ objectUniversalIdentifier: GIFT, canReadObjectRecords: true }],
      },
    ],
    logicFunctions,
  };
  writeFileSync(join(output, 'manifest.json'), JSON.stringify(manifest));
  writeFileSync(join(output, 'package.json'), JSON.stringify({ version: '1.2.3' }));
  return output;
};

/** An event of an object, as the sandbox tells it. */
export const event = (name, recordId, properties = { after: { id: recordId } }) => ({
  name,
  recordId,
  objectMetadata: { nameSingular: name.split('.')[0] },
  properties,
});

/** A stand-in for the sandbox: `tell(...events)` makes it have events; `calls` are the others it got. */
export const listenAsSandbox = async (t) => {
  const events = [];
  const calls = [];
  const waiting = [];
  const url = await serve(t, async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    const text = (await bodyOf(request)).toString();
    const send = (value, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json', 'x-sandbox': 'yes' }).end(JSON.stringify(value));

    if (pathname === '/__sandbox/app-token') return send({ token: 'app-token' });
    if (pathname === '/__sandbox/events') {
      const after = Number(searchParams.get('after'));
      const answer = () => send({ events: events.slice(after), next: events.length });
      return events.length > after ? answer() : waiting.push(answer);
    }
    calls.push({ method: request.method, path: request.url, authorization: request.headers.authorization, body: text && JSON.parse(text) });
    if (pathname === '/rest/metadata/objects' && request.method === 'GET') {
      const objects = [['person', 'people'], ['company', 'companies']].map(([nameSingular, namePlural], n) => ({
        id: `o${n + 1}`,
        nameSingular,
        namePlural,
        fields: [{ name: 'id' }, { name: 'firstGiftDate' }],
      }));
      return send({ data: { objects } });
    }
    if (pathname.startsWith('/rest/metadata/')) return send({ data: { createOneObject: { id: 'o3' } } }, 201);
    return send({ url: request.url, body: text });
  });
  return {
    calls,
    ready: { url, token: 'api-key', guestToken: 'guest-key' },
    tell: (...more) => {
      events.push(...more.map((each, n) => ({ ...each, seq: events.length + n + 1 })));
      for (const answer of waiting.splice(0)) answer();
    },
  };
};
