// The engine's entries in the lines of a log.

/** A line that is longer is none of the engine's. */
export const MAX_LINE = 1_000_000;

export type Entry = Record<string, unknown> & { level: string; event: string };

/** The engine's entry in a line, behind whatever stands before it. */
export function entryIn(line: string): Entry | undefined {
  const start = line.indexOf('{"');
  if (start < 0 || line.length > MAX_LINE) return undefined;
  try {
    const entry = JSON.parse(line.slice(start, line.lastIndexOf('}') + 1));
    return typeof entry?.level === 'string' && typeof entry.event === 'string' ? entry : undefined;
  } catch {
    return undefined;
  }
}
