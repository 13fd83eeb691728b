// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineField, FieldType } from 'twenty-sdk/define';

import { OPPORTUNITY } from '../objects';
import { totalField } from '../sdk-features';

export default defineField({
  ...totalField,
  universalIdentifier: 'a458e299-2487-5f39-aa97-645f1d927afb',
  objectUniversalIdentifier: OPPORTUNITY,
  type: FieldType.NUMBER,
  name: 'giftsCount',
  label: 'Gifts count',
  icon: 'IconHash',
});
