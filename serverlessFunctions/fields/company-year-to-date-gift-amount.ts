import { defineField, FieldType } from 'twenty-sdk/define';

import { COMPANY } from '../objects';
import { totalField } from '../sdk-features';

export default defineField({
  ...totalField,
  universalIdentifier: 'bc20b6fd-f15c-4ce4-b4c4-9259d3977a2d',
  objectUniversalIdentifier: COMPANY,
  type: FieldType.CURRENCY,
  name: 'yearToDateGiftAmount',
  label: 'Year to date gift amount',
  description: 'Gifts since the year began, added up; a gift in an open dispute counts until it is lost; kept by the rollup engine',
  icon: 'IconCoins',
});
