// Whether Twenty is there and takes the token, as the command `twenty-rollups` looks.

import type { Fetch } from '../../rollups/cli/context.js';
import { CliError, EXIT } from '../../rollups/cli/outcome.js';
import type { Settings } from '../../rollups/cli/settings.js';
import { checkWorkspace } from '../../rollups/cli/workspace.js';

/** @throws {CliError} if the server is not there, is no Twenty, or does not know the token */
export async function requireTwenty(restUrl: string, token: string, fetch: Fetch): Promise<void> {
  const url = restUrl.replace(/\/rest$/, '');
  let status: number | undefined;
  const noting: Fetch = async (...asked) => {
    const response = await fetch(...asked);
    status = response.status;
    return response;
  };
  await checkWorkspace({ url, token } as Settings, noting);
  if (status === 404) {
    throw new CliError(EXIT.workspace, 'malformed_answer', `what answers at ${url} is not Twenty's API`, 'Expected is the address of the Twenty server.');
  }
}
