import { defineField, FieldType } from 'twenty-sdk/define';

import { PERSON } from '../objects';
import { totalField } from '../sdk-features';

export default defineField({
  ...totalField,
  universalIdentifier: '29a451f5-3a2c-4f37-90c9-ed6940f06124',
  objectUniversalIdentifier: PERSON,
  type: FieldType.CURRENCY,
  name: 'yearToDateGiftAmount',
  label: 'Year to date gift amount',
  description: 'Gifts since the year began, added up; a gift in an open dispute counts until it is lost; kept by the rollup engine',
  icon: 'IconCoins',
});
