// Values as people read them.

/** `1 parent`, `2,357 parents`. */
export const formatCount = (number: number, noun: string): string => `${formatNumber(number)} ${noun}${number === 1 ? '' : 's'}`;

export const formatNumber = (number: number): string => Number(number).toLocaleString('en-US');

/** Seconds, or minutes where seconds say nothing. */
export const formatDuration = (ms: number): string => {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = seconds / 60;
  return minutes < 120 ? `${Math.round(minutes)} min` : `${(minutes / 60).toFixed(1)} h`;
};

/** A span of time as a clock shows it: `0:35`, `1:02:03`. */
export const formatClock = (ms: number): string => {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  const two = (number: number) => String(number).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60)];
  return hours > 0 ? `${hours}:${two(minutes % 60)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
};

/** An estimate knows no tenths. */
const formatEstimate = (ms: number): string => (ms < 10_000 ? `${Math.max(1, Math.ceil(ms / 1000))} s` : formatDuration(ms));

/** An estimate of the time left, or two of them: `~90 s left`, `60 s–3 min left`. */
export const formatRemaining = (ms: number, atMostMs = ms): string => {
  if (atMostMs < 1000) return 'nearly done';
  const [least, most] = [ms, atMostMs].map(formatEstimate);
  if (least === most) return `~${most} left`;
  return ms < 1000 ? `up to ${most} left` : `${least}–${most} left`;
};

/** Two estimates of a time, as one text: `75 s to 3 min`. */
export const formatRange = (leastSeconds: number, mostSeconds: number): string => {
  const [least, most] = [leastSeconds, mostSeconds].map((seconds) => formatEstimate(seconds * 1000));
  return least === most ? `about ${least}` : `${least} to ${most}`;
};

/**
 * Whole micros as an amount in the currency's main unit, without the detour over floating point. What is no whole number
 * stands as it is: a stored value may be anything, and is shown to be put right.
 */
export const formatAmount = (micros: unknown): string => {
  if (micros === null || micros === undefined) return '';
  const whole = wholeNumber(micros);
  if (whole === undefined) return typeof micros === 'object' ? JSON.stringify(micros) : String(micros);
  const digits = (whole < 0n ? -whole : whole).toString().padStart(7, '0');
  const decimals = digits.slice(-6).replace(/0{1,4}$/, '');
  return `${whole < 0n ? '-' : ''}${digits.slice(0, -6)}.${decimals}`;
};

function wholeNumber(value: unknown): bigint | undefined {
  const isWhole = typeof value === 'bigint' || Number.isInteger(value) || (typeof value === 'string' && /^-?\d+$/.test(value));
  return isWhole ? BigInt(value as bigint | number | string) : undefined;
}

/** A text, or what stands in its place, as JSON. */
const word = (value: unknown): string => (value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value));

export const isMoney = (value: unknown): value is { amountMicros: unknown; currencyCode?: unknown } =>
  typeof value === 'object' && value !== null && 'amountMicros' in value;

/** A total, stored or computed. */
export const formatTotal = (value: unknown): string => {
  if (isMoney(value)) return value.amountMicros === null ? word(value.currencyCode) || '–' : `${formatAmount(value.amountMicros)} ${word(value.currencyCode)}`.trim();
  if (value === null || value === undefined) return '–';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

/**
 * Lines of columns. Names and ids in Twenty are plain letters, so a letter is a column wide.
 *
 * @param rows the first one is the head
 * @param right columns that are aligned to the right
 */
export const table = (rows: string[][], right: number[] = []): string[] => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const cell = (text: string, column: number) => (right.includes(column) ? text.padStart(widths[column]!) : text.padEnd(widths[column]!));
  return rows.map((row) => `  ${row.map(cell).join('  ')}`.trimEnd());
};

/** Columns that everything fits. */
export const WIDTH = 60;

/**
 * A text as lines that fit the width; a word that alone is longer is cut.
 *
 * @param indent columns that stand before each line
 */
export const wrap = (text: string, indent = 0, width = WIDTH): string[] => {
  const room = Math.max(1, width - indent);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    let rest = word;
    if (line && line.length + 1 + rest.length > room) {
      lines.push(line);
      line = '';
    }
    for (; rest.length > room; rest = rest.slice(room)) lines.push(rest.slice(0, room));
    line = line ? `${line} ${rest}` : rest;
  }
  return [...lines, line];
};

/**
 * A table, or where a line of it would not fit the width, a block for each row: its first cell, and the others by their heads.
 *
 * @returns the lines of the head, and those of each row
 */
export const fittedTable = (rows: string[][], right: number[] = []): { head: string[]; rows: string[][] } => {
  const [head = '', ...lines] = table(rows, right);
  if ([head, ...lines].every((line) => line.length <= WIDTH)) return { head: [head], rows: lines.map((line) => [line]) };
  const [names = [], ...cells] = rows;
  const space = Math.max(...names.slice(1).map((name) => name.length));
  const block = ([first = '', ...others]: string[]) => [
    `  ${first}`,
    ...others.flatMap((text, index) => hanging(`    ${(names[index + 1] ?? '').padEnd(space)}  `, text)),
  ];
  return { head: [], rows: cells.map(block) };
};

/** A text behind a label; where it takes several lines, the later ones stand below the first. */
export const hanging = (label: string, text: string): string[] =>
  wrap(text, label.length).map((line, index) => `${index === 0 ? label : ' '.repeat(label.length)}${line}`.trimEnd());
