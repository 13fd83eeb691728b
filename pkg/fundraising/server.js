#!/usr/bin/env node
// Serves the proxy from Node: `node server.js [--port N] [--host ADDRESS]`; or, with `--provision`, makes what the
// workspace lacks of the data model, says what it made, and ends.
//
// It listens on this machine alone unless `--host` says otherwise, and prints where, as one line of JSON. Settings that
// cannot be read are named on stderr, and it does not start.
//
// On SIGTERM or SIGINT it takes no further request, finishes those that are under way, and ends.

import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

import { bytesOf } from './api.js';
import { answer } from './node.js';
import { provision } from './provision.js';
import { hostOf, portOf, startErrors } from './start.js';

/** A caller that sends its request slower than this is let go. */
const REQUEST_TIMEOUT_MS = 30_000;

async function respond(request, response) {
  const { method, url: target, rawHeaders } = request;
  const headers = [];
  for (let at = 0; at < rawHeaders.length; at += 2) headers.push([rawHeaders[at].toLowerCase(), rawHeaders[at + 1]]);
  // Not destroyed where the reading stops, or there would be no connection left to say so on.
  const body = await bytesOf(request.iterator({ destroyOnReturn: false }));
  const sent = await answer({ method, target, headers, body });
  // A body that was not read to its end leaves a connection that cannot be used again.
  if (!request.complete) response.setHeader('connection', 'close');
  for (const [name, value] of sent.headers) response.appendHeader(name, value);
  response.writeHead(sent.status).end(sent.body);
}

/** Compares the workspace with the data model, so that the log says what is missing before anybody meets it. */
const checkModel = () => answer({ method: 'GET', target: '/ready', headers: [], body: new Uint8Array() });

function serve(port, host) {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    // The caller has gone while it sent its body: there is nobody to answer.
    respond(request, response).catch(() => response.destroy());
  });
  server.once('error', (error) => {
    console.error(`cannot listen on ${host}, port ${port}: ${error.message}`);
    process.exitCode = 1;
  });
  server.listen(port, host, () => {
    const { address, family, port: own } = server.address();
    console.log(JSON.stringify({ url: `http://${family === 'IPv6' ? `[${address}]` : address}:${own}` }));
    void checkModel();
  });
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => server.close());
}

async function makeModel() {
  const { made, present } = await provision();
  console.log(JSON.stringify({ made, present }));
}

try {
  const options = { port: { type: 'string' }, host: { type: 'string' }, provision: { type: 'boolean' } };
  const { values } = parseArgs({ options });
  const errors = startErrors(process.env, values.port);
  if (errors) throw new Error(errors);
  if (values.provision) await makeModel();
  else serve(portOf(process.env, values.port), hostOf(values.host));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
