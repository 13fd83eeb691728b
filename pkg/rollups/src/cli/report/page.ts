// The page: one file that needs no network. Whatever comes from the workspace goes through `html`, which escapes it.

import type { Configuration, Definition } from '../../index.js';
import { incompleteReasons } from '../outcome.js';
import type { RunReport } from '../show.js';
import type { LargestChanges } from './changes.js';
import { type Column, columnChart, lineChart } from './chart.js';
import { type Distribution, type ValueGroup, amountDistribution, countDistribution, yearDistribution } from './distribution.js';
import type { Measured } from './graphql.js';
import type { Health } from './health.js';
import { type Content, type Html, html } from './html.js';
import type { GivingByMonth, Measurements, Spread } from './measure.js';
import { type Giving, type Month, currenciesOf, givingOf } from './months.js';
import { type PastRun, inOrder, keptRuns } from './runs.js';
import { STYLE } from './style.js';
import { capitalized, childrenInWords, plain, several, totalInWords } from './words.js';

export interface PageData {
  url: string;
  version: string;
  /** Where the definitions are from, in words. */
  source: string;
  configuration: Configuration;
  /** Whether the definitions are the team's own. */
  ownDefinitions: boolean;
  /** Of the comparison. */
  report: RunReport;
  comparedAt: string;
  changes: LargestChanges;
  measurements: Measurements;
  health: Measured<Health>;
  /** Comparisons of the pages that this one is written over, and this one. */
  comparisons: PastRun[];
  /** Runs of a log, and its name. */
  log: { name: string; runs: PastRun[] } | undefined;
}

const LOCALE = 'en-GB';
const MAX_LISTED = 20;
const MAX_CURRENCIES = 3;
const MAX_ROWS = 60;
const DAY_MS = 86_400_000;

// ── Values in words ──

const count = (number: number) => number.toLocaleString(LOCALE);

/** `1 person`, `2 people`. */
const counted = (number: number, object: string) => `${count(number)} ${number === 1 ? plain(object) : several(object)}`;

const percent = (share: number) => {
  // Only what is whole is shown as whole.
  const shown = share < 1 ? Math.min(share, 0.999) : share;
  return shown.toLocaleString(LOCALE, { style: 'percent', maximumFractionDigits: 1 });
};

function currencyFormat(code: string, options: Intl.NumberFormatOptions): (value: number) => string {
  try {
    const format = new Intl.NumberFormat(LOCALE, { style: 'currency', currency: code, ...options });
    return (value) => format.format(value);
  } catch {
    // A text that is no code of a currency.
    const format = new Intl.NumberFormat(LOCALE, options);
    return (value) => `${format.format(value)} ${code}`.trim();
  }
}

