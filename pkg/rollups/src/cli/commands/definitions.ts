// The built-in definitions, as the text of a `rollups.json`.

import type { Command } from '../context.js';
import { loadEngine } from '../engine.js';
import { EXIT } from '../outcome.js';
import { configurationText, schemaFor } from '../rollups-file.js';

export const definitions: Command = async ({ host, screen }) => {
  const { builtInDefinitions } = await loadEngine(host);
  const built = builtInDefinitions();
  screen.print(configurationText(built, schemaFor(host.folder)).trimEnd());
  return { exit: EXIT.ok, document: { definitions: built } };
};
