// The engine's functions over one instance of its module, which the glue replaces after a fault.

const describe = (error) =>
  `the engine stopped on a fault of its own, and starts afresh with the next call: ${error?.message ?? error}`;

/** A mistake of the caller has a code, and is no fault of the engine. */
const isMistake = (error) => error instanceof Error && typeof error.code === 'string';

/**
 * @param glue the generated module of wasm-bindgen
 * @param load gives the module's bytes, or the module compiled; called once, by the first call
 */
export function connect(glue, load) {
  const now = (work) => {
    try {
      return glue.askInstance(load, work);
    } catch (error) {
      if (isMistake(error)) throw error;
      throw Object.assign(new Error(describe(error), { cause: error }), { code: 'engine_trap' });
    }
  };

  return {
    async calculateRollups(payload, options) {
      try {
        return await glue.callInstance(load, () => glue.calculate_rollups(payload, options));
      } catch (error) {
        if (isMistake(error)) throw error;
        return { status: 'error', code: 'engine_trap', message: describe(error) };
      }
    },

    computeTotals: (definition, records, options) => now(() => glue.compute_totals(definition, records, options)),

    validateDefinitions: (definitions) => now(() => glue.validate_definitions(definitions)),
  };
}
