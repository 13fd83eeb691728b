import { defineField, FieldType } from 'twenty-sdk/define';

import { PERSON } from '../objects';
import { totalField } from '../sdk-features';

export default defineField({
  ...totalField,
  universalIdentifier: '3d9d9673-97b0-4733-89d9-c718414f24dd',
  objectUniversalIdentifier: PERSON,
  type: FieldType.NUMBER,
  name: 'yearToDateGiftCount',
  label: 'Year to date gift count',
  description: 'How many gifts were given since the year began; a gift in an open dispute counts until it is lost; kept by the rollup engine',
  icon: 'IconHash',
});
