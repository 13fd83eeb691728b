// The plain JavaScript that the proxy on workerd is measured beside: it passes each request on, and decides nothing.

export default {
  async fetch(request, { TWENTY_API_BASE_URL: base }) {
    const { pathname, search } = new URL(request.url);
    const body = request.body ? await request.arrayBuffer() : undefined;
    const answer = await fetch(base + pathname.replace('/api/fundraising', '') + search, {
      method: request.method,
      headers: { authorization: request.headers.get('authorization'), 'content-type': 'application/json' },
      body,
    });
    const headers = { 'content-type': 'application/json' };
    return new Response(await answer.arrayBuffer(), { status: answer.status, headers });
  },
};
