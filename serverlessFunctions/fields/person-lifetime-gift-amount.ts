import { defineField, FieldType } from 'twenty-sdk/define';

import { PERSON } from '../objects';
import { totalField } from '../sdk-features';

export default defineField({
  ...totalField,
  universalIdentifier: 'bb8223ab-0a4c-4c58-98df-f590f97b3c24',
  objectUniversalIdentifier: PERSON,
  type: FieldType.CURRENCY,
  name: 'lifetimeGiftAmount',
  label: 'Lifetime gift amount',
  description: 'All gifts added up; a gift in an open dispute counts until it is lost; kept by the rollup engine',
  icon: 'IconCoins',
});
