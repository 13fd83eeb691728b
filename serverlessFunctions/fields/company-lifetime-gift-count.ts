import { defineField, FieldType } from 'twenty-sdk/define';

import { COMPANY } from '../objects';
import { totalField } from '../sdk-features';

export default defineField({
  ...totalField,
  universalIdentifier: 'f9cee322-3fd7-4193-9094-a5acbaa33119',
  objectUniversalIdentifier: COMPANY,
  type: FieldType.NUMBER,
  name: 'lifetimeGiftCount',
  label: 'Lifetime gift count',
  description: 'How many gifts were given; a gift in an open dispute counts until it is lost; kept by the rollup engine',
  icon: 'IconHash',
});
