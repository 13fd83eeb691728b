/**
 * Builds the Twenty app with the SDK's own CLI: `node build.mjs [--sdk 2.13.0] [--tarball]`, with the schedules as
 * options too (schedules.mjs), since Twenty takes a cron's pattern from the app as it was built.
 *
 * Installs the pinned tools when they are missing, and does nothing when nothing changed. It does not make the wasm:
 * `build.sh` does.
 *
 * Without `--sdk` this folder is the app. Servers before 2.40 need the CLI of their time; for them the app is put
 * together in `.twenty/app-2.13.0`, from these same sources with the files of `sdk-2.13.0/` laid over them.
 */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { DEFAULTS, scheduleFault, sourceOf } from './schedules.mjs';
import { BuildError, fail, installTools, nodeOf, run } from './tools.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const STATE = join(HERE, '.twenty');
const MAIN_SDK = '2.40.0';
const OLDER_SDK = '2.13.0';
const GENERATED = ['wasm.generated.ts', 'glue.generated.js', 'glue.generated.d.ts', 'api.generated.js', 'api.generated.d.ts'];

/** What the app consists of; `model` and `fields` may be missing. */
const SOURCES = [
  'application.ts',
  'role.ts',
  'objects.ts',
  'sdk-features.ts',
  'schedules.generated.ts',
  'fields',
  'model',
  'calculaterollups',
  'personevents',
  'platform',
  'postinstall',
  'rebuildlater',
  'sweep',
  'tsconfig.json',
  '.yarnrc.yml',
  'README.md',
  'package.json',
  'package-lock.json',
  'yarn.lock',
];

const filesIn = (path) =>
  statSync(path).isDirectory() ? readdirSync(path).flatMap((name) => filesIn(join(path, name))) : [path];

const hashOf = (paths) => {
  const hash = createHash('sha256');
  for (const path of paths.filter((path) => existsSync(path)).flatMap(filesIn).sort()) {
    hash.update(`${relative(HERE, path)}\0`).update(readFileSync(path));
  }
  return hash.digest('hex');
};

/** Runs `make` unless `stamp` says that it ran on this very content. */
const whenChanged = (stamp, content, product, make) => {
  const file = join(STATE, stamp);
  if (existsSync(product) && existsSync(file) && readFileSync(file, 'utf8') === content) return false;
  rmSync(file, { force: true });
  make();
  mkdirSync(STATE, { recursive: true });
  writeFileSync(file, content);
  return true;
};

