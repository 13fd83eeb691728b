/**
 * When in a span of time a workspace has its turn. On a server of many workspaces all crons tick at the same moment and
 * all runs share the app's budget of requests, so each workspace works in a slot of its own, the same one every time.
 */

/** FNV-1a, 32 bits: near ids give far numbers. */
const hash = (text: string): number => {
  let sum = 0x811c9dc5;
  for (const letter of text) sum = Math.imul(sum ^ letter.charCodeAt(0), 0x01000193);
  return sum >>> 0;
};

/** Milliseconds to wait, below `spreadSeconds`; none on servers that do not say which workspace this is. */
export const slotOf = (context: unknown, spreadSeconds: number): number => {
  const { workspaceId } = (context ?? {}) as { workspaceId?: unknown };
  return typeof workspaceId === 'string' && spreadSeconds > 0 ? (hash(workspaceId) % spreadSeconds) * 1000 : 0;
};
