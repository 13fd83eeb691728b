import { defineField, FieldType } from 'twenty-sdk/define';

import { PERSON } from '../objects';
import { totalField } from '../sdk-features';

export default defineField({
  ...totalField,
  universalIdentifier: '3924b77e-8498-4e9e-952c-ca73faf2d65c',
  objectUniversalIdentifier: PERSON,
  type: FieldType.NUMBER,
  name: 'lifetimeGiftCount',
  label: 'Lifetime gift count',
  description: 'How many gifts were given; a gift in an open dispute counts until it is lost; kept by the rollup engine',
  icon: 'IconHash',
});
