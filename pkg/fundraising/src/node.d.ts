import type { Environment } from './index.js';

export { default, answer, fetch, settingErrors, settingNames } from './index.js';

export declare function maxConnections(env?: Environment): number;
