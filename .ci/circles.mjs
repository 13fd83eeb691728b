#!/usr/bin/env node
// Finds circles of module files inside each crate: `node .ci/circles.mjs [--exempt crate,crate] [folder …]`.
//
// A file depends on another where its code, outside `#[cfg(test)]`, names an item of the other file: in a `use`, in a path
// (`crate::json::at(…)`), or by calling a method on `self` that the other file's `impl` of the same type defines. Re-exports
// are followed to the file that defines the item. Declaring a child (`mod child;`) is no dependency, so a parent that only declares
// its children may be used by them; a parent that also uses or re-exports the items of a child that uses the parent's is a circle.
//
// The exit code is 1 if a crate has a circle, or if an exempt crate has none (then it must leave the list).

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

// ---------------------------------------------------------------------------------------------------------------- tokens

const TOKEN = new RegExp(
  [
    String.raw`\/\/[^\n]*`, // line comment
    String.raw`\/\*`, // block comment, which may nest
    String.raw`[bc]?r(#*)"[\s\S]*?"\1`, // raw string
    String.raw`[bc]?"(?:[^"\\]|\\[\s\S])*"`, // string
    String.raw`b?'(?:[^'\\\n]|\\(?:u\{[^}]*\}|x..|.))'`, // character
    String.raw`'[A-Za-z_]\w*`, // lifetime
    String.raw`r#[A-Za-z_]\w*|[A-Za-z_]\w*`, // identifier
    String.raw`[0-9]\w*(?:\.[0-9]\w*)?`, // number
    String.raw`::|=>|->`,
    String.raw`[^\s\w]`,
  ].join('|'),
  'gu',
);

