// What is in the tarball: the files that are meant to be, and no trace of the machine that built it.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { PACKAGE, ROOT, exportsOf, installedProject } from '../support/project.mjs';

test('the tarball holds these files and no others', (t) => {
  const { files } = installedProject(t);
  assert.deepEqual(files, [
    'LICENSE-APACHE',
    'LICENSE-MIT',
    'README.md',
    'bin/fundraising.mjs',
    'bin/rollups.mjs',
    'fundraising/admission.d.ts',
    'fundraising/admission.js',
    'fundraising/api.d.ts',
    'fundraising/api.js',
    'fundraising/bun.d.ts',
    'fundraising/bun.js',
    'fundraising/cli/commands/check.js',
    'fundraising/cli/commands/provision.js',
    'fundraising/cli/commands/send-test-event.js',
    'fundraising/cli/commands/serve.js',
    'fundraising/cli/context.js',
    'fundraising/cli/main.js',
    'fundraising/cli/program.js',
    'fundraising/cli/readiness.js',
    'fundraising/cli/settings.js',
    'fundraising/cli/workspace.js',
    'fundraising/deno-module.js',
    'fundraising/deno.d.ts',
    'fundraising/deno.js',
    'fundraising/deploy/Dockerfile',
    'fundraising/deploy/Dockerfile.dockerignore',
    'fundraising/deploy/compose.yaml',
    'fundraising/deploy/fundraising.env.example',
    'fundraising/deploy/grafana-dashboard.json',
    'fundraising/deploy/prometheus-alerts.yaml',
    'fundraising/deploy/twenty-fundraising.service',
    'fundraising/deploy/wrangler.jsonc',
    'fundraising/generated/fundraising.d.ts',
    'fundraising/generated/fundraising.js',
    'fundraising/generated/fundraising.wasm',
    'fundraising/generated/model.json',
    'fundraising/index.d.ts',
    'fundraising/index.js',
    'fundraising/listen.d.ts',
    'fundraising/listen.js',
    'fundraising/node.d.ts',
    'fundraising/node.js',
    'fundraising/process-staged.d.ts',
    'fundraising/process-staged.js',
    'fundraising/provision.d.ts',
    'fundraising/provision.js',
    'fundraising/server.d.ts',
    'fundraising/server.js',
    'fundraising/start.d.ts',
    'fundraising/start.js',
    'fundraising/twenty.d.ts',
    'fundraising/twenty.js',
    'fundraising/workerd.capnp',
    'fundraising/workerd.d.ts',
    'fundraising/workerd.js',
    'package.json',
    'rollups.schema.json',
    'rollups.test.schema.json',
    'rollups/api.d.ts',
    'rollups/api.js',
    'rollups/bun.d.ts',
    'rollups/bun.js',
    'rollups/cli/checkpoint-file.js',
    'rollups/cli/command-line.js',
    'rollups/cli/commands/compare.js',
    'rollups/cli/commands/completion.js',
    'rollups/cli/commands/definitions.js',
    'rollups/cli/commands/drift.js',
    'rollups/cli/commands/explain.js',
    'rollups/cli/commands/init.js',
    'rollups/cli/commands/plan.js',
    'rollups/cli/commands/provision.js',
    'rollups/cli/commands/rebuild.js',
    'rollups/cli/commands/report.js',
    'rollups/cli/commands/test.js',
    'rollups/cli/commands/validate.js',
    'rollups/cli/commands/watch.js',
    'rollups/cli/context.js',
    'rollups/cli/csv.js',
    'rollups/cli/engine.js',
    'rollups/cli/interrupt.js',
    'rollups/cli/json-text.js',
    'rollups/cli/log-line.js',
    'rollups/cli/main.js',
    'rollups/cli/outcome.js',
    'rollups/cli/program.js',
    'rollups/cli/progress.js',
    'rollups/cli/prompt.js',
    'rollups/cli/proposal.js',
    'rollups/cli/recording.js',
    'rollups/cli/report/changes.js',
    'rollups/cli/report/chart.js',
    'rollups/cli/report/distribution.js',
    'rollups/cli/report/filter.js',
    'rollups/cli/report/graphql.js',
    'rollups/cli/report/health.js',
    'rollups/cli/report/html.js',
    'rollups/cli/report/measure.js',
    'rollups/cli/report/months.js',
    'rollups/cli/report/page.js',
    'rollups/cli/report/runs.js',
    'rollups/cli/report/style.js',
    'rollups/cli/report/words.js',
    'rollups/cli/reports.js',
    'rollups/cli/rollups-file.js',
    'rollups/cli/screen.js',
    'rollups/cli/selection.js',
    'rollups/cli/settings.js',
    'rollups/cli/show.js',
    'rollups/cli/test-file.js',
    'rollups/cli/text.js',
    'rollups/cli/workspace.js',
    'rollups/configuration.d.ts',
    'rollups/configuration.js',
    'rollups/deno-module.js',
    'rollups/deno.d.ts',
    'rollups/deno.js',
    'rollups/generated/rollups.d.ts',
    'rollups/generated/rollups.js',
    'rollups/generated/rollups.wasm',
    'rollups/index.d.ts',
    'rollups/index.js',
    'rollups/node-exchange.d.ts',
    'rollups/node-exchange.js',
    'rollups/node.d.ts',
    'rollups/node.js',
    'rollups/read-bounded.d.ts',
    'rollups/read-bounded.js',
    'rollups/test-file.d.ts',
    'rollups/test-file.js',
    'rollups/test-totals.d.ts',
    'rollups/test-totals.js',
    'rollups/testing.d.ts',
    'rollups/testing.js',
    'rollups/workerd.d.ts',
    'rollups/workerd.js',
  ]);
});

