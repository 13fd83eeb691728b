/**
 * The address that functions and clients call: `/s` goes to the app's routes, what apps ask of `/metadata` is answered
 * here, `/__app` is for the test that drives the runtime, and everything else is passed to the sandbox as it is.
 */
import { Agent, createServer, request as send } from 'node:http';

import { findRoute, httpAnswer, refusal, routePayload } from './routes.mjs';

const textOf = async (request) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

const bearer = ({ headers }) => /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];

const reply = (response, { status = 200, headers = {}, body }) => response.writeHead(status, headers).end(body);

const replyJson = (response, value, status = 200) =>
  reply(response, { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) });

const forwarder = (target) => {
  const agent = new Agent({ keepAlive: true });
  const forward = (request, response, body) => {
    const url = new URL(request.url, target);
    const headers = { ...request.headers, host: url.host };
    const upstream = send(url, { method: request.method, headers, agent }, (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    });
    upstream.on('error', (error) => {
      if (response.headersSent) response.destroy();
      else replyJson(response, { statusCode: 502, error: 'BadGateway', messages: [error.message] }, 502);
    });
    response.on('close', () => upstream.destroy());
    if (body === undefined) request.pipe(upstream);
    else upstream.end(body);
  };
  return { forward, close: () => agent.destroy() };
};

/**
 * @param {object} parts
 * @param {string} parts.target address of the sandbox
 * @param {object} parts.app
 * @param {(bearer: string | undefined) => boolean} parts.isKnown whether a token is good in this workspace
 * @param {(bearer: string | undefined) => boolean} parts.isApp whether a token is the app's own
 * @param {(call: object) => Promise<object | undefined>} parts.refuses the answer to a call that the app's role does not
 *   cover
 * @param {(document: object, isApp: boolean) => object | undefined} parts.answerMetadata
 * @param {(entry: object, payload: object) => Promise<object>} parts.runRoute a run outside the queue, or undefined
 *   when no more may start
 * @param {string} [parts.routeHost] the one host at which there are routes, on a server of several workspaces
 * @param {Record<string, (body: object) => Promise<unknown>>} parts.controls by method and path
 */
export const openFront = ({ target, app, isKnown, isApp, refuses, answerMetadata, runRoute, routeHost, controls }, port = 0) => {
  const { forward, close } = forwarder(target);

  const serveRoute = async (request, response) => {
    if (routeHost && request.headers.host !== routeHost) {
      return reply(response, refusal(404, 'WORKSPACE_NOT_FOUND', 'Workspace not found'));
    }
    const path = new URL(request.url, target).pathname.slice('/s'.length);
    const route = findRoute(app, request.method, path);
    if (!route) return reply(response, refusal(404, 'TRIGGER_NOT_FOUND', 'No route trigger found'));
    if (route.settings.isAuthRequired && !isKnown(bearer(request))) {
      const message = bearer(request) ? 'Token invalid.' : 'Missing authentication token';
      return reply(response, refusal(bearer(request) ? 403 : 500, 'FORBIDDEN', message));
    }
    const { method, url, headers } = request;
    const run = await runRoute(route.entry, routePayload(route, { method, url, headers, text: await textOf(request) }));
    return reply(response, run ? httpAnswer(run) : refusal(429, 'RATE_LIMIT_EXCEEDED', 'Too many executions'));
  };

  const serveMetadata = async (request, response) => {
    const body = await textOf(request);
    const document = request.headers['content-type']?.includes('json') ? JSON.parse(body) : {};
    const answer = answerMetadata(document, isApp(bearer(request)));
    if (answer) replyJson(response, answer);
    else forward(request, response, body);
  };

  const serveApp = async (request, response) => {
    const { method, url } = request;
    const text = method === 'GET' ? undefined : await textOf(request);
    const answer = await refuses({ method, url, text });
    if (answer) reply(response, answer);
    else forward(request, response, text);
  };

  const serveControl = async (request, response) => {
    const control = controls[`${request.method} ${new URL(request.url, target).pathname}`];
    if (!control) return replyJson(response, { error: `no control \`${request.method} ${request.url}\`` }, 404);
    const text = await textOf(request);
    return replyJson(response, (await control(text ? JSON.parse(text) : {})) ?? null);
  };

  const handle = (request, response) => {
    if (request.url.startsWith('/s/')) return serveRoute(request, response);
    if (request.url.startsWith('/__app/')) return serveControl(request, response);
    if (request.method === 'POST' && request.url === '/metadata') return serveMetadata(request, response);
    if (isApp(bearer(request))) return serveApp(request, response);
    return forward(request, response);
  };

  const server = createServer((request, response) => {
    Promise.resolve(handle(request, response)).catch((error) => {
      if (response.headersSent) response.destroy();
      else replyJson(response, { statusCode: 500, error: error.name, messages: [error.message] }, 500);
    });
  });
  // A route answers when its run has ended, and a run may take 15 minutes.
  server.requestTimeout = 0;

  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () =>
      resolve({
        url: `http://127.0.0.1:${server.address().port}`,
        close: () => {
          close();
          server.closeAllConnections();
          return new Promise((done) => server.close(done));
        },
      }),
    );
  });
};