const money = (code: string) => currencyFormat(code, { minimumFractionDigits: 0, maximumFractionDigits: 0 });
const exactMoney = (code: string) => currencyFormat(code, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
/** As short as an axis needs it. */
const shortMoney = (code: string) => currencyFormat(code, { notation: 'compact', minimumFractionDigits: 0, maximumFractionDigits: 1 });

const compact = (value: number) => value.toLocaleString(LOCALE, { notation: 'compact', maximumFractionDigits: 1 });

const dateFormat = (timeZone: string | undefined, options: Intl.DateTimeFormatOptions) => {
  try {
    return new Intl.DateTimeFormat(LOCALE, { timeZone: timeZone ?? 'UTC', ...options });
  } catch {
    return new Intl.DateTimeFormat(LOCALE, { timeZone: 'UTC', ...options });
  }
};

type Clock = (instant: string) => string;

const clockIn = (timeZone: string | undefined): Clock => {
  const format = dateFormat(timeZone, { day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZoneName: 'short' });
  return (instant) => format.format(new Date(instant));
};

const MONTH = new Intl.DateTimeFormat(LOCALE, { month: 'long', year: 'numeric', timeZone: 'UTC' });
const SHORT_MONTH = new Intl.DateTimeFormat(LOCALE, { month: 'short', timeZone: 'UTC' });
const monthName = (month: string) => MONTH.format(new Date(`${month}-01T00:00:00Z`));
const monthTick = (month: string) => {
  const name = SHORT_MONTH.format(new Date(`${month}-01T00:00:00Z`));
  return month.endsWith('-01') ? month.slice(0, 4) : name;
};

const duration = (ms: number) => (ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`);

// ── Pieces ──

const missing = (what: string, why: string, at?: string) => html`<p class="missing">${what} could not be measured${at && ` (${at})`}: ${why}.</p>`;

function dataTable(caption: Content, heads: string[], rows: Content[][], numbers: readonly number[] = []): Html {
  const cell = (content: Content, index: number) => (index === 0 ? html`<th scope="row">${content}</th>` : html`<td class="${numbers.includes(index) ? 'number' : ''}">${content}</td>`);
  return html`<table><caption>${caption}</caption><thead><tr>${heads.map((head, index) => html`<th scope="col" class="${numbers.includes(index) ? 'number' : ''}">${head}</th>`)}</tr></thead><tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>`)}</tbody></table>`;
}

/** A table with a name of its own, which the keyboard can scroll. */
const scrolled = (name: string, table: Html) => html`<div class="scroll" tabindex="0" role="region" aria-label="${name}">${table}</div>`;

/** The figures of a chart as a table. */
const asTable = (caption: string, heads: string[], rows: Content[][], numbers: readonly number[]) =>
  html`<details><summary>As a table<span class="unseen">: ${caption}</span></summary>${scrolled(caption, dataTable(caption, heads, rows, numbers))}</details>`;

/** Rows with a bar each for their share of the greatest. */
function barTable(caption: string, heads: string[], rows: { name: Content; value: number; text: string }[]): Html {
  const most = Math.max(...rows.map(({ value }) => value), 1);
  const body = rows.map(({ name, value, text }) => html`<tr><th scope="row">${name}</th><td class="number">${text}</td><td class="share" aria-hidden="true"><span style="width:${Math.max(1, Math.round((100 * value) / most))}%"></span></td></tr>`);
  return html`<table class="bars"><caption>${caption}</caption><thead><tr><th scope="col">${heads[0]}</th><th scope="col" class="number">${heads[1]}</th><td></td></tr></thead><tbody>${body}</tbody></table>`;
}

/** A text of the engine, in which names stand in back-ticks. */
const marked = (text: string) => text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part));

const list = (items: Content[], shown = MAX_LISTED) =>
  html`<ul class="plain">${items.slice(0, shown).map((item) => html`<li>${item}</li>`)}${items.length > shown && html`<li>and ${count(items.length - shown)} more</li>`}</ul>`;

// ── Giving ──

interface CurrencyGiving {
  code: string;
  giving: Giving;
}

/** What was given in each currency that has anything, those with the most children first. */
function givingByCurrency({ groups }: GivingByMonth, current: string): CurrencyGiving[] {
  if ('missing' in groups) return [];
  return currenciesOf(groups.value).flatMap((code) => {
    const giving = givingOf(groups.value.filter((group) => group.code === code), current);
    return giving ? [{ code, giving }] : [];
  });
}

const currentMonth = (data: PageData, at: string) => {
  const parts = dateFormat(data.configuration.timeZone, { year: 'numeric', month: '2-digit' }).formatToParts(new Date(at));
  const part = (type: string) => parts.find((one) => one.type === type)?.value;
  return `${part('year')}-${part('month')}`;
};

/** Against the twelve months before; nothing where they cannot be compared. */
function change({ lastYear, yearBefore }: Giving): Content {
  if (yearBefore === undefined || yearBefore <= 0) return undefined;
  const share = lastYear / yearBefore - 1;
  return html`, <span class="${share < 0 ? 'down' : 'up'}">${share < 0 ? '−' : '+'}${percent(Math.abs(share))}</span> on the twelve before`;
}

