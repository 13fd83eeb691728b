// Charts as SVG: d3 computes scales and lines, the marks are written here, as there is no DOM.
//
// Each chart comes twice, for a wide and for a narrow window: one drawing that is scaled down cannot be read. Colours are
// those of the page, so that they follow its theme.

import { scaleBand, scaleLinear } from 'd3-scale';
import { area, curveMonotoneX, line } from 'd3-shape';

import { type Html, html } from './html.js';

export interface Column {
  /** What the column stands for, in full. */
  label: string;
  /** The same on the axis; nothing where there is no room or need. */
  tick?: string;
  value: number;
  /** The value in words. */
  text: string;
  /** A value that is not final, or not of the others' kind. */
  faint?: boolean;
}

export interface ChartText {
  /** Names the chart, and is told apart from every other of the page by its id. */
  id: string;
  title: string;
  /** What the chart shows, in words, for screen readers. */
  description: string;
  /** A value on the axis. */
  format: (value: number) => string;
  /** Whether there is nothing between whole numbers. */
  whole?: boolean;
}

interface Size {
  name: 'wide' | 'narrow' | 'any';
  width: number;
  height: number;
}

const SIZES: readonly Size[] = [
  { name: 'wide', width: 960, height: 300 },
  { name: 'narrow', width: 340, height: 220 },
];
/** A chart that is small enough for both. */
const SMALL: readonly Size[] = [{ name: 'any', width: 340, height: 190 }];

const MARGIN = { top: 14, right: 6, bottom: 26 };
const MIN_LEFT = 34;
const TICKS = 4;
/** The most room that a column takes, with the gap beside it. */
const MAX_COLUMN = 72;
/** Room for a letter, with its share of the gap between two texts. */
const LETTER = 8;
const MIN_TICK_SPACE = 46;

const round = (value: number) => Math.round(value * 100) / 100;

/** A drawing with what screen readers say of it. */
function drawing({ id, title, description }: ChartText, { name, width, height }: Size, marks: Html[]): Html {
  const [titleId, descriptionId] = [`${id}-${name}-title`, `${id}-${name}-description`];
  return html`<svg class="${name}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${titleId} ${descriptionId}"><title id="${titleId}">${title}</title><desc id="${descriptionId}">${description}</desc>${marks}</svg>`;
}

interface ValueAxis {
  y: (value: number) => number;
  /** Where the values end and the marks begin. */
  left: number;
  marks: Html[];
}

/** Lines across with the values at their left; the zero is the strongest. */
function valueAxis({ format, whole }: ChartText, { width, height }: Size, least: number, most: number): ValueAxis {
  const y = scaleLinear([least, most || 1], [height - MARGIN.bottom, MARGIN.top]).nice(TICKS);
  const ticks = y.ticks(TICKS).filter((tick) => !whole || Number.isInteger(tick));
  const left = Math.max(MIN_LEFT, Math.max(...ticks.map((tick) => format(tick).length)) * LETTER + 8);
  const marks = ticks.map((tick) => {
    const at = round(y(tick));
    return html`<g aria-hidden="true"><line class="${tick === 0 ? 'base' : 'grid'}" x1="${left}" x2="${width - MARGIN.right}" y1="${at}" y2="${at}"/><text class="value" x="${left - 8}" y="${at + 4}">${format(tick)}</text></g>`;
  });
  return { y, left, marks };
}

/** Ticks that have room beside each other; the last of them goes before the others. */
function spaced<T extends { at: number }>(ticks: T[], space: number): T[] {
  const kept: T[] = [];
  for (const tick of ticks.toReversed()) {
    const next = kept.at(-1);
    if (!next || next.at - tick.at >= space) kept.push(tick);
  }
  return kept.reverse();
}

/** A text below the axis; one that would leave the drawing ends at its edge. */
function tickText({ at, tick }: { at: number; tick: string }, { width, height }: Size): Html {
  const isCut = at + (tick.length * LETTER) / 2 > width;
  return html`<text class="tick${isCut && ' last'}" aria-hidden="true" x="${isCut ? width - 1 : round(at)}" y="${height - 8}">${tick}</text>`;
}

