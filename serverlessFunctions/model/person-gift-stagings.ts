// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineField, FieldType, RelationType } from 'twenty-sdk/define';

import { GIFT_STAGING, PERSON } from '../objects';

export default defineField({
  universalIdentifier: 'c8bf91a7-7b88-5a67-be44-d0f4b79d3957',
  objectUniversalIdentifier: PERSON,
  type: FieldType.RELATION,
  name: 'giftStagings',
  label: 'Gift stagings',
  icon: 'IconInbox',
  relationTargetObjectMetadataUniversalIdentifier: GIFT_STAGING,
  relationTargetFieldMetadataUniversalIdentifier: '4cdb7a08-35b7-593f-8d43-4a4d7e72b6ef',
  universalSettings: { relationType: RelationType.ONE_TO_MANY },
});