function givingSection(data: PageData, clock: Clock): Html {
  const { giving, missing: whyNone } = data.measurements;
  const charts = giving.map((source, index) => givingCard(source, `giving-${index}`, currentMonth(data, source.groups.at), clock));
  const none = whyNone
    ? missing('Giving by month', whyNone)
    : html`<p class="missing">No definition adds up amounts of records that have a day, so there is no giving by month.</p>`;
  return html`<section aria-labelledby="giving"><h2 id="giving">Giving by month</h2>${charts.length > 0 ? charts : none}</section>`;
}

function givingCard(source: GivingByMonth, id: string, current: string, clock: Clock): Html {
  const { childObject, amount, subtracted, day, counted: conditions, notApplied, groups } = source;
  const name = several(childObject);
  const at = clock(groups.at);
  if ('missing' in groups) return html`<div class="card"><h3>${capitalized(name)}</h3>${missing('Giving by month', groups.missing, at)}</div>`;
  const currencies = givingByCurrency(source, current);
  const without = groups.value.filter(({ month }) => month === null).reduce((sum, { children }) => sum + children, 0);
  const future = groups.value.filter(({ month }) => month !== null && month > current).reduce((sum, { children }) => sum + children, 0);
  const unnamed = groups.value.filter(({ code, amount: sum }) => code === null && sum !== 0).reduce((sum, { children }) => sum + children, 0);
  const figures = currencies.slice(0, MAX_CURRENCIES).map(({ code, giving }, index) => givingFigure(`${id}-${index}`, name, code, giving));
  const notes = [
    `Measured ${at}: the ${plain(amount)}${subtracted ? ` less ${plain(subtracted)}` : ''} of all live ${name} by ${plain(day)}${conditions.length > 0 ? `, if the ${conditions.join(' and ')}` : ''}, whoever gave.`,
    notApplied.length > 0 && `The server cannot tell whether the ${notApplied.join(' and ')}: ${name} that the definitions leave out for that are in here.`,
    without > 0 && `${counted(without, childObject)} without a ${plain(day)} ${without === 1 ? 'is' : 'are'} left out.`,
    future > 0 && `${counted(future, childObject)} of later months ${future === 1 ? 'is' : 'are'} left out.`,
    unnamed > 0 && `${counted(unnamed, childObject)} without a currency ${unnamed === 1 ? 'is' : 'are'} left out.`,
    currencies.length > MAX_CURRENCIES && `Further currencies: ${currencies.slice(MAX_CURRENCIES).map(({ code }) => code).join(', ')}.`,
  ].filter((note) => note !== false);
  const empty = html`<p>There ${groups.value.length === 0 ? `are no ${name} yet` : `is no ${plain(childObject)} with a day and a currency up to now`}.</p>`;
  return html`<div class="card">${figures.length > 0 ? figures : empty}<p class="note">${notes.join(' ')}</p></div>`;
}

function givingFigure(id: string, name: string, code: string, giving: Giving): Html {
  const { months, lastYear, until } = giving;
  const [inFull, short] = [money(code), shortMoney(code)];
  const column = ({ month, amount, current }: Month): Column => ({
    label: `${monthName(month)}${current ? ' so far' : ''}`,
    ...((months.length <= 12 || ['01', '07'].includes(month.slice(5))) && { tick: monthTick(month) }),
    value: amount,
    text: inFull(amount),
    faint: current,
  });
  const last = months.at(-1)!;
  const best = months.reduce((one, other) => (other.amount > one.amount ? other : one));
  const description = `${months.length} months from ${monthName(months[0]!.month)} to ${monthName(last.month)}. Most in ${monthName(best.month)}: ${inFull(best.amount)}.`;
  const title = `${capitalized(name)} by month in ${code}`;
  return html`<figure>
<h3>${capitalized(name)} in ${code}</h3>
<figcaption><strong>${inFull(lastYear)}</strong> in the twelve months to ${monthName(until)}${change(giving)}${last.current && html`; ${inFull(last.amount)} this month so far, the last column`}.</figcaption>
${columnChart({ id, title, description, format: short }, months.map(column))}
${asTable(title, ['Month', 'Amount'], months.toReversed().map((month) => [`${monthName(month.month)}${month.current ? ' so far' : ''}`, exactMoney(code)(month.amount)]), [1])}
</figure>`;
}

// ── Distribution ──

