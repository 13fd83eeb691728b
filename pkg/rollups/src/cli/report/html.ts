// HTML from templates. Whatever is put into a template is escaped, unless a template made it.

/** A piece of a page that may be put into another as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

export type Content = Html | string | number | null | undefined | false | readonly Content[];

const ESCAPED: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Control characters, which a page may not have, and those that turn the direction of what stands behind them. */
const UNWANTED = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069\uFFFE\uFFFF]/g;

export const escaped = (value: string | number): string =>
  String(value).replace(/\p{Surrogate}/gu, '\uFFFD').replace(UNWANTED, '').replace(/[&<>"']/g, (character) => ESCAPED[character]!);

const rendered = (content: Content): string => {
  if (content instanceof Html) return content.text;
  if (content === null || content === undefined || content === false) return '';
  return typeof content === 'object' ? content.map(rendered).join('') : escaped(content);
};

/** A template; its values belong into texts and quoted attributes, nowhere else. */
export const html = (strings: TemplateStringsArray, ...values: Content[]): Html =>
  new Html(strings.reduce((text, string, index) => text + rendered(values[index - 1]) + string));
