// A small HTTP server of a test.

import { createServer } from 'node:http';

/** Serves until the test is over, and gives the address. */
export async function serve(t, handle) {
  const server = createServer(handle);
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** The body of a request, as bytes. */
export async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * Serves `answer({ method, url, headers, body })`, which returns `{ status?, body }`, and remembers the calls.
 * To be used as `const server = await listen(t, …)` in a test `t`, which closes it.
 */
export const listen = async (t, answer) => {
  const calls = [];
  const url = await serve(t, async (request, response) => {
    const { method, url, headers } = request;
    const call = { method, url, headers, body: await bodyOf(request) };
    calls.push(call);
    const { status = 200, body } = await answer(call);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  return { url, calls };
};
