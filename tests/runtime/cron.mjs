/** Whether a cron pattern has a minute: five fields of numbers, ranges, lists and steps, by the clock of UTC. */

const has = (field, value, least) =>
  field.split(',').some((part) => {
    const [range, step = '1'] = part.split('/');
    const [from, to = part.includes('/') ? Infinity : from] = range === '*' ? [least, Infinity] : range.split('-').map(Number);
    return value >= from && value <= to && (value - from) % Number(step) === 0;
  });

export const ticks = (pattern, date) => {
  const [minute, hour, day, month, weekday] = pattern.split(' ');
  const onDay = has(day, date.getUTCDate(), 1);
  // Sunday is 0, and 7 as well.
  const onWeekday = has(weekday, date.getUTCDay(), 0) || (date.getUTCDay() === 0 && has(weekday, 7, 0));
  // Two restrictions on days widen each other.
  const today = day !== '*' && weekday !== '*' ? onDay || onWeekday : onDay && onWeekday;
  return has(minute, date.getUTCMinutes(), 0) && has(hour, date.getUTCHours(), 0) && has(month, date.getUTCMonth() + 1, 1) && today;
};
