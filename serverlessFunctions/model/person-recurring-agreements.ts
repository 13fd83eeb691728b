// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineField, FieldType, RelationType } from 'twenty-sdk/define';

import { PERSON, RECURRING_AGREEMENT } from '../objects';

export default defineField({
  universalIdentifier: '300688b2-1dfa-50c2-952b-3017759ae2ff',
  objectUniversalIdentifier: PERSON,
  type: FieldType.RELATION,
  name: 'recurringAgreements',
  label: 'Recurring agreements',
  icon: 'IconRepeat',
  relationTargetObjectMetadataUniversalIdentifier: RECURRING_AGREEMENT,
  relationTargetFieldMetadataUniversalIdentifier: '1655aa35-012d-5d99-909c-69c28a7ae40b',
  universalSettings: { relationType: RelationType.ONE_TO_MANY },
});
