/**
 * HTTP routes of an app, below `/s`: which function a request reaches, the payload it gets, and what its result
 * becomes as an HTTP answer. It neither listens nor runs anything.
 */

/** Headers of an answer that pass on `/s`. */
const PASSING = ['content-type', 'content-language', 'content-disposition', 'cache-control', 'retry-after'];

const parameters = (pattern, path) => {
  const [wanted, given] = [pattern, path].map((text) => text.split('/').filter(Boolean));
  if (wanted.length !== given.length) return undefined;
  const found = {};
  for (const [n, part] of wanted.entries()) {
    if (part.startsWith(':')) found[part.slice(1)] = decodeURIComponent(given[n]);
    else if (part !== given[n]) return undefined;
  }
  return found;
};

/** @returns the function and the path's parameters, or undefined where no route fits */
export const findRoute = (app, method, path) => {
  for (const entry of app.functions) {
    const settings = entry.httpRouteTriggerSettings;
    if (settings?.httpMethod !== method) continue;
    const pathParameters = parameters(settings.path, path);
    if (pathParameters) return { entry, settings, pathParameters };
  }
  return undefined;
};

const bodyOf = (text) => {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return { raw: text };
  }
};

export const routePayload = ({ settings, pathParameters }, { method, url, headers, text, userWorkspaceId = null }) => {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const forwarded = (settings.forwardedRequestHeaders ?? []).map((name) => name.toLowerCase());
  return {
    headers: Object.fromEntries(forwarded.map((name) => [name, headers[name]])),
    queryStringParameters: Object.fromEntries(
      [...new Set(searchParams.keys())].map((key) => [key, searchParams.getAll(key).join(',')]),
    ),
    pathParameters,
    body: bodyOf(text),
    rawBody: text,
    isBase64Encoded: false,
    requestContext: { http: { method, path: pathname } },
    userWorkspaceId,
  };
};

const json = (status, value) => ({ status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) });

export const refusal = (status, code, message) => json(status, { statusCode: status, error: 'Error', messages: [message], code });

const plain = (value) => {
  if (value == null) return { status: 200, headers: {}, body: '' };
  if (typeof value === 'string') return { status: 200, headers: { 'content-type': 'text/plain' }, body: value };
  return json(200, value);
};

/** Only the SDK's own `Response` is known by its mark; the global one crosses the process border as `{}`. */
export const httpAnswer = ({ result, error }) => {
  if (error) return refusal(500, 'ROUTE_TRIGGER_USER_UNCAUGHT_ERROR', `${error.name}: ${error.message}`);
  if (!result?.__twentyHttpResponse) return plain(result);
  const answer = plain(result.body);
  const own = Object.entries(result.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  const headers = { ...answer.headers, ...Object.fromEntries(own.filter(([name]) => PASSING.includes(name))) };
  return { ...answer, status: result.status ?? 200, headers };
};
