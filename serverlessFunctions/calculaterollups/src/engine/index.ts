/**
 * The engine, its module carried inside this bundle as text. How its one instance is made, kept for as long as the process
 * lives, and replaced after a fault, is the npm package's business: `build.sh` puts that file beside this one.
 */
import { connect } from './api.generated.js';
import * as glue from './glue.generated.js';
import { WASM_BASE64 } from './wasm.generated';

const engine = connect(glue, () => Buffer.from(WASM_BASE64, 'base64'));

/** Runs the engine. The answer is plain JSON; only misuse of the call throws. */
export const calculateRollups = (payload: unknown, options: object): Promise<object> =>
  engine.calculateRollups(payload, options);
