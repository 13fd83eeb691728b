// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineField, FieldType, RelationType } from 'twenty-sdk/define';

import { HOUSEHOLD, PERSON } from '../objects';

export default defineField({
  universalIdentifier: '031fe50f-48f0-55e4-b20e-e26b0ccf677f',
  objectUniversalIdentifier: PERSON,
  type: FieldType.RELATION,
  name: 'primaryContactOf',
  label: 'Primary contact of',
  icon: 'IconHome',
  relationTargetObjectMetadataUniversalIdentifier: HOUSEHOLD,
  relationTargetFieldMetadataUniversalIdentifier: '4baebee9-bc2b-538b-8792-a63d2faaedc6',
  universalSettings: { relationType: RelationType.ONE_TO_MANY },
});
