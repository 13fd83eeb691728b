// Runs the scenario in workerd: the same, answered over HTTP.

import * as rollups from 'twenty-rollups';
import { scenario } from 'scenario';

export default {
  fetch: async (request, env) => Response.json(await scenario(rollups, env.TWENTY_API_URL)),
};
