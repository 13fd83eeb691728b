/**
 * When the app's functions run by themselves. Twenty reads a cron's pattern from the built app, so a schedule is an option
 * of the build; each option becomes constants that the functions import.
 */

/** Patterns by name of the option; `off` for none. */
export const DEFAULTS = { nightly: '0 2 * * *', sweep: '*/15 * * * *', rebuild: 'off' };

const LIMITS = [[0, 59], [0, 23], [1, 31], [1, 12], [0, 7]];
const PART = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/;

const fits = (field, [least, most]) =>
  field.split(',').every((part) => {
    const found = PART.exec(part);
    if (!found || found[3] === '0') return false;
    const ends = found.slice(1, 3).filter(Boolean).map(Number);
    return ends.every((end) => end >= least && end <= most) && (ends.length < 2 || ends[0] <= ends[1]);
  });

/** What is wrong with a pattern; undefined if nothing is. */
export const scheduleFault = (pattern) => {
  const fields = pattern.split(' ');
  if (pattern === 'off' || (fields.length === 5 && fields.every((field, n) => fits(field, LIMITS[n])))) return undefined;
  return `found \`${pattern}\`, expected \`off\` or minute, hour, day, month and day of the week, such as \`${DEFAULTS.sweep}\``;
};

/** Seconds over which the workspaces of a server are spread: from one tick to the next, and an hour at most. */
export const spreadSeconds = (pattern) => {
  const every = /^\*(?:\/(\d+))? \* /.exec(pattern);
  return (every ? Math.min(Number(every[1] ?? 1), 60) : 60) * 60;
};

/** The source of `schedules.generated.ts`. */
export const sourceOf = (schedules) => {
  const lines = ['/** When the functions run by themselves: written by build.mjs, from its options. */'];
  for (const [name, pattern] of Object.entries(schedules)) {
    const on = pattern !== 'off';
    lines.push(`export const ${name.toUpperCase()} = ${on ? `{ cronTriggerSettings: { pattern: '${pattern}' } }` : '{}'};`);
    lines.push(`export const ${name.toUpperCase()}_SPREAD_SECONDS = ${on ? spreadSeconds(pattern) : 0};`);
  }
  return `${lines.join('\n')}\n`;
};
