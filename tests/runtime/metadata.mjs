/**
 * The part of Twenty's `/metadata` GraphQL that only apps use: the key-value store and the queue, as
 * `twenty-sdk/logic-function` calls them. It understands one root field with arguments given as variables, which is
 * how the SDK's clients write them, and leaves every other document to the server behind it.
 */

/** Roots by what the SDK calls them. */
const FEATURES = {
  kv: ['appKeyValue', 'setAppKeyValue', 'deleteAppKeyValue'],
  enqueueJobs: ['enqueueJobs', 'enqueueJob', 'getJobs'],
};
const ROOTS = Object.values(FEATURES).flat();
const ROOT = new RegExp(`\\{\\s*(${ROOTS.join('|')})\\s*\\(([^)]*)\\)\\s*(?:\\{([^}]*)\\})?\\s*\\}\\s*$`);
const MAX_JOBS = 200;

const OBJECTS = {
  appKeyValue: ['AppKeyValue', ['key', 'value', 'scope']],
  setAppKeyValue: ['AppKeyValue', ['key', 'value', 'scope']],
  enqueueJobs: ['EnqueueJobsResult', ['enqueued', 'logicFunctionUniversalIdentifier', 'enqueuedJobsCount', 'jobIds']],
  enqueueJob: ['EnqueueJobResult', ['enqueued', 'logicFunctionUniversalIdentifier', 'jobId']],
  getJobs: ['JobStatus', ['jobId', 'state', 'attemptsMade', 'failedReason', 'enqueuedAt', 'startedAt', 'finishedAt']],
};

class Refusal extends Error {
  constructor(message, code = 'BAD_USER_INPUT') {
    super(message);
    this.code = code;
  }
}

/** @returns the root field and its arguments, or undefined where the document is none of ours */
const read = ({ query, variables = {} }) => {
  const found = ROOT.exec(query ?? '');
  if (!found) return undefined;
  const [, root, written, selected = ''] = found;
  const args = {};
  for (const [, name, variable, literal] of written.matchAll(/(\w+)\s*:\s*(?:\$(\w+)|([^,\s]+))/g)) {
    if (literal) throw new Refusal(`argument \`${name}\` of \`${root}\`: expected a variable, not \`${literal}\``);
    args[name] = variables[variable];
  }
  return { root, args, selection: selected.match(/\w+/g) ?? [] };
};

const project = (root, selection, value) => {
  if (!OBJECTS[root]) return value;
  const [type, fields] = OBJECTS[root];
  const unknown = selection.find((field) => field !== '__typename' && !fields.includes(field));
  if (unknown) throw new Refusal(`Cannot query field "${unknown}" on type "${type}".`, 'GRAPHQL_VALIDATION_FAILED');
  const pick = (object) =>
    Object.fromEntries(selection.map((field) => [field, field === '__typename' ? type : object[field]]));
  if (Array.isArray(value)) return value.map(pick);
  return value === null ? null : pick(value);
};

const scoped = (input) => ({ ...input, scope: input.scope ?? 'WORKSPACE' });

/** Answers the documents of one installed app. */
export class AppMetadata {
  #stores = { WORKSPACE: new Map(), SERVER: new Map() };

  /**
   * @param {object} app as `readApp` gives it
   * @param {import('./jobs.mjs').Jobs} jobs
   * @param {(keyof typeof FEATURES)[]} [without] what this server does not have
   */
  constructor(app, jobs, without = []) {
    Object.assign(this, { app, jobs, absent: without.flatMap((feature) => FEATURES[feature]) });
  }

  /** @returns a GraphQL answer, or undefined when the document is not about apps */
  answer(document, isApp) {
    try {
      const request = read(document);
      if (!request) return undefined;
      if (!isApp) throw new Refusal('This endpoint requires an application token.', 'FORBIDDEN');
      const { root, args, selection } = request;
      if (this.absent.includes(root)) {
        throw new Refusal(`Cannot query field "${root}" on type "${/^\s*mutation/.test(document.query) ? 'Mutation' : 'Query'}".`, 'GRAPHQL_VALIDATION_FAILED');
      }
      return { data: { [root]: project(root, selection, this.#resolve(root, args)) } };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { errors: [{ message: error.message, extensions: { code: error.code } }], data: null };
    }
  }

  #resolve(root, args) {
    switch (root) {
      case 'appKeyValue': {
        const { key, scope } = scoped(args);
        const value = this.#store(scope).get(key);
        return value === undefined ? null : { key, value: JSON.parse(value), scope };
      }
      case 'setAppKeyValue': {
        const { key, value = null, scope } = scoped(args.input);
        this.#store(scope).set(key, JSON.stringify(value));
        return { key, value, scope };
      }
      case 'deleteAppKeyValue':
        return this.#store(scoped(args).scope).delete(args.key);
      case 'getJobs':
        return args.jobIds.map((id) => this.jobs.status(id)).filter(Boolean);
      case 'enqueueJob': {
        const { payload, jobId, ...input } = args.input;
        const { jobIds, ...result } = this.#enqueue({ ...input, jobs: [{ payload, jobId }] });
        return { ...result, jobId: jobIds[0] ?? '' };
      }
      default:
        return this.#enqueue(args.input);
    }
  }

  #store(scope) {
    const store = this.#stores[scope];
    if (!store) throw new Refusal(`scope: \`${scope}\` is not known, expected WORKSPACE or SERVER`);
    return store;
  }

  #enqueue({ logicFunctionUniversalIdentifier, payloads, jobs, retryLimit, delayMs }) {
    const entry = this.app.function(logicFunctionUniversalIdentifier);
    if (!entry) throw new Refusal(`logic function \`${logicFunctionUniversalIdentifier}\` not found`, 'NOT_FOUND');
    const items = jobs ?? (payloads ?? [{}]).map((payload) => ({ payload }));
    if (items.length > MAX_JOBS) throw new Refusal(`at most ${MAX_JOBS} jobs a call, not ${items.length}`);
    const clean = items.map(({ payload, jobId }) => ({ payload: payload ?? {}, ...(jobId && { jobId }) }));
    const options = { ...(retryLimit != null && { retryLimit }), ...(delayMs != null && { delayMs }) };
    const jobIds = this.jobs.enqueue(entry, clean, options);
    const enqueued = jobIds.length > 0;
    return { enqueued, logicFunctionUniversalIdentifier, enqueuedJobsCount: jobIds.length, jobIds };
  }
}
