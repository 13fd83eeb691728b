// Which stored totals are wrong? Nothing is written; found drift is the exit code 1, a comparison that found none and did
// not see everything the exit code 5.

import type { Command } from '../context.js';
import { compare } from './compare.js';

export const drift: Command = (context) =>
  compare(context, {
    would: 'are wrong',
    next: 'To put them right: twenty-rollups rebuild',
    failsOnDrift: true,
  });
