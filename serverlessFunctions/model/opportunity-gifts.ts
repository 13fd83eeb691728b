// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineField, FieldType, RelationType } from 'twenty-sdk/define';

import { GIFT, OPPORTUNITY } from '../objects';

export default defineField({
  universalIdentifier: '361d96d7-1488-5b0b-be9a-ca74710f3a13',
  objectUniversalIdentifier: OPPORTUNITY,
  type: FieldType.RELATION,
  name: 'gifts',
  label: 'Gifts',
  icon: 'IconGift',
  relationTargetObjectMetadataUniversalIdentifier: GIFT,
  relationTargetFieldMetadataUniversalIdentifier: 'f32fd888-a08a-5b46-bc97-946cfb7b5f7b',
  universalSettings: { relationType: RelationType.ONE_TO_MANY },
});
