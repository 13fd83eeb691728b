/**
 * Holds the engine's one instance, made on the first call and kept for as long as the process lives (Twenty's Lambda
 * executor keeps an imported module between calls). It decides nothing about rollups.
 *
 * A bug in the engine is a trap, and rejects the call's promise. It leaves the instance's memory in an unknown state,
 * so the instance is given up, the answer says `engine_trap`, and the next call starts with a fresh one.
 */
import { __wbg_reset_state, calculate_rollups, initSync } from './glue.generated.js';
import { WASM_BASE64 } from './wasm.generated';

let instance: 'absent' | 'live' | 'poisoned' = 'absent';

const revive = (): void => {
  if (instance === 'absent') initSync({ module: new WebAssembly.Module(Buffer.from(WASM_BASE64, 'base64')) });
  // `initSync` does nothing once an instance exists; the reset puts a new instance of the same module in its place.
  if (instance === 'poisoned') __wbg_reset_state();
  instance = 'live';
};

/** V8 reports an exhausted stack, also inside wasm, as a RangeError. */
const isTrap = (error: unknown): error is Error =>
  error instanceof WebAssembly.RuntimeError || error instanceof RangeError;

/** Runs the engine. The answer is plain JSON; only misuse of the call throws. */
export const calculateRollups = async (payload: unknown, options: object): Promise<object> => {
  try {
    revive();
    return await calculate_rollups(payload, options);
  } catch (error) {
    if (!isTrap(error)) throw error;
    if (instance === 'live') instance = 'poisoned';
    return { status: 'error', code: 'engine_trap', message: error.message };
  }
};