/** The tokens of a Rust source that mean something here: no comments, no strings, no characters, no lifetimes. */
export function tokenize(source) {
  const tokens = [];
  let line = 1;
  let counted = 0;
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(source); match; match = TOKEN.exec(source)) {
    const [text] = match;
    for (; counted < match.index; counted += 1) if (source[counted] === '\n') line += 1;
    if (text === '/*') {
      TOKEN.lastIndex = endOfBlockComment(source, match.index);
    } else if (/^[A-Za-z_]/.test(text) && !/["']/.test(text)) {
      tokens.push({ text: text.replace(/^r#/, ''), line, name: true });
    } else if (!/^(?:\/\/|[bcr]*#*["']|')/.test(text)) {
      tokens.push({ text, line, name: false });
    }
  }
  return tokens;
}

function endOfBlockComment(source, start) {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = start;
  let depth = 0;
  for (let match = edge.exec(source); match; match = edge.exec(source)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return source.length;
}

/** The index after the bracket that closes the one at `open`. */
function afterGroup(tokens, open) {
  let depth = 0;
  for (let at = open; at < tokens.length; at += 1) {
    if ('([{'.includes(tokens[at].text)) depth += 1;
    if (')]}'.includes(tokens[at].text)) depth -= 1;
    if (depth === 0) return at + 1;
  }
  return tokens.length;
}

/** The index after the item that begins at `start`: its `;` or its block. */
function afterItem(tokens, start) {
  let at = start;
  while (at < tokens.length) {
    const { text } = tokens[at];
    if (text === ';') return at + 1;
    if (text === '{') return afterGroup(tokens, at);
    at = text === '(' || text === '[' ? afterGroup(tokens, at) : at + 1;
  }
  return at;
}

/** Whether the attribute whose `[` stands at `open` keeps an item to tests. */
function isForTests(tokens, open) {
  const words = tokens.slice(open + 1, afterGroup(tokens, open) - 1).map((token) => token.text);
  if (words.join('') === 'test') return true;
  return words[0] === 'cfg' && words.includes('test') && !words.includes('not') && !words.includes('any');
}

/** The tokens without the items that only tests compile. */
export function withoutTests(tokens) {
  const kept = [];
  for (let at = 0; at < tokens.length; ) {
    if (tokens[at].text === '#' && tokens[at + 1]?.text === '[' && isForTests(tokens, at + 1)) {
      at = afterGroup(tokens, at + 1);
      while (tokens[at]?.text === '#') at = afterGroup(tokens, at + 1);
      at = afterItem(tokens, at);
    } else {
      kept.push(tokens[at]);
      at += 1;
    }
  }
  return kept;
}

// --------------------------------------------------------------------------------------------------------------- modules

const ITEMS = new Set(['fn', 'struct', 'enum', 'union', 'trait', 'const', 'static', 'type', 'macro_rules']);

/** One module: its file, its children, what its `use` lines name, what it defines, and the paths in its code. */
function emptyModule(path, file, parent) {
  return { path, file, parent, children: new Map(), imports: [], items: new Set(), paths: [], methods: [], selfCalls: [] };
}

function loadModule(path, file, childFolder, parent) {
  const module = emptyModule(path, file, parent);
  readItems(module, withoutTests(tokenize(readFileSync(file, 'utf8'))), childFolder);
  return module;
}

function readItems(module, tokens, childFolder) {
  /** The type whose `impl` the reader stands in, and where that ends. */
  let implemented = { type: null, end: 0 };
  let depth = 0;
  for (let at = 0; at < tokens.length; at += 1) {
    const { text, line, name } = tokens[at];
    const before = tokens[at - 1]?.text;
    const after = tokens[at + 1];
    if (text === '{') depth += 1;
    if (text === '}') depth -= 1;
    if (!name || before === '.') {
      if (name && tokens[at - 2]?.text === 'self' && (after?.text === '(' || after?.text === '::') && at < implemented.end)
        module.selfCalls.push({ type: implemented.type, method: text, line });
      continue;
    }
    if (text === 'mod' && after?.name) {
      at = readChild(module, tokens, at, childFolder);
    } else if (text === 'use' && before !== '::') {
      const end = afterUse(tokens, at);
      module.imports.push(...readUse(tokens.slice(at + 1, end - 1), [], line));
      at = end - 1;
    } else if (text === 'impl' && depth === 0 && [undefined, ';', '}', ']', 'unsafe'].includes(before)) {
      implemented = readImpl(tokens, at);
    } else if (ITEMS.has(text)) {
      const named = text === 'macro_rules' ? tokens[at + 2] : after;
      if (depth === 0 && named?.name) module.items.add(named.text);
      if (text === 'fn' && depth === 1 && at < implemented.end && implemented.inherent && named?.name)
        module.methods.push({ type: implemented.type, method: named.text });
    } else if (after?.text === '::' && before !== '::') {
      const segments = [text];
      let next = at + 1;
      while (tokens[next]?.text === '::' && tokens[next + 1]?.name) {
        segments.push(tokens[next + 1].text);
        next += 2;
      }
      if (segments.length > 1) module.paths.push({ segments, line });
      at = next - 1;
    }
  }
}

function afterUse(tokens, start) {
  let at = start;
  while (at < tokens.length && tokens[at].text !== ';') at += 1;
  return at + 1;
}

/** Reads `mod child;` from its file, or `mod child { … }` in place; answers the index of the last token read. */
function readChild(module, tokens, at, childFolder) {
  const child = tokens[at + 1].text;
  const path = [...module.path, child];
  if (tokens[at + 2]?.text === '{') {
    const end = afterGroup(tokens, at + 2);
    const inline = emptyModule(path, module.file, module);
    readItems(inline, tokens.slice(at + 3, end - 1), join(childFolder, child));
    module.children.set(child, inline);
    return end - 1;
  }
  if (tokens[at + 2]?.text === ';') {
    const files = [join(childFolder, `${child}.rs`), join(childFolder, child, 'mod.rs')];
    const file = files.find((candidate) => existsSync(candidate));
    if (!file) throw new Error(`${module.file}: no file for mod ${child}`);
    module.children.set(child, loadModule(path, file, join(childFolder, child), module));
  }
  return at + 2;
}

/** The type that an `impl` is for, and the index where its block ends. */
function readImpl(tokens, start) {
  let angles = 0;
  let type = null;
  let inherent = true;
  for (let at = start + 1; at < tokens.length; at += 1) {
    const { text, name } = tokens[at];
    if (text === '{') return { type, inherent, end: afterGroup(tokens, at) };
    if (text === '<') angles += 1;
    if (text === '>') angles -= 1;
    if (angles > 0) continue;
    if (text === 'for') inherent = false;
    if (text === 'where') {
      while (tokens[at + 1] && tokens[at + 1].text !== '{') at += 1;
    } else if (name && text !== 'for') {
      type = text;
    }
  }
  return { type: null, inherent, end: start };
}

/** The paths of one `use` tree: `a::{self, b as c, d::*}`. */
function readUse(tokens, prefix, line) {
  const found = [];
  let segments = [...prefix];
  let alias = null;
  const finish = () => {
    if (segments.length > prefix.length || alias) {
      const path = segments.at(-1) === 'self' && segments.length > 1 ? segments.slice(0, -1) : segments;
      const glob = path.at(-1) === '*';
      found.push({ segments: glob ? path.slice(0, -1) : path, glob, alias: alias ?? path.at(-1), line });
    }
    segments = [...prefix];
    alias = null;
  };
  for (let at = 0; at < tokens.length; at += 1) {
    const { text, name } = tokens[at];
    if (text === '{') {
      const end = afterGroup(tokens, at);
      found.push(...readUse(tokens.slice(at + 1, end - 1), segments, tokens[at].line));
      segments = [...prefix];
      at = end - 1;
    } else if (text === ',') {
      finish();
    } else if (text === 'as') {
      alias = tokens[at + 1].text;
      at += 1;
    } else if (name || text === '*') {
      segments.push(text);
    }
  }
  finish();
  return found;
}

// ------------------------------------------------------------------------------------------------------------ resolution

/** The file that defines what a path names, seen from a module; null for what is no item of this crate. */
function resolve(segments, from, root, seen = new Set()) {
  let module = from;
  let at = 0;
  let anchored = false;
  while (['crate', 'self', 'super'].includes(segments[at])) {
    if (segments[at] === 'crate') module = root;
    if (segments[at] === 'super') module = module.parent ?? module;
    anchored = true;
    at += 1;
  }
  if (!anchored && !isInScope(segments[0], from)) return null;
  return descend(segments.slice(at), module, root, seen);
}

function isInScope(name, module) {
  return module.children.has(name) || module.imports.some((use) => !use.glob && use.alias === name);
}

function descend(segments, module, root, seen) {
  if (segments.length === 0) return module;
  const [name, ...rest] = segments;
  const child = module.children.get(name);
  if (child) return descend(rest, child, root, seen);
  const key = `${module.path.join('::')}|${name}`;
  if (seen.has(key)) return module;
  seen.add(key);
  if (module.items.has(name)) return module;
  const use = module.imports.find((each) => !each.glob && each.alias === name);
  if (use) {
    // `use ports::Http` inside the crate that a sibling names `super::Http`: the item is another crate's.
    if (!isOwn(use.segments, module)) return null;
    return resolve([...use.segments, ...rest], module, root, seen);
  }
  for (const glob of module.imports.filter((each) => each.glob && isOwn(each.segments, module))) {
    const source = resolve(glob.segments, module, root, new Set(seen));
    if (source && source !== module && (source.items.has(name) || source.children.has(name)))
      return descend(segments, source, root, seen);
  }
  return module;
}

function isOwn(segments, module) {
  return ['crate', 'self', 'super'].includes(segments[0]) || module.children.has(segments[0]);
}

// ----------------------------------------------------------------------------------------------------------------- graph

function allModules(module) {
  return [module, ...[...module.children.values()].flatMap(allModules)];
}

/** The dependencies between the files of a crate: file → file → the places that make it. */
export function dependencies(rootFile) {
  const root = loadModule([], rootFile, dirname(rootFile), null);
  const modules = allModules(root);
  const graph = new Map(modules.map((module) => [module.file, new Map()]));
  const add = (from, to, why) => {
    if (from === to) return;
    const edges = graph.get(from);
    edges.set(to, [...(edges.get(to) ?? []), why]);
  };
  for (const module of modules) {
    for (const { segments, line } of [...module.imports, ...module.paths]) {
      const target = resolve(segments, module, root);
      if (target) add(module.file, target.file, `${line}: ${segments.join('::')}`);
    }
  }
  const definers = new Map();
  for (const module of modules)
    for (const { type, method } of module.methods) definers.set(`${type}.${method}`, module.file);
  for (const module of modules) {
    for (const { type, method, line } of module.selfCalls) {
      const file = definers.get(`${type}.${method}`);
      if (file) add(module.file, file, `${line}: ${type}.${method}()`);
    }
  }
  return graph;
}

/** The circles of a graph: its strongly connected components of two files and more. */
export function circles(graph) {
  const index = new Map();
  const low = new Map();
  const stack = [];
  const found = [];
  const visit = (node) => {
    index.set(node, index.size);
    low.set(node, index.get(node));
    stack.push(node);
    for (const next of graph.get(node).keys()) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node), low.get(next)));
    }
    if (low.get(node) !== index.get(node)) return;
    const component = stack.splice(stack.indexOf(node));
    if (component.length > 1) found.push(component.sort());
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return found;
}

// --------------------------------------------------------------------------------------------------------------- command

/** The roots of the crates below a folder: `src/lib.rs` and `src/main.rs` beside each Cargo.toml. */
function crateRoots(folder) {
  const roots = [];
  if (existsSync(join(folder, 'Cargo.toml'))) {
    const name = /^name\s*=\s*"([^"]+)"/m.exec(readFileSync(join(folder, 'Cargo.toml'), 'utf8'))?.[1] ?? basename(folder);
    for (const file of ['src/lib.rs', 'src/main.rs'])
      if (existsSync(join(folder, file))) roots.push({ name, file: join(folder, file) });
  }
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory() && !['src', 'target', 'tests', 'node_modules'].includes(entry.name))
      roots.push(...crateRoots(join(folder, entry.name)));
  return roots;
}

