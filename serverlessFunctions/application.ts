import { defineApplication } from 'twenty-sdk/define';

export default defineApplication({
  universalIdentifier: '6b93a01f-382b-49fe-bd31-54db70b238ac',
  displayName: 'Rollups',
  description:
    'Keeps totals on people, households, companies, appeals, agreements and payouts right: lifetime giving, this year, first and last gift, raised per appeal.',
  applicationVariables: {
    ROLLUP_ENGINE_CONFIG: {
      universalIdentifier: 'f2d860a1-4e02-4b47-bd0f-d8210e55719e',
      description:
        'The rollup definitions and options as JSON (the contents of rollups.json). Empty means the built-in definitions.',
      value: '',
      isSecret: false,
    },
    ROLLUP_ENGINE_REQUESTS_PER_MINUTE: {
      universalIdentifier: 'a5d52d72-427e-45b8-bb65-345d009a70c0',
      description:
        'How many requests a minute the engine may send to this workspace. Empty means the engine’s own careful figure.',
      value: '',
      isSecret: false,
    },
  },
});
