/** The plain JavaScript that the proxy is measured beside: it passes each request on to Twenty, and decides nothing. */
import { createServer } from 'node:http';

const base = process.env.TWENTY_API_BASE_URL;

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const answer = await fetch(base + request.url.replace('/api/fundraising', ''), {
    method: request.method,
    headers: { authorization: request.headers.authorization, 'content-type': 'application/json' },
    body: chunks.length > 0 ? Buffer.concat(chunks) : undefined,
  });
  const body = Buffer.from(await answer.arrayBuffer());
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(body);
});
server.listen(Number(process.env.PORT), '127.0.0.1');
