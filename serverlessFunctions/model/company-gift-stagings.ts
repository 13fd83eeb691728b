// Written by model.mjs from the declaration of the data model; changes here are lost.
import { defineField, FieldType, RelationType } from 'twenty-sdk/define';

import { COMPANY, GIFT_STAGING } from '../objects';

export default defineField({
  universalIdentifier: '7c72f225-c412-55bb-ba29-fcacb2738c61',
  objectUniversalIdentifier: COMPANY,
  type: FieldType.RELATION,
  name: 'giftStagings',
  label: 'Gift stagings',
  icon: 'IconInbox',
  relationTargetObjectMetadataUniversalIdentifier: GIFT_STAGING,
  relationTargetFieldMetadataUniversalIdentifier: '9dc71a4b-55bb-5fa3-8f6a-ef972e16568c',
  universalSettings: { relationType: RelationType.ONE_TO_MANY },
});
