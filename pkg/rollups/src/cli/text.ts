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
