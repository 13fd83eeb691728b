// The objects of the workspace, with the kinds of their fields. Calls for the data model are free of the rate limit.

import { readBounded } from '../../read-bounded.js';
import type { Context } from '../context.js';
import { maxBytesOf } from '../settings.js';

const TIMEOUT_MS = 20_000;

export interface ObjectInfo {
  plural: string;
  /** Types by the names of the fields. */
  fields: Map<string, string>;
}

interface Page {
  data?: MetadataObject[] | { objects?: MetadataObject[] };
  messages?: string[];
  pageInfo?: { hasNextPage?: boolean; endCursor?: string };
}

interface MetadataObject {
  nameSingular?: string;
  namePlural?: string;
  isActive?: boolean;
  fields?: { name?: string; type?: string; isActive?: boolean }[];
}

/** @throws {Error} if the token may not read them */
export async function readObjects({ settings, fetch }: Context): Promise<Map<string, ObjectInfo>> {
  const objects = new Map<string, ObjectInfo>();
  for (let after: string | undefined; ; ) {
    const query = new URLSearchParams({ limit: '200', ...(after && { starting_after: after }) });
    const response = await fetch(`${settings.url}/rest/metadata/objects?${query}`, {
      headers: { authorization: `Bearer ${settings.token}`, accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer: Page = JSON.parse(await readBounded(response, maxBytesOf(settings)));
    const page = Array.isArray(answer.data) ? answer.data : answer.data?.objects;
    if (!response.ok || !page) throw new Error(`the token may not read the data model: ${answer.messages?.[0] ?? response.status}`);
    for (const { nameSingular = '', namePlural = '', isActive, fields = [] } of page) {
      if (isActive === false) continue;
      const active = fields.filter((field) => field.isActive !== false);
      objects.set(nameSingular, { plural: namePlural, fields: new Map(active.map(({ name = '', type = '' }) => [name, type])) });
    }
    const next = answer.pageInfo?.hasNextPage ? answer.pageInfo.endCursor : undefined;
    if (!next || next === after) return objects;
    after = next;
  }
}
