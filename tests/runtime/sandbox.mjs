/**
 * `npm run sandbox`: the sandbox's server, and with `--app` the Twenty app in front of it. Prints one line of JSON when
 * everything is ready, and serves until it is told to stop. All other options are the sandbox's own.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startApp } from './app-runtime.mjs';
import { node24 } from '../support/nodes.mjs';
import { sandboxBinary, startSandbox } from '../support/sandbox.mjs';

const APP = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'serverlessFunctions');
const VARIABLES = ['ROLLUP_ENGINE_CONFIG', 'ROLLUP_ENGINE_REQUESTS_PER_MINUTE'];

const log = (line) => process.stderr.write(`${line}\n`);

/** The value of `--name value` or `--name=value`, and the arguments without it. */
const take = (args, name) => {
  const at = args.findIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  if (at < 0) return { rest: args };
  const joined = args[at].includes('=');
  return {
    value: joined ? args[at].slice(args[at].indexOf('=') + 1) : args[at + 1],
    rest: args.toSpliced(at, joined ? 1 : 2),
  };
};

const buildApp = () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(APP, 'build.mjs')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the app was not built:\n${stdout}${stderr}`);
};

const withApp = async (args) => {
  buildApp();
  // Before anything is started that would have to be stopped again.
  const node = node24();
  const { value: port = '0', rest } = take(args, 'port');
  const { value: version = 'v2' } = take(args, 'profile');
  const server = await startSandbox(['--port', '0', ...(take(rest, 'profile').value ? [] : ['--profile', version]), ...rest]);
  const variables = Object.fromEntries(VARIABLES.filter((name) => process.env[name]).map((name) => [name, process.env[name]]));
  const app = await startApp({
    sandbox: server.ready,
    output: join(APP, '.twenty', 'output'),
    node,
    version,
    variables,
    port: Number(port),
    log,
  }).catch(async (error) => {
    await server.stop();
    throw error;
  });
  const stop = async () => {
    await app.close();
    await server.stop();
  };
  return { ready: { ...server.ready, url: app.url }, child: server.child, stop };
};

/** A stopped `npm run` takes only the shell between with it, not what runs in that shell. */
const whenOrphaned = (act) => {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && act(), 200).unref();
};

/** What this script adds to the sandbox's own help. */
const APP_HELP = `
With npm run sandbox also:
      --app  The Twenty app in front of the sandbox, in profile v2 unless
             --profile says otherwise; tests/runtime/README.md has its own calls
`;

/** Help and version end the sandbox before it is ready: they are printed as they are. */
const printed = (args) => {
  const { status, error } = spawnSync(sandboxBinary(), args, { stdio: 'inherit' });
  if (!error && args[0] !== '--version') process.stdout.write(APP_HELP);
  return error ? undefined : status;
};

const main = async () => {
  const args = process.argv.slice(2);
  const asked = args.find((arg) => ['--help', '-h', '--version', '-V'].includes(arg));
  const status = asked && printed([asked === '-V' ? '--version' : asked]);
  if (status !== undefined) process.exit(status);
  const alone = args.filter((arg) => arg !== '--app');
  const { ready, child, stop } = alone.length === args.length ? await startSandbox(args) : await withApp(alone);
  let told = false;
  const end = () => {
    if (told) return;
    told = true;
    stop().then(() => process.exit(0));
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, end);
  child.once('close', (code) => told || process.exit(code ?? 1));
  if (process.env.npm_lifecycle_event) whenOrphaned(end);
  process.stdout.write(`${JSON.stringify(ready)}\n`);
};

await main().catch((error) => {
  // A sandbox that ended by itself has said why.
  if (error.exitCode === undefined) log(error.message);
  process.exit(error.exitCode ?? 1);
});
