// A page to look at: giving, totals, drift and requests, in one file without a network. Nothing is written to the workspace.

import { renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

import type { Command } from '../context.js';
import type { Change } from '../csv.js';
import { callEngine, loadEngine, throwIfError } from '../engine.js';
import { EXIT, messageOf, usage } from '../outcome.js';
import { LargestChanges } from '../report/changes.js';
import { measured } from '../report/graphql.js';
import { readHealth } from '../report/health.js';
import { measure } from '../report/measure.js';
import { pageOf } from '../report/page.js';
import { type PastRun, runsInLog, runsInPage } from '../report/runs.js';
import { version } from '../rollups-file.js';
import { configurationOf } from '../settings.js';
import { formatCount, wrap } from '../text.js';
import { checkWorkspace } from '../workspace.js';

export const DEFAULT_PAGE = 'rollups-report.html';

export const report: Command = async (context) => {
  const { host, screen, settings, flags, fetch } = context;
  const shown = flags.out ?? DEFAULT_PAGE;
  const path = resolve(host.folder, shown);
  const log = flags.log ? { name: flags.log, runs: await runsInLog(resolve(host.folder, flags.log), flags.log) } : undefined;
  await checkWorkspace(settings, fetch);

  const changes = new LargestChanges();
  const comparison = await callEngine(context, { dryRun: true }, {
    timeLimitSeconds: flags.timeLimit,
    onEvent: (event) => event.event === 'difference_found' && changes.add(event as unknown as Change),
  });
  throwIfError(comparison);
  const comparedAt = new Date().toISOString();
  const configuration = configurationOf(settings, await loadEngine(host));
  const measurements = await measure(context, configuration);
  const health = await measured(() => readHealth(context));

  const run: PastRun = {
    at: comparedAt,
    mode: 'dry-run',
    status: comparison.status,
    compared: comparison.totals.processed,
    ...(comparison.drift && { wrong: comparison.drift.values }),
    requests: comparison.requests.total + measurements.requests,
    throttled: comparison.requests.throttled + measurements.throttled,
    tookMs: comparison.tookMs,
  };
  const page = pageOf({
    url: String(settings.url),
    version,
    source: settings.source,
    configuration,
    ownDefinitions: settings.config !== undefined,
    report: comparison,
    comparedAt,
    changes,
    measurements,
    health,
    comparisons: [...runsInPage(path), run],
    log,
  });
  write(path, shown, screen.redact(page));

  const missing = [...measurements.spreads, ...measurements.giving].filter(({ groups }) => 'missing' in groups).length;
  const say = (text: string) => wrap(text).forEach((line) => screen.print(line));
  say(`Written: ${shown}, by ${formatCount(run.requests, 'request')}.`);
  if (measurements.missing) say(`No figures of totals and giving: ${measurements.missing}.`);
  else if (missing > 0) say(`${formatCount(missing, 'figure')} could not be measured; the page says why.`);
  say('It says which record has which total: only you can read it.');
  const complete = comparison.status !== 'partial';
  if (!complete) say(`Not everything was compared: ${comparison.message ?? 'the page says what'}`);
  return { exit: complete ? EXIT.ok : EXIT.unknown, document: { out: shown, missing, report: comparison } };
};

/** Replaces the file at once, so that there is never half a page. */
function write(path: string, shown: string, page: string): void {
  const beside = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(beside, page, { mode: 0o600 });
    renameSync(beside, path);
  } catch (error) {
    throw usage('unwritable_file', `cannot write \`${shown}\`: ${messageOf(error)}`);
  }
}
