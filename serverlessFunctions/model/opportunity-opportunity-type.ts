// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineField, FieldType } from 'twenty-sdk/define';

import { OPPORTUNITY } from '../objects';

export default defineField({
  universalIdentifier: 'bf8959d8-5fdc-5156-b872-ed3eae65d058',
  objectUniversalIdentifier: OPPORTUNITY,
  type: FieldType.TEXT,
  name: 'opportunityType',
  label: 'Opportunity type',
  icon: 'IconAbc',
});