interface ShownSpread extends Spread {
  code: string;
  distribution: Distribution;
  /** Currencies beside the one that is shown. */
  others: string[];
}

/** What a chart of a total shows; nothing if the total is not known. */
function shownSpread(spread: Spread): ShownSpread | undefined {
  const { kind, groups } = spread;
  if ('missing' in groups) return undefined;
  if (kind === 'count') return { ...spread, code: '', others: [], distribution: countDistribution(groups.value) };
  if (kind === 'day') return { ...spread, code: '', others: [], distribution: yearDistribution(groups.value) };
  const filled = ({ value }: ValueGroup) => value !== null && value !== 0;
  const byCode = new Map<string, number>();
  for (const group of groups.value.filter(filled)) byCode.set(group.code ?? '', (byCode.get(group.code ?? '') ?? 0) + group.parents);
  const [main = '', ...others] = [...byCode].toSorted(([, one], [, other]) => other - one).map(([code]) => code);
  const shown = groups.value.filter((group) => !filled(group) || (group.code ?? '') === main);
  const whole = (value: number) => currencyFormat(main, { notation: value < 10_000 ? 'standard' : 'compact', minimumFractionDigits: 0, maximumFractionDigits: value < 1 ? 2 : 0 })(value);
  return { ...spread, code: main, others, distribution: amountDistribution(shown, whole) };
}

function spreadSection(data: PageData, clock: Clock): Html {
  const { spreads, missing: why } = data.measurements;
  const objects = [...new Set(spreads.map(({ parentObject }) => parentObject))];
  const parts = objects.map((object) => spreadsOf(object, spreads, clock));
  const wrong = data.report.drift?.values ?? 0;
  const note = html`<p class="soft">The totals as they stand in the workspace${spreads[0] && `, measured ${clock(spreads[0].groups.at)}`}.${wrong > 0 && ` ${count(wrong)} of them ${wrong === 1 ? 'is' : 'are'} wrong just now: see below.`}</p>`;
  const none = why ? missing('How totals are spread', why) : html`<p class="missing">The workspace has none of the fields that the definitions write to.</p>`;
  return html`<section aria-labelledby="spread"><h2 id="spread">How totals are spread</h2>${parts.length > 0 ? html`${note}${parts}` : none}</section>`;
}

function spreadsOf(object: string, spreads: readonly Spread[], clock: Clock): Html {
  const own = spreads.flatMap((spread, index) => (spread.parentObject === object ? [{ spread, id: `spread-${index}` }] : []));
  const parents = Math.max(...own.map(({ spread }) => parentsOf(spread)));
  const name = capitalized(several(object));
  if (parents === 0 && own.every(({ spread }) => 'value' in spread.groups)) return html`<p class="soft">${name}: there are none yet.</p>`;
  return html`<h3 class="group">${name}${parents > 0 && html` <span class="soft">${count(parents)}</span>`}</h3><div class="grid">${own.map(({ spread, id }) => spreadCard(spread, id, clock))}</div>`;
}

const parentsOf = ({ groups }: Spread) => ('missing' in groups ? 0 : groups.value.reduce((sum, { parents }) => sum + parents, 0));

