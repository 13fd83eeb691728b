/**
 * What an app's role lets its own token do, as Twenty enforces it: the sandbox gives that token every right, so the
 * calls that the role does not cover are refused here. Record rights by object only; field and row rights are not
 * imitated, and nested relations of an allowed object pass.
 */

const DENIED = 'Entity performing the request does not have permission';
const NEEDED = {
  read: 'canReadObjectRecords',
  update: 'canUpdateObjectRecords',
  softDelete: 'canSoftDeleteObjectRecords',
  destroy: 'canDestroyObjectRecords',
};

const restDenied = (status) => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify({ statusCode: status, error: 'Error', messages: [DENIED], code: 'PERMISSION_DENIED' }),
});

const graphqlDenied = {
  status: 200,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify({
    errors: [{ message: DENIED, extensions: { code: 'FORBIDDEN', subCode: 'PERMISSION_DENIED' } }],
    data: null,
  }),
};

/** @returns {{ plural: string, action: string } | undefined} */
const restDemand = (method, pathname, searchParams) => {
  const [, first, ...rest] = pathname.split('/').filter(Boolean);
  const plural = ['batch', 'restore'].includes(first) ? rest[0] : first;
  if (!plural) return undefined;
  if (first === 'restore') return { plural, action: 'softDelete' };
  if (method === 'GET' || pathname.endsWith('/duplicates')) return { plural, action: 'read' };
  if (method === 'DELETE') return { plural, action: searchParams.get('soft_delete') === 'true' ? 'softDelete' : 'destroy' };
  return { plural, action: 'update' };
};

/** Names of a document's outermost fields. Those of fragments come along, and match no root field. */
const rootsOf = (query) => {
  const roots = [];
  let braces = 0;
  let parentheses = 0;
  const bare = query.replace(/"""[\s\S]*?"""|"(?:\\.|[^"\\])*"|#[^\n]*/g, '');
  for (const [token] of bare.matchAll(/[{}()]|[A-Za-z_]\w*\s*:?/g)) {
    if (token === '{') braces += 1;
    else if (token === '}') braces -= 1;
    else if (token === '(') parentheses += 1;
    else if (token === ')') parentheses -= 1;
    else if (braces === 1 && parentheses === 0 && !token.endsWith(':')) roots.push(token.trim());
  }
  return roots;
};

const capital = (name) => name[0].toUpperCase() + name.slice(1);

/** What a root of GraphQL asks of an object; undefined when it is about another one. */
const actionOf = (root, { nameSingular, namePlural }) => {
  const verbs = { create: 'update', update: 'update', merge: 'update', delete: 'softDelete', restore: 'softDelete', destroy: 'destroy' };
  if ([nameSingular, namePlural, `${namePlural}GroupBy`, `${nameSingular}Duplicates`].includes(root)) return 'read';
  const verb = Object.keys(verbs).find((each) => [nameSingular, namePlural].some((name) => root === each + capital(name)));
  return verb && verbs[verb];
};

export class Rights {
  #objects = [];

  /**
   * @param {object} app as `readApp` gives it
   * @param {() => Promise<{ nameSingular: string, namePlural: string }[]>} listObjects of the workspace
   */
  constructor(app, listObjects) {
    Object.assign(this, { app, listObjects });
  }

  /** @returns an answer that refuses the call of the app's token, or undefined when it may go on */
  async refuses({ method, url, text }) {
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    if (pathname.startsWith('/rest/metadata')) return restDenied(403);
    if (pathname.startsWith('/rest/')) {
      const demand = restDemand(method, pathname, searchParams);
      const object = demand && (await this.#find(({ namePlural }) => namePlural === demand.plural));
      return object && !this.#allows(object, demand.action) ? restDenied(400) : undefined;
    }
    if (pathname !== '/graphql') return undefined;
    for (const root of rootsOf(JSON.parse(text).query ?? '')) {
      const object = await this.#find((each) => actionOf(root, each));
      if (object && !this.#allows(object, actionOf(root, object))) return graphqlDenied;
    }
    return undefined;
  }

  /** Objects can be added at any time, so an unknown one is looked for again. */
  async #find(test) {
    const known = this.#objects.find(test);
    if (known) return known;
    this.#objects = await this.listObjects();
    return this.#objects.find(test);
  }

  #allows({ nameSingular }, action) {
    return Boolean(this.app.permissions[nameSingular]?.[NEEDED[action]]);
  }
}
