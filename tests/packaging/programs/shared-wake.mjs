// A worker whose runs wait for one another: their first request goes out when a further request releases them all, in one
// tick and in its own context.

import { calculateRollups } from 'twenty-rollups';

const event = {
  name: 'gift.created',
  objectMetadata: { nameSingular: 'gift' },
  properties: { after: { donorId: '783667c7-5ba5-40d4-86fe-136666dd32d2' } },
};
const config = [
  {
    parentObject: 'person',
    childObject: 'gift',
    relationField: 'donorId',
    aggregations: [{ type: 'COUNT', parentField: 'lifetimeGiftCount' }],
  },
];

const BUSY = { status: 503, headers: [['retry-after', '0']], arrayBuffer: async () => new ArrayBuffer(0) };

/** What the runs wait for: the second half of a promise that all share, and callbacks that are called one by one. */
let shared = Promise.withResolvers();
let callbacks = [];
let waiting = 0;

const waits = {
  promise: () => shared.promise,
  callback: () => ({ then: (done) => callbacks.push(done) }),
};

const routes = {
  waiting: () => waiting,
  release() {
    for (const done of callbacks) done(BUSY);
    shared.resolve(BUSY);
    [shared, callbacks, waiting] = [Promise.withResolvers(), [], 0];
    return 'released';
  },
  async run(env, url) {
    const wait = waits[url.searchParams.get('wait')];
    let isHeld = false;
    // After the wait the engine itself goes on with I/O: a timer, and further requests.
    const heldFetch = (...request) => {
      if (isHeld) return fetch(...request);
      isHeld = true;
      waiting += 1;
      return wait();
    };
    return calculateRollups(event, { env, config, log: () => {}, fetch: heldFetch, timeLimitSeconds: 10 });
  },
};

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    // workerd gives up a request that has nothing of its own to wait for.
    const alive = setInterval(() => {}, 1_000);
    try {
      return Response.json(await routes[url.pathname.slice(1)](env, url));
    } finally {
      clearInterval(alive);
    }
  },
};
