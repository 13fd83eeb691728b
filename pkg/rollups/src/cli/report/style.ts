// The looks of the page: light and dark, wide and narrow, on paper.

export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #f6f4ef; --card: #fffdfa; --ink: #1d2a2b; --soft: #566463; --faint: #e4e0d6;
  --accent: #0b6b61; --accent-soft: #d5e8e3; --mark: #16877a; --warn: #9a4a00; --warn-soft: #fbe9d3; --good: #1c6b3c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #111817; --card: #19211f; --ink: #e9efec; --soft: #a3b1ad; --faint: #2c3836;
    --accent: #6fd0c0; --accent-soft: #1d3a35; --mark: #45b3a3; --warn: #f0b37a; --warn-soft: #3b2a17; --good: #83d6a1;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header, main, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 3.2rem; }
h1, h2, h3, h4 { line-height: 1.2; margin: 0; font-weight: 650; letter-spacing: -0.012em; text-wrap: balance; }
h1 { font-size: clamp(2rem, 1.4rem + 2.6vw, 3rem); letter-spacing: -0.025em; }
h2 { font-size: 1.5rem; }
h3, h4 { font-size: 1.05rem; letter-spacing: 0; }
h3.group { font-size: 1.15rem; margin-top: 1.6rem; }
h3.group .soft { font-weight: 400; margin-left: 0.3rem; }
section > .grid + .soft { margin-top: 1.2rem; }
h3.group + .grid { margin-top: 0.8rem; }
code { font: 0.9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
p { margin: 0.4rem 0 0; max-width: 68ch; }
.eyebrow { color: var(--accent); font-weight: 600; margin: 0 0 0.5rem; overflow-wrap: anywhere; }
.soft, figcaption, caption { color: var(--soft); }
.note { font-size: 0.9rem; color: var(--soft); }
.missing { margin-top: 0.8rem; padding: 0.7rem 1rem; border-left: 4px solid var(--warn); background: var(--warn-soft); border-radius: 0 0.4rem 0.4rem 0; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1rem; margin: 2rem 0 0; padding: 0; list-style: none; }
.tiles li, .card { background: var(--card); border: 1px solid var(--faint); border-radius: 0.8rem; padding: 1.2rem 1.3rem; }
.tiles li { display: flex; flex-direction: column; min-width: 0; }
.tiles .what { font-size: 0.9rem; color: var(--soft); }
.tiles .figure { font-size: 1.9rem; font-weight: 650; letter-spacing: -0.02em; line-height: 1.25; margin: 0.15rem 0 0.2rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.tiles .figure.words { font-size: 1.25rem; line-height: 1.35; padding: 0.3rem 0; }
.tiles .more { font-size: 0.88rem; color: var(--soft); overflow-wrap: anywhere; }
.up, .good { color: var(--good); font-weight: 600; }
.down, .bad { color: var(--warn); font-weight: 600; }
section { margin-top: 3rem; }
section > .card, section > .grid { margin-top: 1.1rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)); gap: 1rem; }
figure { margin: 0; min-width: 0; }
.card figure + figure, .card > * + h3 { margin-top: 1.8rem; }
figcaption { font-size: 0.9rem; margin-top: 0.2rem; }
svg { display: block; width: 100%; height: auto; margin-top: 0.6rem; font: 12px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; font-variant-numeric: tabular-nums; }
svg.narrow { display: none; }
svg text { fill: var(--soft); }
svg .value { text-anchor: end; }
svg .tick { text-anchor: middle; }
svg .tick.last { text-anchor: end; }
svg .grid { stroke: var(--faint); }
svg .base { stroke: var(--soft); }
svg .mark { fill: var(--mark); }
svg .mark.faint { fill: var(--accent-soft); stroke: var(--mark); stroke-dasharray: 3 2; }
svg .hit { fill: transparent; }
svg g:hover > .mark { fill: var(--accent); }
svg .line { fill: none; stroke: var(--mark); stroke-width: 2.5; stroke-linejoin: round; }
svg .area { fill: var(--accent-soft); }
svg .dot { fill: var(--card); stroke: var(--mark); stroke-width: 2.5; }
details { margin-top: 0.7rem; font-size: 0.9rem; }
summary { cursor: pointer; color: var(--accent); width: fit-content; border-radius: 0.2rem; }
summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }
.scroll { overflow-x: auto; max-width: 100%; }
.scroll:focus-visible { outline: 2px solid var(--accent); }
table { border-collapse: collapse; width: 100%; margin-top: 0.6rem; font-size: 0.92rem; }
caption { text-align: left; padding-bottom: 0.3rem; }
th, td { text-align: left; padding: 0.42rem 0.9rem 0.42rem 0; border-bottom: 1px solid var(--faint); vertical-align: top; }
th { font-weight: 600; }
thead th { color: var(--soft); font-weight: 500; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.id { font: 0.82rem ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.share { width: 34%; min-width: 3rem; }
.bars th { overflow-wrap: anywhere; font-weight: 500; }
.bars .number { white-space: normal; }
.share span { display: block; height: 0.75rem; margin-top: 0.35rem; border-radius: 0.2rem; background: var(--mark); min-width: 2px; }
dl { margin: 0.9rem 0 0; display: grid; grid-template-columns: minmax(10rem, 1fr) 2.4fr; gap: 0 1.2rem; }
dt, dd { margin: 0; padding: 0.5rem 0; border-top: 1px solid var(--faint); overflow-wrap: anywhere; }
dt { font-weight: 600; }
ul.plain { margin: 0.6rem 0 0; padding-left: 1.2rem; }
ul.plain li { overflow-wrap: anywhere; margin-top: 0.25rem; }
footer { margin-top: 3.5rem; padding-bottom: 3rem; }
footer p { border-top: 1px solid var(--faint); padding-top: 1rem; }
@media (max-width: 62rem) {
  .tiles { grid-template-columns: 1fr 1fr; }
}
@media (max-width: 40rem) {
  header, main, footer { padding-left: 1rem; padding-right: 1rem; }
  header { padding-top: 2rem; }
  svg.wide { display: none; }
  svg.narrow { display: block; }
  .tiles { gap: 0.7rem; }
  .tiles li, .card { padding: 0.9rem 1rem; }
  .tiles .figure { font-size: 1.45rem; }
  .tiles .figure.words { font-size: 1.05rem; }
  dl { grid-template-columns: 1fr; }
  dd { border-top: 0; padding-top: 0; }
}
@media print {
  :root { color-scheme: light; --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --faint: #ccc; --accent: #00514a; --accent-soft: #dcecea; --mark: #2a7d74; --warn: #7a3a00; --warn-soft: #fff; --good: #14532d; }
  body { font-size: 10.5pt; }
  header { padding-top: 0; }
  svg.wide { display: block; }
  svg.narrow { display: none; }
  svg .mark, svg .area, .share span { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  figure, .tiles li, tr, dl > * { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  details:not([open]) { display: none; }
}
`;
