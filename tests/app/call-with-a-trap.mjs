/**
 * Calls a bundle's `main` three times in one process, as a warm Lambda container does, with an engine whose first
 * instance traps: `at-once` on the call, `later` when its promise is driven on. Prints what came back.
 *
 * The engine is the real one. Only the door to its first instance is replaced, because a working engine has no input
 * that makes it trap.
 */
const [bundle, when] = process.argv.slice(2);

let instances = 0;

/** Entered on the call itself, or by the promise's callbacks, which wasm-bindgen exports under names of its own. */
const doors = { 'at-once': /^calculate_rollups$/, later: /closures/ };

const brittle = (exports) => {
  let called = false;
  const guarded = Object.entries(exports).map(([name, value]) => {
    if (typeof value !== 'function') return [name, value];
    const call = (...args) => {
      const first = name === 'calculate_rollups';
      if (doors[when].test(name) && (first || called)) throw new WebAssembly.RuntimeError('unreachable');
      const result = value(...args);
      called ||= first;
      return result;
    };
    return [name, call];
  });
  return Object.fromEntries(guarded);
};

const { Instance } = WebAssembly;
WebAssembly.Instance = function (module, imports) {
  instances += 1;
  const instance = new Instance(module, imports);
  return instances === 1 ? { exports: brittle(instance.exports) } : instance;
};

const { main } = await import(bundle);
const results = [];
for (let call = 0; call < 3; call += 1) results.push(await main({}));
process.stdout.write(JSON.stringify({ results, instances }), () => process.exit(0));
