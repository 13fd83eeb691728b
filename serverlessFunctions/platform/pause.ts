/** Whether the app is paused: its configuration is there, and has no definitions. */
export const isPaused = (): boolean => {
  try {
    const config: unknown = JSON.parse(process.env.ROLLUP_ENGINE_CONFIG || 'null');
    const definitions = Array.isArray(config) ? config : (config as { definitions?: unknown } | null)?.definitions;
    return Array.isArray(definitions) && definitions.length === 0;
  } catch {
    // The engine says what is wrong with it.
    return false;
  }
};

/** What every function answers while the app is paused. */
export const PAUSED = { status: 'noop', code: 'paused', message: 'there are no definitions: nothing is computed' };

/** How things stand is told of a paused app too: `{"health":true}` as a payload, or as the body of a request. */
export const asksForHealth = (payload: unknown): boolean => {
  const { health, body } = (payload ?? {}) as { health?: unknown; body?: { health?: unknown } | null };
  return health !== undefined || body?.health !== undefined;
};
