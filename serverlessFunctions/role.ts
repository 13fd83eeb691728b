import { defineApplicationRole } from 'twenty-sdk/define';

import { CHILD_OBJECTS, PARENT_OBJECTS } from './objects';

const read = { canReadObjectRecords: true };

/**
 * Update covers create, and an upsert of a parent that was destroyed a moment ago leaves a blank record behind. Only
 * a hard delete takes that record away again without a trace, so the right to destroy is given on the parents, and on
 * nothing else. The engine uses it only for a record whose creation its own write caused. The right to soft-delete is
 * not needed.
 */
const keepTotals = { ...read, canUpdateObjectRecords: true, canDestroyObjectRecords: true };

export default defineApplicationRole({
  universalIdentifier: '454b79d8-347b-4b34-a3c3-7da61f375f36',
  label: 'Rollups',
  description:
    'Reads gifts, staged gifts and soft credits; reads people, companies, households, appeals, agreements, payouts and opportunities and writes their totals.',
  canReadAllObjectRecords: false,
  canUpdateAllObjectRecords: false,
  canSoftDeleteAllObjectRecords: false,
  canDestroyAllObjectRecords: false,
  canUpdateAllSettings: false,
  canAccessAllTools: false,
  canBeAssignedToUsers: false,
  canBeAssignedToAgents: false,
  canBeAssignedToApiKeys: false,
  objectPermissions: [
    ...CHILD_OBJECTS.map((objectUniversalIdentifier) => ({ objectUniversalIdentifier, ...read })),
    ...PARENT_OBJECTS.map((objectUniversalIdentifier) => ({ objectUniversalIdentifier, ...keepTotals })),
  ],
});
