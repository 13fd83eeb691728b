// How requests are sent on Node: what `fetch` decides is decided the same.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test as testWithoutEnd } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';

import { exchangeByNodeHttp } from '../../pkg/rollups/node-exchange.js';

/** Each test of this file waits for sockets, and is given up after half a minute. */
const test = (name, run) => testWithoutEnd(name, { timeout: 30_000 }, run);

async function serve(t, handle) {
  const server = createServer(handle);
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}/`;
}

const get = (url, more = {}) => {
  const { method = 'GET', headers = [], body, timeoutMillis = 5_000, maxBytes = 1_000 } = more;
  return exchangeByNodeHttp(method, url, headers, body, timeoutMillis, maxBytes);
};

test('answer of a request', async (t) => {
  const url = await serve(t, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    response.writeHead(201, { 'X-Seen': `${request.method} ${request.headers.authorization} ${body}` }).end('{}');
  });
  const answer = await get(url, { method: 'POST', headers: ['authorization', 'Bearer t'], body: Buffer.from('{"a":1}') });
  assert.equal(answer.status, 201);
  assert.equal(String(answer.body), '{}');
  assert.equal(answer.headers[answer.headers.indexOf('X-Seen') + 1], 'POST Bearer t {"a":1}');
});

test('redirect', async (t) => {
  const url = await serve(t, (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end());
  assert.equal((await get(url)).status, 302);
});

test('answers past the limit', async (t) => {
  const large = Buffer.alloc(1_001, 'a');
  const url = await serve(t, (request, response) => {
    const gzip = request.url === '/gzip';
    response.writeHead(200, { ...(request.url === '/declared' && { 'content-length': large.length }), ...(gzip && { 'content-encoding': 'gzip' }) });
    response.end(gzip ? gzipSync(large) : large);
  });
  for (const path of ['declared', 'chunked', 'gzip']) {
    assert.equal(await get(url + path), null, path);
    assert.equal((await get(url + path, { maxBytes: 1_001 })).body.length, 1_001, path);
  }
});

test('packed answers', async (t) => {
  const packed = { gzip: gzipSync('text'), deflate: deflateSync('text'), br: brotliCompressSync('text'), zip: Buffer.from('text') };
  const asked = [];
  const url = await serve(t, (request, response) => {
    asked.push(request.headers['accept-encoding']);
    const encoding = request.url.slice(1);
    response.writeHead(200, { 'content-encoding': encoding }).end(packed[encoding]);
  });
  for (const encoding of ['gzip', 'deflate', 'br']) assert.equal(String((await get(url + encoding)).body), 'text');
  await assert.rejects(get(`${url}zip`), /packed as "zip"/);
  assert.deepEqual(new Set(asked), new Set(['identity']));
});

test('time-out in the body', async (t) => {
  const url = await serve(t, (_, response) => response.writeHead(200).write('{'));
  await assert.rejects(get(url, { timeoutMillis: 100 }), /aborted due to timeout/);
});

/** A kept connection that the server closes: a GET is sent once more, on a connection of its own; a POST is not. */
test('stale connections', async (t) => {
  let requests = 0;
  const url = await serve(t, (request, response) => {
    requests += 1;
    if (requests === 2) request.socket.destroy();
    else response.end('{}');
  });
  await get(url);
  assert.equal((await get(url)).status, 200);
  assert.equal(requests, 3);
  requests = 0;
  await get(url, { method: 'POST' });
  await assert.rejects(get(url, { method: 'POST' }), { code: 'ECONNRESET' });
  assert.equal(requests, 2);
});

test('tokens that no header can hold', async (t) => {
  const url = await serve(t, (_, response) => response.end('{}'));
  await assert.rejects(get(url, { headers: ['authorization', 'Bearer a\nb'] }), /Invalid character/);
});

test('servers that are not there', async () => {
  await assert.rejects(get('http://127.0.0.1:9/'), /ECONNREFUSED/);
  await assert.rejects(get('ftp://127.0.0.1/'), /must begin with http/);
});

test('many requests on one kept connection', async (t) => {
  const sockets = new Set();
  const url = await serve(t, (request, response) => {
    sockets.add(request.socket);
    response.end('{}');
  });
  const warnings = [];
  const warn = (warning) => warnings.push(warning.message);
  process.on('warning', warn);
  t.after(() => process.off('warning', warn));
  for (let request = 0; request < 20; request += 1) await get(url);
  await new Promise((done) => setImmediate(done));
  assert.equal(sockets.size, 1);
  assert.deepEqual(warnings, [], 'no listener is left behind by a request');
});
