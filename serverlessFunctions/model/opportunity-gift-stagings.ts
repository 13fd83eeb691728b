// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineField, FieldType, RelationType } from 'twenty-sdk/define';

import { GIFT_STAGING, OPPORTUNITY } from '../objects';

export default defineField({
  universalIdentifier: '59ed1a22-fce1-53d1-a12d-8c8f5727c4f5',
  objectUniversalIdentifier: OPPORTUNITY,
  type: FieldType.RELATION,
  name: 'giftStagings',
  label: 'Gift stagings',
  icon: 'IconInbox',
  relationTargetObjectMetadataUniversalIdentifier: GIFT_STAGING,
  relationTargetFieldMetadataUniversalIdentifier: '7114f125-275f-5f1b-8186-2f122dfa536c',
  universalSettings: { relationType: RelationType.ONE_TO_MANY },
});
