// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineField, FieldType, RelationType } from 'twenty-sdk/define';

import { PERSON, SOFT_CREDIT } from '../objects';

export default defineField({
  universalIdentifier: 'b2d506e1-d056-5eea-9e5d-fb4c71cd8d9f',
  objectUniversalIdentifier: PERSON,
  type: FieldType.RELATION,
  name: 'softCredits',
  label: 'Soft credits',
  icon: 'IconHeartHandshake',
  relationTargetObjectMetadataUniversalIdentifier: SOFT_CREDIT,
  relationTargetFieldMetadataUniversalIdentifier: 'c7ddc3b8-fa92-50e6-a7b3-bdfb069b2fb6',
  universalSettings: { relationType: RelationType.ONE_TO_MANY },
});