function spreadCard(spread: Spread, id: string, clock: Clock): Html {
  const { parentObject, field, kind, groups } = spread;
  const name = capitalized(plain(field));
  const people = several(parentObject);
  if ('missing' in groups) return html`<div class="card"><h4>${name}</h4>${missing(`How it is spread over ${people}`, groups.missing, clock(groups.at))}</div>`;
  const { distribution, code, others } = shownSpread(spread)!;
  const { bins, counted: having, none, median, total, topTenthShare } = distribution;
  const value = kind === 'amount' ? money(code) : count;
  const rest = none > 0 ? `, ${count(none)} without` : '';
  if (having === 0) return html`<div class="card"><figure><h4>${name}</h4><figcaption>${`None of ${counted(none, parentObject)} has one.`}</figcaption></figure></div>`;
  const facts = [
    kind !== 'day' && having > 2 && `half have ${kind === 'amount' ? exactMoney(code)(median) : count(median)} or more`,
    kind !== 'day' && `${value(total)} in all`,
    topTenthShare !== undefined && kind === 'amount' && `${percent(topTenthShare)} of it from the tenth with the most`,
  ].filter((fact) => fact !== false);
  const title = `${name}: number of ${people} by ${kind === 'day' ? 'year' : kind === 'amount' ? `amount in ${code}` : 'number'}`;
  const most = bins.reduce((one, other) => (other.parents > one.parents ? other : one));
  const columns = bins.map(({ label, tick, parents }): Column => ({ label, tick, value: parents, text: counted(parents, parentObject) }));
  return html`<div class="card"><figure>
<h4>${name}</h4>
<figcaption>${counted(having, parentObject)}${code && ` in ${code}`}${rest}${facts.length > 0 && `: ${facts.join(', ')}`}.${others.length > 0 && ` Not shown: ${others.map((other) => other || 'no currency').join(', ')}.`}</figcaption>
${columnChart({ id, title, description: `Most, ${counted(most.parents, parentObject)}, at ${most.label}.`, format: compact, whole: true }, columns, true)}
${asTable(title, [kind === 'day' ? 'Year' : name, capitalized(people)], bins.map(({ label, parents }) => [label, count(parents)]), [1])}
</figure></div>`;
}

// ── Right or wrong ──

/** `person.lifetimeGiftAmount` in words. */
const fieldName = (field: string) => {
  const [object = '', ...rest] = field.split('.');
  return `${capitalized(several(object))}: ${plain(rest.join('.'))}`;
};

function rightSection(data: PageData, clock: Clock): Html {
  const { report, comparisons, log, configuration } = data;
  const fields = Object.entries(report.drift?.fields ?? {}).map(([field, wrong]) => ({ name: fieldName(field), value: Number(wrong) || 0, text: count(Number(wrong) || 0) }));
  const runs = inOrder([...comparisons, ...(log?.runs ?? [])]);
  return html`<section aria-labelledby="right"><h2 id="right">Are the totals right?</h2>
<div class="card">
<h3>Just now</h3>
<p>${verdict(data)} Compared ${clock(data.comparedAt)}.</p>
${fields.length > 0 && barTable('Wrong values by total', ['Total', 'Wrong values'], fields.toSorted((one, other) => other.value - one.value))}
${problems(data)}
<h3>Over time</h3>
${driftFigure(runs, configuration.timeZone)}
<p class="note">${log ? `Runs of ${log.name}, and the comparisons of this page.` : 'The comparisons of this page: each one that is written over it adds one. With --log FILE the runs of a log are shown too.'}</p>
<h3>Freshness</h3>
${freshness(data, clock)}
</div></section>`;
}

function verdict({ report, configuration, ownDefinitions }: PageData): Html {
  const { totals, drift, status } = report;
  const wrong = drift?.values ?? 0;
  const reasons = incompleteReasons(report, ownDefinitions ? configuration : undefined);
  if (status === 'noop') return html`There was nothing to compare.`;
  const left = reasons.length > 0 && html` <span class="bad">Not everything was compared: ${reasons.join('; ')}.</span>`;
  if (wrong > 0) return html`<span class="bad">${count(wrong)} stored ${wrong === 1 ? 'value is' : 'values are'} wrong</span>, of ${count(drift!.parents)} of the ${count(totals.processed)} records that were compared.${left}`;
  if (totals.processed === 0) return html`There is no record that carries a total yet.${left}`;
  return html`<span class="good">${reasons.length > 0 ? 'Nothing wrong was found' : 'Every total is right'}</span>, of ${count(totals.processed)} ${totals.processed === 1 ? 'record that was' : 'records that were'} compared.${left}`;
}

