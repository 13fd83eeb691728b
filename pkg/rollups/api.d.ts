/** What the generated module of wasm-bindgen has to offer. */
export interface Glue {
  callInstance<T>(load: () => WebAssembly.Module | Uint8Array, work: () => Promise<T>): Promise<T>;
  askInstance<T>(load: () => WebAssembly.Module | Uint8Array, work: () => T): T;
  calculate_rollups(payload: any, options: any): Promise<object>;
  compute_totals(definition: any, records: any, options: any): object;
  validate_definitions(definitions: any): object;
}

/**
 * The engine's functions over one instance of its module, which is replaced when it breaks. Their precise types are those
 * of the package, in `index.d.ts`; this file stands alone, as the Twenty app takes it along.
 *
 * @param glue the generated module of wasm-bindgen
 * @param load gives the module's bytes, or the module compiled; called once, by the first call
 */
export function connect(
  glue: Glue,
  load: () => WebAssembly.Module | Uint8Array,
): {
  calculateRollups(payload: unknown, options: object): Promise<object>;
  computeTotals(definition: object, records: object[] | string, options: object): object;
  validateDefinitions(definitions: unknown): object;
};
