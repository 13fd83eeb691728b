// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineField, FieldType, RelationType } from 'twenty-sdk/define';

import { GIFT, PERSON } from '../objects';

export default defineField({
  universalIdentifier: 'e931947d-7d62-48af-bea7-03d30cbcf18c',
  objectUniversalIdentifier: PERSON,
  type: FieldType.RELATION,
  name: 'gifts',
  label: 'Gifts',
  icon: 'IconGift',
  relationTargetObjectMetadataUniversalIdentifier: GIFT,
  relationTargetFieldMetadataUniversalIdentifier: '77b8c0d0-119e-4a1c-b3d3-3968cfdb3e55',
  universalSettings: { relationType: RelationType.ONE_TO_MANY },
});