function problems({ report, ownDefinitions, configuration }: PageData): Html {
  const { mixedCurrency, totals, failures, notes, skipped } = report;
  const left = ownDefinitions ? skipped : skipped.filter(({ code }) => code !== 'not_in_workspace');
  const place = ({ definition, aggregation }: (typeof skipped)[number]) => {
    const field = aggregation === null ? undefined : configuration.definitions[definition]?.aggregations[aggregation]?.parentField;
    return `definition ${definition}${field ? `, ${field}` : ''}`;
  };
  return html`${left.length > 0 && html`<h3>Left out</h3>${list(left.map((entry) => [capitalized(place(entry)), ': ', marked(entry.reason)]))}`}
${totals.mixedCurrency > 0 && html`<h3>In several currencies</h3><p>${count(totals.mixedCurrency)} ${totals.mixedCurrency === 1 ? 'record has' : 'records have'} amounts in several currencies, which are never added together.</p>${list(mixedCurrency.map(({ parentObject, id, field, currencies }) => html`${capitalized(plain(parentObject))} <span class="id">${id}</span>, ${plain(field)}: ${currencies.map((code) => code || 'none').join(', ')}`))}`}
${failures.length > 0 && html`<h3>Not computed</h3>${list(failures.map(({ parentObject, id, message }) => html`${capitalized(plain(parentObject))} <span class="id">${id}</span>: ${message}`))}`}
${notes.length > 0 && html`<h3>Worth knowing</h3>${list(notes.map(marked))}`}`;
}

/** Wrong values that runs found, over the time in which they ended. */
function driftFigure(runs: PastRun[], timeZone: string | undefined): Html {
  const known = runs.filter((run): run is PastRun & { wrong: number } => run.wrong !== undefined);
  if (known.length === 0) return html`<p class="missing">No run says how many values were wrong.</p>`;
  const timed = known.every(({ at }) => at !== undefined);
  const clock = clockIn(timeZone);
  const times = known.map(({ at }, index) => (timed ? Date.parse(at!) : index));
  const [first, last] = [times[0]!, times.at(-1)!];
  const day = dateFormat(timeZone, last - first < 2 * DAY_MS ? { hour: '2-digit', minute: '2-digit' } : { day: 'numeric', month: 'short' });
  const when = ({ at }: PastRun, index: number) => (at ? clock(at) : `run ${index + 1}`);
  const points = known.map((run, index) => ({
    at: last > first ? (times[index]! - first) / (last - first) : 0.5,
    label: when(run, index),
    tick: run.at && timed ? day.format(new Date(run.at)) : `run ${index + 1}`,
    value: run.wrong,
    text: `${count(run.wrong)} wrong`,
  }));
  const title = 'Wrong values that each run found';
  const description = `${known.length} ${known.length === 1 ? 'run' : 'runs'}; the last one found ${count(known.at(-1)!.wrong)}.`;
  const rows = known.map((run, index) => [when(run, index), run.mode.replaceAll('-', ' '), run.status, count(run.compared), count(run.wrong)]);
  return html`<figure><figcaption>Wrong values that each run found; a rebuild puts them right.${known.length === 1 && ' There is one so far.'}</figcaption>
${known.length > 1 && lineChart({ id: 'drift', title, description, format: compact, whole: true }, points)}
${asTable(title, ['Ended', 'Run', 'Status', 'Compared', 'Wrong'], rows.toReversed().slice(0, MAX_ROWS), [3, 4])}</figure>`;
}

function freshness({ health, comparedAt }: PageData, clock: Clock): Html {
  const own = html`<dt>This comparison</dt><dd>${clock(comparedAt)}</dd>`;
  if ('missing' in health) return html`<dl>${own}<dt>The app in Twenty</dt><dd>Not known: ${health.missing}.</dd></dl>`;
  const { compared, rebuild, sweep, problems: found } = health.value;
  const ended = (run: Health['rebuild']) => (run ? html`${run.at ? clock(run.at) : 'At an unknown time'}: ${run.status}${run.wrong !== undefined && `, ${count(run.wrong)} values were wrong`}` : 'None is known');
  return html`<dl>${own}
<dt>Last complete run of the app</dt><dd>${compared ? clock(compared) : 'None is known'}</dd>
<dt>Its last rebuild</dt><dd>${ended(rebuild)}</dd>
<dt>Its last sweep</dt><dd>${ended(sweep)}</dd>
${found.length > 0 && html`<dt>To look at</dt><dd>${list(found.map(marked))}</dd>`}</dl>`;
}

