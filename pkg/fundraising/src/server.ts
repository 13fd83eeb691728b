#!/usr/bin/env node
// Serves the proxy from Node, without any other package: `node server.js [--port N] [--host ADDRESS]
// [--process-every MINUTES]`; or, with `--provision`, makes what the workspace lacks of the data model, says what it made,
// and ends. The command `twenty-fundraising` does the same and more, in words for people.
//
// It listens on this machine alone unless `--host` says otherwise, and prints where, as one line of JSON. Settings that
// cannot be read are named on stderr, and it does not start.

import { parseArgs } from 'node:util';

import { listen, listenFault } from './listen.js';
import { answer } from './node.js';
import { provision } from './provision.js';
import { hostOf, minutesOf, portOf, startErrors } from './start.js';

/** Compares the workspace with the data model, so that the log says what is missing before a request needs it. */
const checkModel = () => answer({ method: 'GET', target: '/ready', headers: [], body: null });

async function serve({ port, host, 'process-every': every }: { port?: string; host?: string; 'process-every'?: string }): Promise<void> {
  const place = { port: portOf(process.env, port), host: hostOf(host) };
  const url = await listen({ ...place, env: process.env, processEveryMinutes: minutesOf(every) }).catch((error: unknown) => {
    throw new Error(listenFault(error, place));
  });
  console.log(JSON.stringify({ url }));
  void checkModel();
}

async function makeModel(): Promise<void> {
  const { made, present } = await provision();
  console.log(JSON.stringify({ made, present }));
}

try {
  const options = {
    port: { type: 'string' },
    host: { type: 'string' },
    'process-every': { type: 'string' },
    provision: { type: 'boolean' },
  } as const;
  const { values } = parseArgs({ options });
  const errors = startErrors(process.env, values.port, values['process-every']);
  if (errors) throw new Error(errors);
  if (values.provision) await makeModel();
  else await serve(values);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