// Every file that the package exports is in the tarball.
test('exported files are in the tarball', (t) => {
  const { files, installed } = installedProject(t);
  const targets = Object.values(exportsOf(installed)).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
  for (const target of targets) assert.ok(files.includes(target.replace('./', '')), target);
});

// The conditions stand in the order in which runtimes must try them.
test('order of the export conditions', (t) => {
  const { installed } = installedProject(t);
  for (const entry of ['.', './fundraising']) {
    const conditions = Object.keys(exportsOf(installed)[entry]);
    assert.deepEqual(conditions, ['types', 'workerd', 'deno', 'bun', 'node', 'default'], entry);
  }
});

// The modules name no folder of the machine that built them.
test('no folder names in the modules', (t) => {
  const { installed } = installedProject(t);
  for (const product of ['rollups', 'fundraising']) {
    const text = readFileSync(join(installed, `${product}/generated/${product}.wasm`), 'latin1');
    for (const folder of [homedir(), ROOT.replace(/\/$/, '')]) assert.ok(!text.includes(folder), folder);
  }
});

// The command that npm installs runs, and needs the packages that the package names and no others.
test('installed command and its dependencies', (t) => {
  const { folder } = installedProject(t);
  const printed = execFileSync(join(folder, 'node_modules/.bin/twenty-rollups'), ['--version'], { cwd: folder, encoding: 'utf8' });
  assert.equal(printed.trim(), JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')).version);
  writeFileSync(join(folder, 'rollups.json'), '[{"parentObject":"person"}]');
  const { status, stdout } = spawnSync(join(folder, 'node_modules/.bin/twenty-rollups'), ['validate', '--offline'], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.match(stdout, /definition 0, childObject/);
});

test('what the package depends on is pinned', () => {
  const { dependencies } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'));
  for (const [name, version] of Object.entries(dependencies)) assert.match(version, /^\d+\.\d+\.\d+$/, name);
  // The repository runs the command as a workspace of its own: both must take the same.
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  for (const [name, version] of Object.entries(dependencies)) assert.equal(packages[`node_modules/${name}`].version, version, name);
});