// ── Changes ──

function changesSection({ changes, report }: PageData): Html {
  const tables = [...changes.byCurrency].slice(0, MAX_CURRENCIES).map(([code, rows]) => {
    const format = exactMoney(code);
    const cells = rows.map(({ object, id, field, stored, computed, difference }) => [
      html`${capitalized(plain(object))} <span class="id">${id}</span>`,
      plain(field),
      format(stored),
      format(computed),
      html`<span class="${difference < 0 ? 'down' : 'up'}">${difference < 0 ? '−' : '+'}${format(Math.abs(difference))}</span>`,
    ]);
    const caption = `The largest in ${code || 'no currency'}`;
    return html`<div class="card">${scrolled(caption, dataTable(caption, ['Record', 'Total', 'Stored', 'Right', 'Change'], cells, [2, 3, 4]))}</div>`;
  });
  const wrong = report.drift?.values ?? 0;
  const none = wrong === 0 ? 'A rebuild would change nothing that was compared.' : 'No amount of money would change, only counts, days and the like.';
  return html`<section aria-labelledby="changes"><h2 id="changes">The largest changes</h2>${tables.length > 0 ? html`<p class="soft">What a rebuild would change most; counts and days go along with it.</p>${tables}` : html`<p>${none}</p>`}</section>`;
}

// ── Definitions ──

function definitionsSection({ configuration, source, report, ownDefinitions }: PageData): Html {
  const leftOut = (index: number) => report.skipped.find(({ definition, aggregation }) => definition === index && aggregation === null);
  const cards = configuration.definitions.flatMap((definition, index) => {
    const skipped = leftOut(index);
    // No workspace has all that the built-in definitions name.
    if (skipped && !ownDefinitions) return [];
    return [definitionCard(definition, skipped?.reason)];
  });
  const { timeZone = 'UTC', fiscalYearStartMonth = 1 } = configuration;
  const month = MONTH.formatToParts(new Date(Date.UTC(2026, fiscalYearStartMonth - 1, 1))).find(({ type }) => type === 'month')?.value;
  return html`<section aria-labelledby="definitions"><h2 id="definitions">What is computed</h2>
<p class="soft">By ${source}. Days are those of ${timeZone}; the fiscal year begins in ${month}. Deleted records never count, and amounts in different currencies are never added together.</p>
${cards.length > 0 ? cards : html`<p>No definition fits this workspace.</p>`}</section>`;
}

const definitionCard = (definition: Definition, skipped: string | undefined) => html`<div class="card"><h3>${capitalized(several(definition.parentObject))}, from their ${several(definition.childObject)}</h3>
<p>${childrenInWords(definition)}</p>
${skipped !== undefined && html`<p class="missing">This one is left out: ${marked(skipped)}.</p>`}
<dl>${definition.aggregations.map((total) => html`<dt><bdi>${capitalized(plain(total.parentField))}</bdi></dt><dd>${capitalized(totalInWords(total, definition.childObject))}</dd>`)}</dl></div>`;

// ── Requests ──

function requestsSection({ report, measurements, log, configuration }: PageData): Html {
  const { requests, tookMs } = report;
  const rows = [
    ...Object.entries(requests.byEndpoint).map(([endpoint, number]) => ({ name: html`<bdi>${endpoint}</bdi>`, value: number, text: count(number) })),
    ...(measurements.requests > 0 ? [{ name: 'group-bys of this page', value: measurements.requests, text: count(measurements.requests) }] : []),
  ];
  const throttled = requests.throttled + measurements.throttled;
  const clock = clockIn(configuration.timeZone);
  const runs = inOrder(log?.runs ?? []).toReversed();
  const pastRows = runs.slice(0, MAX_ROWS).map((run) => [run.at ? clock(run.at) : 'not known', run.mode.replaceAll('-', ' '), count(run.requests), count(run.throttled), duration(run.tookMs)]);
  const caption = `The last runs of ${log?.name}`;
  return html`<section aria-labelledby="requests"><h2 id="requests">Requests spent</h2><div class="card">
<p>${count(requests.total + measurements.requests)} requests for this page, ${count(throttled)} of them refused by the rate limit. The comparison took ${duration(tookMs)}${requests.waitedMs >= 1000 && `, with ${duration(requests.waitedMs)} of waiting`}. Reading the data model, and asking the app how it is, costs nothing of the budget.</p>
${barTable('Requests by kind', ['Kind', 'Requests'], rows.toSorted((one, other) => other.value - one.value))}
${log && (pastRows.length > 0 ? html`<h3>Over runs</h3>${scrolled(caption, dataTable(caption, ['Ended', 'Run', 'Requests', 'Refused', 'Time'], pastRows, [2, 3, 4]))}` : html`<p class="missing">${log.name} has no run of the engine.</p>`)}
</div></section>`;
}

