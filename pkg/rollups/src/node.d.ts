export { calculateRollups, computeTotals, validateDefinitions } from './index.js';