/** Checks all crates below the folders; answers the lines to print and whether all is well. */
export function check(folders, exempt = []) {
  const lines = [];
  let isWell = true;
  const circular = new Set();
  for (const { name, file } of folders.flatMap(crateRoots)) {
    const graph = dependencies(file);
    const short = (path) => relative(dirname(file), path);
    for (const component of circles(graph)) {
      circular.add(name);
      if (exempt.includes(name)) continue;
      isWell = false;
      lines.push(`${name}: a circle of ${component.length} files: ${component.map(short).join(', ')}`);
      for (const from of component)
        for (const [to, places] of graph.get(from))
          if (component.includes(to)) lines.push(`  ${short(from)} → ${short(to)}: ${summary(places)}`);
    }
  }
  for (const name of exempt.filter((each) => !circular.has(each))) {
    isWell = false;
    lines.push(`${name} has no circle: take it off the list of exempt crates`);
  }
  return { lines, isWell };
}

function summary(places) {
  const more = places.length > 3 ? `, and ${places.length - 3} more` : '';
  return `line ${places.slice(0, 3).join(', ')}${more}`;
}

function main(words) {
  const at = words.indexOf('--exempt');
  const exempt = at < 0 ? [] : words.splice(at, 2)[1].split(',').filter(Boolean);
  const folders = words.length ? words : [join(dirname(fileURLToPath(import.meta.url)), '..', 'rollup-engine')];
  const { lines, isWell } = check(folders, exempt);
  for (const line of lines) console.log(line);
  process.exitCode = isWell ? 0 : 1;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) main(process.argv.slice(2));