/** Columns beside each other, over or under a zero. */
export function columnChart(text: ChartText, columns: readonly Column[], small = false): Html {
  const draw = (size: Size) => {
    const { width, height } = size;
    const values = columns.map(({ value }) => value);
    const { y, left, marks: lines } = valueAxis(text, size, Math.min(0, ...values), Math.max(0, ...values));
    // A few columns are no wider than many.
    const right = Math.min(width - MARGIN.right, left + columns.length * MAX_COLUMN);
    const x = scaleBand(columns.map((_, index) => index), [left, right]).paddingInner(0.22).paddingOuter(0.1);
    const middle = (index: number) => x(index)! + x.bandwidth() / 2;
    const longest = Math.max(...columns.map(({ tick = '' }) => tick.length));
    const ticks = columns.flatMap(({ tick }, index) => (tick ? [{ at: middle(index), tick }] : []));
    const marks = columns.map(({ label, value, text: said, faint }, index) => {
      const [from, to] = [y(Math.max(0, value)), y(Math.min(0, value))];
      const shape =
        value === 0
          ? null
          : html`<rect class="mark${faint ? ' faint' : ''}" x="${round(x(index)!)}" y="${round(from)}" width="${round(x.bandwidth())}" height="${round(Math.max(to - from, 1))}" rx="${round(Math.min(3, x.bandwidth() / 4))}"/>`;
      // The whole column answers to the pointer, however little of it is filled.
      return html`<g><title>${label}: ${said}</title><rect class="hit" x="${round(x(index)!)}" y="${MARGIN.top}" width="${round(x.bandwidth())}" height="${height - MARGIN.bottom - MARGIN.top}"/>${shape}</g>`;
    });
    const axis = spaced(ticks, Math.max(MIN_TICK_SPACE, longest * LETTER)).map(
      (one) => tickText(one, size),
    );
    return drawing(text, size, [...lines, ...marks, ...axis]);
  };
  return html`${(small ? SMALL : SIZES).map(draw)}`;
}

export interface Point {
  /** Where it stands, from 0 to 1. */
  at: number;
  label: string;
  tick?: string;
  value: number;
  text: string;
}

/** A value over time, with a dot for each that was measured. */
export function lineChart(text: ChartText, points: readonly Point[]): Html {
  const draw = (size: Size) => {
    const { width } = size;
    const { y, left, marks } = valueAxis(text, size, 0, Math.max(1, ...points.map(({ value }) => value)));
    const x = scaleLinear([0, 1], [left + 12, width - MARGIN.right - 12]);
    const place = ({ at, value }: Point): [number, number] => [round(x(at)), round(y(value))];
    const path = line<Point>((point) => place(point)[0], (point) => place(point)[1]).curve(curveMonotoneX)([...points]);
    const below = area<Point>((point) => place(point)[0], y(0), (point) => place(point)[1]).curve(curveMonotoneX)([...points]);
    const dots = points.map((point) => {
      const [cx, cy] = place(point);
      return html`<g><title>${point.label}: ${point.text}</title><circle class="dot" cx="${cx}" cy="${cy}" r="4"/><circle class="hit" cx="${cx}" cy="${cy}" r="12"/></g>`;
    });
    const ticks = points.flatMap(({ at, tick }) => (tick ? [{ at: x(at), tick }] : []));
    const longest = Math.max(...ticks.map(({ tick }) => tick.length));
    const axis = spaced(ticks, Math.max(64, longest * LETTER)).map((one) => tickText(one, size));
    return drawing(text, size, [
      ...marks,
      html`<path class="area" aria-hidden="true" d="${below}"/><path class="line" aria-hidden="true" d="${path}"/>`,
      ...dots,
      ...axis,
    ]);
  };
  return html`${SIZES.map(draw)}`;
}
