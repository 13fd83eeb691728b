// The engine's functions over one instance of its module, which the glue replaces after a fault.
//
// This file stands alone, as the Twenty app takes it along. The precise types of the functions are in `index.ts`.

/** Gives the module's bytes, or the module compiled; called once, by the first call. */
export type LoadModule = () => BufferSource | WebAssembly.Module;

/** What the generated module of wasm-bindgen has to offer. */
export interface Glue {
  callInstance<T>(load: LoadModule, work: () => Promise<T>): Promise<T>;
  askInstance<T>(load: LoadModule, work: () => T): T;
  calculate_rollups(payload: unknown, options: unknown): Promise<object>;
  compute_totals(definition: unknown, records: unknown, options: unknown): object;
  validate_definitions(definitions: unknown): object;
  missing_fields(configuration: unknown, metadata: unknown): object;
  built_in_definitions(): object[];
}

/** The engine's functions. */
export interface Functions {
  calculateRollups(payload?: unknown, options?: object): Promise<object>;
  computeTotals(definition: object, records: readonly object[] | string, options?: object): object;
  validateDefinitions(definitions: unknown): object;
  missingFields(configuration: unknown, metadata: object): object;
  builtInDefinitions(): object[];
}

const describe = (error: unknown) =>
  `the engine stopped on a fault of its own, and starts afresh with the next call: ${(error as Error | undefined)?.message ?? error}`;

/** A mistake of the caller has a code, and is no fault of the engine. */
const isMistake = (error: unknown) => error instanceof Error && 'code' in error && typeof error.code === 'string';

/** @param glue the generated module of wasm-bindgen */
export function connect<F extends Functions = Functions>(glue: Glue, load: LoadModule): F {
  const ask = <T>(work: () => T): T => {
    try {
      return glue.askInstance(load, work);
    } catch (error) {
      if (isMistake(error)) throw error;
      throw Object.assign(new Error(describe(error), { cause: error }), { code: 'engine_trap' });
    }
  };

  const functions: Functions = {
    async calculateRollups(payload, options) {
      try {
        return await glue.callInstance(load, () => glue.calculate_rollups(payload, options));
      } catch (error) {
        if (isMistake(error)) throw error;
        return { status: 'error', code: 'engine_trap', message: describe(error) };
      }
    },

    computeTotals: (definition, records, options) => ask(() => glue.compute_totals(definition, records, options)),

    validateDefinitions: (definitions) => ask(() => glue.validate_definitions(definitions)),

    missingFields: (configuration, metadata) => ask(() => glue.missing_fields(configuration, metadata)),

    builtInDefinitions: () => ask(() => glue.built_in_definitions()),
  };
  return functions as F;
}