/** One build at a time: two would write the same files. A lock whose holder is gone does not count. */
const alone = (work) => {
  const lock = join(STATE, 'lock');
  const holderLives = () => {
    try {
      return process.kill(Number(readFileSync(lock, 'utf8')), 0);
    } catch (error) {
      return error.code === 'EPERM';
    }
  };
  mkdirSync(STATE, { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (holderLives()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
      else rmSync(lock, { force: true });
    }
  }
  try {
    work();
  } finally {
    rmSync(lock, { force: true });
  }
};

const writeWhenChanged = (file, text) => {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
};

const install = (app, sdk) => {
  whenChanged(`install-${sdk}.sha256`, hashOf([join(app, 'package-lock.json')]), nodeOf(app), () => {
    process.stdout.write(`installing the tools of SDK ${sdk}\n`);
    installTools(app);
  });
};

const compose = (app) => {
  mkdirSync(app, { recursive: true });
  for (const source of SOURCES) rmSync(join(app, source), { recursive: true, force: true });
  for (const layer of [HERE, join(HERE, `sdk-${OLDER_SDK}`)]) {
    for (const source of SOURCES.filter((name) => existsSync(join(layer, name)))) {
      cpSync(join(layer, source), join(app, source), { recursive: true });
    }
  }
};

/**
 * The CLI finds functions and fields by the form of their source, and leaves out in silence what it does not
 * recognise; so what must be there is looked for.
 */
const inspect = (output, schedules) => {
  const manifest = JSON.parse(readFileSync(join(output, 'manifest.json'), 'utf8'));
  const cron = (schedule) => (schedules[schedule] === 'off' ? [] : ['cronTriggerSettings']);
  const expected = {
    'calculate-rollups': ['databaseEventTriggerSettings', ...cron('nightly'), 'httpRouteTriggerSettings'],
    'person-events': ['databaseEventTriggerSettings'],
    sweep: cron('sweep'),
    'rebuild-later': cron('rebuild'),
  };
  for (const [name, triggers] of Object.entries(expected)) {
    const found = manifest.logicFunctions.find((each) => each.name === name);
    if (!found) fail(`the built manifest lacks the function \`${name}\``);
    for (const trigger of triggers) {
      if (!found[trigger]) fail(`the built manifest lacks \`${trigger}\` of the function \`${name}\``);
    }
  }
  const { updatedFields } = manifest.logicFunctions.find(({ name }) => name === 'person-events').databaseEventTriggerSettings;
  if (!updatedFields?.length) fail('`PERSON_FIELDS` in objects.ts is empty: every update of a person would start a run');
  const total = manifest.fields.find(({ name, type }) => type !== 'RELATION' && updatedFields.includes(name));
  if (total) fail(`\`PERSON_FIELDS\` in objects.ts names the total \`${total.name}\`: the engine's own writes would start runs`);
  if (!manifest.application.postInstallLogicFunction) fail('the built manifest lacks the post-install function');

  const standard = /^20202020-/;
  const defined = new Set(manifest.objects.map(({ universalIdentifier }) => universalIdentifier));
  const foreign = manifest.roles
    .flatMap(({ objectPermissions }) => objectPermissions)
    .map(({ objectUniversalIdentifier }) => objectUniversalIdentifier)
    .filter((object) => !defined.has(object) && !standard.test(object));
  for (const object of foreign) {
    process.stdout.write(`note: the role names the object ${object}, which the workspace must have already (objects.ts)\n`);
  }
};

const build = (sdk, tarball, schedules) => {
  const engine = join(HERE, 'calculaterollups', 'src', 'engine');
  const missing = GENERATED.filter((name) => !existsSync(join(engine, name)));
  if (missing.length > 0) fail(`\`${missing.join('`, `')}\` missing in ${relative(process.cwd(), engine)}: run ./build.sh`);

  writeWhenChanged(join(HERE, 'schedules.generated.ts'), sourceOf(schedules));
  const main = sdk === MAIN_SDK;
  const app = main ? HERE : join(STATE, `app-${sdk}`);
  const suffix = main ? '' : `-${sdk}`;
  const output = join(STATE, `output${suffix}`);
  const layers = main ? [HERE] : [HERE, join(HERE, `sdk-${sdk}`)];
  const content = hashOf([join(HERE, 'build.mjs'), join(HERE, 'schedules.mjs'), ...layers.flatMap((layer) => SOURCES.map((name) => join(layer, name)))]);

  const { name, version } = JSON.parse(readFileSync(join(layers.at(-1), 'package.json'), 'utf8'));
  const product = join(output, tarball ? `${name}-${version}.tgz` : 'manifest.json');

  const built = whenChanged(`build-${sdk}.sha256`, content, product, () => {
    if (!main) compose(app);
    install(app, sdk);
    const cli = join(app, 'node_modules', 'twenty-sdk', 'dist', 'cli.cjs');
    rmSync(join(app, '.twenty', 'output'), { recursive: true, force: true });
    // The CLI writes a settings file into the home folder; a build has no business there.
    const home = join(STATE, 'home');
    mkdirSync(home, { recursive: true });
    // `INIT_CWD` is the folder that npm was called in; the CLI would take that for the app.
    const env = { ...process.env, HOME: home, USERPROFILE: home, INIT_CWD: app };
    process.stdout.write(run(nodeOf(app), [cli, 'dev:build', ...(tarball ? ['--tarball'] : [])], app, env));
    inspect(join(app, '.twenty', 'output'), schedules);
    if (main) return;
    rmSync(output, { recursive: true, force: true });
    cpSync(join(app, '.twenty', 'output'), output, { recursive: true });
  });
  // Publishing and the tests need the tools too, also where nothing was to be built.
  install(app, sdk);
  process.stdout.write(`${built ? 'built' : 'unchanged'}: ${relative(process.cwd(), output)}\n`);
};

const usage = `usage: node build.mjs [--sdk ${MAIN_SDK}|${OLDER_SDK}] [--tarball] [--nightly PATTERN|off] [--sweep PATTERN|off] [--rebuild PATTERN|off]`;
try {
  const options = { sdk: { type: 'string', default: MAIN_SDK }, tarball: { type: 'boolean', default: false } };
  for (const [name, pattern] of Object.entries(DEFAULTS)) options[name] = { type: 'string', default: pattern };
  const { values } = parseArgs({ options });
  if (![MAIN_SDK, OLDER_SDK].includes(values.sdk)) {
    fail(`option --sdk: \`${values.sdk}\` is not known, expected ${MAIN_SDK} or ${OLDER_SDK}\n${usage}`);
  }
  const { sdk, tarball, ...schedules } = values;
  for (const [name, pattern] of Object.entries(schedules)) {
    const fault = scheduleFault(pattern);
    if (fault) fail(`option --${name}: ${fault}\n${usage}`);
  }
  alone(() => build(sdk, tarball, schedules));
} catch (error) {
  const misuse = error.code?.startsWith('ERR_PARSE_ARGS');
  if (!misuse && !(error instanceof BuildError)) throw error;
  process.stderr.write(`build.mjs: ${error.message}\n${misuse ? `${usage}\n` : ''}`);
  process.exitCode = 1;
}
