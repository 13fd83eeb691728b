// Bun: as in Node. `bun run` serves what this file exports by default, and hands its server over as second argument.

import { fetch } from './node.js';

export { answer, fetch, settingNames } from './node.js';

export default { fetch: (request) => fetch(request) };
