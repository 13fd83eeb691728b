// The engine's functions over one instance of its module, and the replacing of that instance when it breaks.
//
// A bug of the engine ends as an exception out of WebAssembly, and leaves the instance's memory in an unknown state. So
// the instance is replaced at once: `__wbg_reset_state` of the glue puts a fresh instance of the same compiled module
// in its place, in every runtime, also where compiling is forbidden. Calls that were waiting in the old instance end
// with an error of their own when they next wake, and are answered in the same way.
//
// A mistake of the caller is an Error with a `code` and breaks nothing. That is how the two are told apart.

const isMistake = (error) => error instanceof Error && typeof error.code === 'string';

const describe = (error) =>
  `the engine stopped on a fault of its own, and starts afresh with the next call: ${error?.message ?? error}`;

/**
 * @param glue the generated module of wasm-bindgen
 * @param load gives the module's bytes, or the module compiled; called once, by the first call
 */
export function connect(glue, load) {
  // The living instance's number; 0 while there is none.
  let living = 0;

  const enter = () => {
    if (living === 0) {
      glue.initSync({ module: load() });
      living = 1;
    }
    return living;
  };

  const replace = (instance) => {
    // Of several calls that one fault ends, the first has replaced the instance already.
    if (instance !== living) return;
    glue.__wbg_reset_state();
    living += 1;
  };

  const now = (work) => {
    const instance = enter();
    try {
      return work();
    } catch (error) {
      if (isMistake(error)) throw error;
      replace(instance);
      throw Object.assign(new Error(describe(error), { cause: error }), { code: 'engine_trap' });
    }
  };

  return {
    async calculateRollups(payload, options) {
      const instance = enter();
      try {
        return await glue.calculate_rollups(payload, options);
      } catch (error) {
        if (isMistake(error)) throw error;
        replace(instance);
        return { status: 'error', code: 'engine_trap', message: describe(error) };
      }
    },

    computeTotals: (definition, records, options) => now(() => glue.compute_totals(definition, records, options)),

    validateDefinitions: (definitions) => now(() => glue.validate_definitions(definitions)),
  };
}
