import { defineField, FieldType, RelationType } from 'twenty-sdk/define';

import { GIFT, PERSON } from '../objects';
import { GIFT_DONOR, PERSON_GIFTS } from './identifiers';

export default defineField({
  universalIdentifier: PERSON_GIFTS,
  objectUniversalIdentifier: PERSON,
  type: FieldType.RELATION,
  name: 'gifts',
  label: 'Gifts',
  description: 'The gifts this person gave',
  icon: 'IconGift',
  relationTargetObjectMetadataUniversalIdentifier: GIFT,
  relationTargetFieldMetadataUniversalIdentifier: GIFT_DONOR,
  universalSettings: { relationType: RelationType.ONE_TO_MANY },
});
