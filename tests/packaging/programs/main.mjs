// Runs the scenario with the package found by its name, in any runtime that has names, and prints what came of it.

import * as rollups from 'twenty-rollups';

import { scenario } from './scenario.mjs';

const url = globalThis.Deno ? Deno.args[0] : process.argv[2];
console.log(JSON.stringify({ entry: import.meta.resolve('twenty-rollups'), ...(await scenario(rollups, url)) }));
