// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineField, FieldType } from 'twenty-sdk/define';

import { OPPORTUNITY } from '../objects';
import { totalField } from '../sdk-features';

export default defineField({
  ...totalField,
  universalIdentifier: '6e0934eb-f15d-5a01-94d4-f0b33a24f8fe',
  objectUniversalIdentifier: OPPORTUNITY,
  type: FieldType.CURRENCY,
  name: 'giftsReceivedAmount',
  label: 'Gifts received amount',
  icon: 'IconCoins',
});
