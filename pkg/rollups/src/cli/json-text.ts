// JSON as a person wrote it: what is wrong with it, and where.

import { type ParseError, findNodeAtLocation, parse, parseTree, printParseErrorCode } from 'jsonc-parser';

/** What each fault of the syntax means. */
const FAULTS: Record<string, string> = {
  InvalidSymbol: 'this is no value: texts and keys stand in double quotes',
  InvalidNumberFormat: 'this is no number',
  PropertyNameExpected: 'expected a key in double quotes',
  ValueExpected: 'expected a value',
  ColonExpected: 'expected a colon after the key',
  CommaExpected: 'expected a comma before this',
  CloseBraceExpected: 'expected } at the end of the object',
  CloseBracketExpected: 'expected ] at the end of the list',
  EndOfFileExpected: 'expected nothing after the end of the document',
  InvalidCommentToken: 'JSON has no comments',
  UnexpectedEndOfComment: 'JSON has no comments',
  UnexpectedEndOfString: 'the text has no closing quotes on this line',
  UnexpectedEndOfNumber: 'the number breaks off',
  InvalidUnicode: 'expected four hexadecimal digits after \\u',
  InvalidEscapeCharacter: 'after a backslash expected one of " \\ / b f n r t u',
  InvalidCharacter: 'a text holds a line break or another control character',
};

/** Line and column, both from 1, as editors have them. */
export function positionOf(text: string, offset: number): string {
  const before = text.slice(0, offset);
  return `${before.split('\n').length}:${offset - before.lastIndexOf('\n')}`;
}

/** What is wrong with a text that is no JSON, with line and column. */
export function syntaxFault(text: string): string {
  const errors: ParseError[] = [];
  parse(text, errors, { disallowComments: true });
  // Where something is missing, the parser sees it at what comes instead; of several faults the first one causes the others.
  const [first] = errors;
  if (!first) return 'it is not JSON';
  const offset = text.slice(first.offset).trim() === '' ? text.trimEnd().length : first.offset;
  return `line ${positionOf(text, offset).replace(':', ', column ')}: ${FAULTS[printParseErrorCode(first.error)] ?? 'this is not JSON'}`;
}

/**
 * Where in the text of a configuration, or of a file of test cases, a fault is that is named by its place.
 *
 * @param place `definition 2, aggregation 0, parentField`
 * @returns line and column; nothing if the place cannot be found
 */
export function positionOfPlace(text: string, place: string): string | undefined {
  const root = parseTree(text);
  if (!root) return undefined;
  const path = place.split(/, |\.(?=\w)/).flatMap((part) => pathOf(part, root.type === 'array'));
  // Of a key that is missing, the thing that it is missing from.
  for (let length = path.length; length > 0; length -= 1) {
    const node = findNodeAtLocation(root, path.slice(0, length));
    if (node) return positionOf(text, node.parent?.type === 'property' ? node.parent.offset : node.offset);
  }
  return undefined;
}

/** Lists whose entries are named in the singular. */
const LISTS: Record<string, string> = { definition: 'definitions', aggregation: 'aggregations', case: 'cases' };

/** The keys and numbers that a part of a place stands for. */
function pathOf(part: string, isList: boolean): (string | number)[] {
  const [, word = part, digits] = /^(\w+) (\d+)$/.exec(part) ?? [];
  const list = word === 'definition' && isList ? [] : [LISTS[word] ?? word];
  return digits === undefined ? list : [...list, Number(digits)];
}
