import assert from 'node:assert/strict';
import { test } from 'node:test';

import { findRoute, httpAnswer, routePayload } from './routes.mjs';

const app = {
  functions: [
    { name: 'none' },
    {
      name: 'f',
      httpRouteTriggerSettings: { path: '/funds/:id/gifts', httpMethod: 'POST', forwardedRequestHeaders: ['X-Request-Id'] },
    },
  ],
};

test('a route is found by method and path', () => {
  assert.deepEqual(findRoute(app, 'POST', '/funds/a%20b/gifts').pathParameters, { id: 'a b' });
  assert.equal(findRoute(app, 'GET', '/funds/1/gifts'), undefined);
  assert.equal(findRoute(app, 'POST', '/funds/1'), undefined);
});

test('the payload is shaped as the platform’s', () => {
  const route = findRoute(app, 'POST', '/funds/7/gifts');
  const headers = { 'x-request-id': 'r1', authorization: 'Bearer secret' };
  const payload = routePayload(route, { method: 'POST', url: '/s/funds/7/gifts?a=1&a=2&b=', headers, text: '{"ids":["x"]}' });
  assert.deepEqual(payload, {
    headers: { 'x-request-id': 'r1' },
    queryStringParameters: { a: '1,2', b: '' },
    pathParameters: { id: '7' },
    body: { ids: ['x'] },
    rawBody: '{"ids":["x"]}',
    isBase64Encoded: false,
    requestContext: { http: { method: 'POST', path: '/s/funds/7/gifts' } },
    userWorkspaceId: null,
  });
  const bodyOf = (text) => routePayload(route, { method: 'POST', url: '/s/x', headers, text }).body;
  assert.deepEqual([bodyOf(''), bodyOf('a=1')], [null, { raw: 'a=1' }]);
});

test('results become answers', () => {
  const answer = (result) => {
    const { status, headers, body } = httpAnswer({ result });
    return [status, headers['content-type'], body];
  };
  assert.deepEqual(answer({ a: 1 }), [200, 'application/json', '{"a":1}']);
  assert.deepEqual(answer('text'), [200, 'text/plain', 'text']);
  assert.deepEqual(answer(null), [200, undefined, '']);
});

// Only the SDK’s Response sets status and headers, and only some headers pass.
test('status and headers of a Response', () => {
  const headers = { 'Retry-After': '5', 'X-Mine': 'no' };
  const answer = httpAnswer({ result: { __twentyHttpResponse: true, status: 202, headers, body: { queued: true } } });
  assert.deepEqual(answer, {
    status: 202,
    headers: { 'content-type': 'application/json', 'retry-after': '5' },
    body: '{"queued":true}',
  });
});

test('a throw is a 500 with its words', () => {
  const { status, body } = httpAnswer({ error: { name: 'Error', message: 'boom' } });
  assert.equal(status, 500);
  assert.deepEqual(JSON.parse(body), {
    statusCode: 500,
    error: 'Error',
    messages: ['Error: boom'],
    code: 'ROUTE_TRIGGER_USER_UNCAUGHT_ERROR',
  });
});
