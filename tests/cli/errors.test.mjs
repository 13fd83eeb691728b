// Errors name the place: line and column of a file, and what is wrong with an address.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { positionOfPlace, syntaxFault } from '../../pkg/rollups/cli/json-text.js';
import { command, fakeEngine, folderFor, metadata, report } from '../support/cli.mjs';

for (const [text, fault] of [
  ['[\n  {"a": 1,}\n]', 'line 2, column 11: expected a key in double quotes'],
  ['[1 2]', 'line 1, column 4: expected a comma before this'],
  ['[1,\n 2', 'line 2, column 3: expected ] at the end of the list'],
  ['{"a": 1\n', 'line 1, column 8: expected } at the end of the object'],
  ["{'a': 1}", 'line 1, column 2: this is no value: texts and keys stand in double quotes'],
  ['{"a" 1}', 'line 1, column 6: expected a colon after the key'],
  ['{\n// words\n"a": 1}', 'line 2, column 1: JSON has no comments'],
  ['{"a": "x\n"}', 'line 1, column 7: the text has no closing quotes on this line'],
  ['[True]', 'line 1, column 2: this is no value: texts and keys stand in double quotes'],
  ['[1] x', 'line 1, column 5'],
  ['', 'line 1, column 1: expected a value'],
  ['{"a": "\\x"}', 'line 1, column 7: after a backslash expected one of'],
]) {
  test(`fault of the syntax: ${JSON.stringify(text)}`, async (t) => {
    assert.ok(syntaxFault(text).startsWith(fault), syntaxFault(text));
    const folder = folderFor(t);
    writeFileSync(join(folder, 'rollups.json'), text);
    const { exit, err } = await command('drift', { folder });
    assert.equal(exit, 2);
    assert.ok(err.startsWith(`error: rollups.json is not JSON: ${fault}`), err);
  });
}

const FILE = `{
  "timezone": "UTC",
  "definitions": [
    { "parentObject": "person" },
    {
      "parentObject": "appeal",
      "childFilters": [{ "field": "a", "operator": "is" }],
      "aggregations": [
        { "type": "COUNT", "parentField": "n" },
        { "type": "SUM", "parentFeild": "m" }
      ]
    }
  ],
  "pacing": { "burst": 0 }
}`;

for (const [place, position] of [
  ['timezone', '2:3'],
  ['definition 0, childObject', '4:5'],
  ['definition 1, parentObject', '6:7'],
  ['definition 1, childFilters 0, operator', '7:40'],
  ['definition 1, aggregation 1, parentFeild', '10:26'],
  ['definition 1, aggregation 1, parentField', '10:9'],
  ['pacing.burst', '14:15'],
]) {
  test(`line and column of ${place}`, () => assert.equal(positionOfPlace(FILE, place), position));
}

test('place in a list of definitions', () => {
  assert.equal(positionOfPlace('[\n  {\n    "type": 1 } ]', 'definition 0, type'), '3:5');
  assert.equal(positionOfPlace('[]', 'definition 3, type'), undefined);
});

for (const [url, hint] of [
  ['crm.example.org', 'Did you mean https://crm.example.org?'],
  ['crm.example.org/rest', 'Did you mean https://crm.example.org?'],
  ['localhost:3000', 'Did you mean http://localhost:3000?'],
  ['127.0.0.1:3000', 'Did you mean http://127.0.0.1:3000?'],
  ['ftp://crm.example.org', 'It begins with `ftp:`, expected https:// or http://. Did you mean https://crm.example.org?'],
  ['https:crm.example.org', 'Did you mean https://crm.example.org?'],
  ['htps://crm.example.org/x', 'It begins with `htps:`, expected https:// or http://. Did you mean https://crm.example.org?'],
  ['Twenty', 'It looks like https://crm.example.org'],
  ['https://crm.example.org/objects/people?viewId=1', 'It looks like https://crm.example.org'],
]) {
  test(`address of no server: ${url}`, async () => {
    const { exit, err } = await command(`drift --url ${url}`, { fetch: () => assert.fail('a request was sent') });
    assert.equal(exit, 2);
    assert.ok(err.endsWith(`\n${hint}\n`), err);
  });
}

for (const path of ['/', '/rest', '/rest/', '/rest/people', '/graphql', '/metadata']) {
  test(`address with the path ${path} of the API`, async () => {
    const engine = fakeEngine(report());
    assert.equal((await command(`drift --url https://crm.example.org${path}`, { engine })).exit, 0);
    assert.equal(engine.calls[0].options.apiUrl, 'https://crm.example.org');
  });
}

const HTML = () => new Response('<html>');
const UNKNOWN_CALLER = () => Response.json({ statusCode: 403, messages: ['Missing authentication token'] }, { status: 403 });
const NOT_FOUND = () => Response.json({ statusCode: 404, messages: ['Cannot GET /x'] }, { status: 404 });
const failing = (code) => {
  throw new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
};

for (const [what, given, answers, meant] of [
  ['a path', 'https://crm.example.org/objects/people', { 'https://crm.example.org': UNKNOWN_CALLER, '': HTML }, 'https://crm.example.org'],
  ['a path, and a server that says so', 'https://crm.example.org/objects/people', { 'https://crm.example.org': UNKNOWN_CALLER, '': () => NOT_FOUND() }, 'https://crm.example.org'],
  ['https for http', 'https://crm.example.org', { 'http://crm.example.org': UNKNOWN_CALLER, '': () => failing('ERR_SSL_WRONG_VERSION_NUMBER') }, 'http://crm.example.org'],
  ['http for https', 'http://crm.example.org', { 'https://crm.example.org': UNKNOWN_CALLER, '': () => failing('UND_ERR_SOCKET') }, 'https://crm.example.org'],
  ['http for https, a page', 'http://crm.example.org', { 'https://crm.example.org': UNKNOWN_CALLER, '': HTML }, 'https://crm.example.org'],
  ['a path and the scheme', 'http://crm.example.org/x', { 'https://crm.example.org': () => metadata(), '': HTML }, 'https://crm.example.org'],
]) {
  test(`address with ${what}`, async () => {
    const tokens = [];
    const fetch = async (url, { headers }) => {
      const base = url.replace('/rest/metadata/objects?limit=1', '');
      tokens.push([base, headers.authorization]);
      return (answers[base] ?? answers[''])();
    };
    const { exit, err } = await command(`drift --url ${given}`, { fetch });
    assert.equal(exit, 3);
    assert.match(err, new RegExp(`Twenty answers at ${meant}: give that address\\.\n$`));
    for (const [base, token] of tokens) assert.equal(token !== undefined, base === given, 'the token goes to the address given alone');
  });
}

test('address that answers nowhere', async () => {
  const { exit, err } = await command('drift --url http://crm.example.org/x', { fetch: async () => failing('ECONNREFUSED') });
  assert.deepEqual([exit, err], [3, 'error: cannot reach http://crm.example.org/x: nothing answers there\n']);
});

// An older server may have no such route: that is for the engine to find out.
test('server without the data model’s route', async () => {
  assert.equal((await command('drift', { fetch: async () => NOT_FOUND() })).exit, 0);
});

test('address that redirects', async () => {
  const fetch = async (url, { redirect }) => {
    assert.equal(redirect, 'manual');
    return new Response(null, { status: 301, headers: { location: url.replace('http:', 'https:') } });
  };
  const { exit, err } = await command('drift --url http://crm.example.org', { fetch });
  assert.equal(exit, 3);
  assert.match(err, /http:\/\/crm\.example\.org sends its callers on to https:\/\/crm\.example\.org\n/);
});