// ── The whole ──

function tiles(data: PageData, clock: Clock): Html {
  const { report, measurements, health } = data;
  const tile = (what: string, figure: Content, more: Content, words = false) => html`<li><span class="what">${what}</span><span class="figure${words && ' words'}">${figure}</span><span class="more">${more}</span></li>`;
  const [first] = measurements.giving;
  const [main] = first ? givingByCurrency(first, currentMonth(data, first.groups.at)) : [];
  const why = measurements.missing ?? (first && 'missing' in first.groups ? first.groups.missing : undefined);
  const raised = main
    ? tile('Given in twelve months', money(main.code)(main.giving.lastYear), html`to ${monthName(main.giving.until)}${change(main.giving)}`)
    : tile('Given in twelve months', why ? 'Not known' : 'Nothing yet', why ?? 'There is no giving with a day up to now', true);
  const spread = measurements.spreads.map(shownSpread).find((one) => one !== undefined);
  const having = spread?.distribution;
  const donors = spread
    ? tile(`${capitalized(several(spread.parentObject))} with a ${plain(spread.field)}`, count(having!.counted), parentsOf(spread) === 0 ? `There are no ${several(spread.parentObject)} yet` : `of ${counted(parentsOf(spread), spread.parentObject)}${spread.others.length > 0 ? `, in ${spread.code}` : ''}`)
    : tile('Records with totals', 'Not known', why ?? 'No total could be measured', true);
  const { processed } = report.totals;
  const wrong = report.drift?.parents ?? 0;
  const right = processed > 0 ? tile('Records whose totals are right', percent((processed - wrong) / processed), wrong > 0 ? `${count(wrong)} of ${count(processed)} compared are wrong` : `all of ${count(processed)} compared`) : tile('Records whose totals are right', 'None to compare', report.message ?? 'No record carries a total yet', true);
  const compared = 'missing' in health ? undefined : health.value.compared;
  const fresh = tile('Last complete run of the app', compared ? clock(compared) : 'Not known', 'missing' in health ? capitalized(health.missing) : compared ? 'as the app says' : 'The app has kept none', true);
  return html`<ul class="tiles">${raised}${donors}${right}${fresh}</ul>`;
}

/** The page, and in it what the next one that is written over it is to know. */
export function pageOf(data: PageData): string {
  const clock = clockIn(data.configuration.timeZone);
  const { host } = new URL(data.url);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>Giving and totals of ${host}</title>
<style>STYLE</style>
</head>
<body>
<header><p class="eyebrow">${host}</p><h1>Giving and totals</h1><p class="soft">Measured ${clock(data.comparedAt)} by ${data.source}.</p>${tiles(data, clock)}</header>
<main>
${givingSection(data, clock)}
${spreadSection(data, clock)}
${rightSection(data, clock)}
${changesSection(data)}
${definitionsSection(data)}
${requestsSection(data)}
</main>
<footer><p class="note">Written by twenty-rollups ${data.version} from ${data.url}. It holds amounts and ids of records, and no names; nothing in it leads outside.</p></footer>
KEPT
</body>
</html>
`;
  // Neither goes through a template: a style sheet and a block of data are no HTML text.
  return page.text.replace('STYLE', () => STYLE).replace('\nKEPT\n', () => `\n${keptRuns(data.comparisons)}\n`);
}
