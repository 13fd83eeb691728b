import { defineField, FieldType } from 'twenty-sdk/define';

import { COMPANY } from '../objects';
import { totalField } from '../sdk-features';

export default defineField({
  ...totalField,
  universalIdentifier: '58581b19-9dff-4839-a532-ead2f243aa04',
  objectUniversalIdentifier: COMPANY,
  type: FieldType.NUMBER,
  name: 'yearToDateGiftCount',
  label: 'Year to date gift count',
  description: 'How many gifts were given since the year began; a gift in an open dispute counts until it is lost; kept by the rollup engine',
  icon: 'IconHash',
});
