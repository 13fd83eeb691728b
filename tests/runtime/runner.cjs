/**
 * The child's side of a run: imports the bundle that lies beside this file, calls the handler that the manifest names,
 * and sends back what it returned. Copied into the run's folder, as Twenty's local driver does, so that the bundle
 * finds no packages but what the server would give it.
 */
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');

const answer = (message) => process.send(message, () => process.exit(0));

const fault = (error) =>
  error instanceof Error ? { name: error.name, message: error.message } : { name: 'Error', message: String(error) };

process.on('message', async ({ type, bundle, handlerName, payload, context }) => {
  if (type !== 'run') return;
  try {
    const module = await import(pathToFileURL(join(__dirname, bundle)).href);
    const handler = handlerName.split('.').reduce((value, key) => value?.[key], module);
    if (typeof handler !== 'function') throw new Error(`handler \`${handlerName}\` not found in the bundle`);
    const result = await handler(payload, context);
    answer({ result: result ?? null });
  } catch (error) {
    answer({ error: fault(error) });
  }
});
