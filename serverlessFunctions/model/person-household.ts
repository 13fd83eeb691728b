// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineField, FieldType, OnDeleteAction, RelationType } from 'twenty-sdk/define';

import { HOUSEHOLD, PERSON } from '../objects';

export default defineField({
  universalIdentifier: '22217002-f630-58ef-aefc-bffabc7333f7',
  objectUniversalIdentifier: PERSON,
  type: FieldType.RELATION,
  name: 'household',
  label: 'Household',
  icon: 'IconHome',
  relationTargetObjectMetadataUniversalIdentifier: HOUSEHOLD,
  relationTargetFieldMetadataUniversalIdentifier: '770d7d09-6f17-56db-9ce2-ef3e0801d159',
  universalSettings: { relationType: RelationType.MANY_TO_ONE, onDelete: OnDeleteAction.SET_NULL, joinColumnName: 'householdId' },
});
