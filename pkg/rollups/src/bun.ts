// Bun: as in Node. An import of the `.wasm` would give its path.

export { builtInDefinitions, calculateRollups, computeTotals, missingFields, validateDefinitions } from './node.js';
