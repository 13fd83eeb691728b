import { defineField, FieldType } from 'twenty-sdk/define';

import { COMPANY } from '../objects';
import { totalField } from '../sdk-features';

export default defineField({
  ...totalField,
  universalIdentifier: '14099063-c56d-4619-ad47-7d950bbb82c7',
  objectUniversalIdentifier: COMPANY,
  type: FieldType.CURRENCY,
  name: 'lifetimeGiftAmount',
  label: 'Lifetime gift amount',
  description: 'All gifts added up; a gift in an open dispute counts until it is lost; kept by the rollup engine',
  icon: 'IconCoins',
});
